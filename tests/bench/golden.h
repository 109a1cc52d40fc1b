/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes that each trace took on each wire, kept in a file: lines "trace wire bytes". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOLDEN_MAX 256
#define GOLDEN_NAME 32

struct golden_line {
	char trace[GOLDEN_NAME], wire[GOLDEN_NAME];
	uint64_t bytes;
};

struct golden {
	struct golden_line lines[GOLDEN_MAX];
	size_t len;
};

void golden_add(struct golden *g, const char *trace, const char *wire, uint64_t bytes);

/* Prints every line that is not within 2 % of the file's, or stands on one side only; false when there is
 * one. */
bool golden_check(const struct golden *g, const char *path);

/* False when the file cannot be written. */
bool golden_write(const struct golden *g, const char *path);
