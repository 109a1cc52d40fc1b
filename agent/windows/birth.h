/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine with Windows is told about itself: the seed of puesto-seed(8), with the same fields. Pure. */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stddef.h>

#define BIRTH_MAX (64 * 1024)
#define BIRTH_NETBIOS_MAX 15 /* letters of a computer's name */

struct birth {
	char desktop[PST_UUID_SIZE];
	char token[257]; /* "" for none */
	char hostname[64];
	char broker[80]; /* ADDRESS:PORT, numeric */
	char *ca;        /* PEM, owned */
};

/* 0, or PST_EINVAL with the field and the reason. ret is zeroed first; end it with birth_finish also after a failure. */
int birth_parse(const char *text, size_t len, struct birth *ret, struct pst_err *err);
/* Wipes and frees; accepts a zeroed struct. */
void birth_finish(struct birth *b);

/* The computer's name that Windows takes: the first 15 letters, without a dash at the end. */
void birth_computer_name(const struct birth *b, char out[BIRTH_NETBIOS_MAX + 1]);

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" into its parts; PST_EINVAL. */
int birth_address(const char *text, char host[64], uint16_t *ret_port, struct pst_err *err);
