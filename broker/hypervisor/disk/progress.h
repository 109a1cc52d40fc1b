/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of `qemu-img -p`: "    (12.34/100%)\r" again and again, cut anywhere. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_WORD_MAX 16

struct progress {
	char word[PROGRESS_WORD_MAX]; /* since the last '(' */
	size_t n;
	bool in_word;
	uint32_t basis_points; /* of 10,000; never goes back */
};

/* Zero it to start. True when the value has risen. */
bool progress_feed(struct progress *p, const char *text, size_t len);
