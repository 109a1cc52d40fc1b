/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passwords, keys and tokens: bytes that wipe themselves and are never printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PST_SECRET_MAX (64 * 1024)

struct pst_secret {
	uint8_t *data; /* always followed by a zero byte, so it can serve as a C string */
	size_t len;
};

/* What a log or a dump shows in place of a secret. */
#define PST_SECRET_STARS "********"

/* Copies n bytes. 0, PST_ENOMEM or PST_ELIMIT (above PST_SECRET_MAX). */
int pst_secret_init_copy(struct pst_secret *s, const void *p, size_t n);
int pst_secret_init_str(struct pst_secret *s, const char *str);

/* n random bytes. */
int pst_secret_init_random(struct pst_secret *s, size_t n);

/* Wipes and frees; accepts a zeroed struct, and may be called twice. */
void pst_secret_finish(struct pst_secret *s);

/* The bytes as a C string, borrowed until finish; "" when empty. */
const char *pst_secret_str(const struct pst_secret *s);

/* Zeroes n bytes in a way the compiler keeps. p may be NULL when n is 0. */
void pst_wipe(void *p, size_t n);

/* Compares in time that depends on n only. */
bool pst_equal_ct(const void *a, const void *b, size_t n);

/* As above for C strings; the time depends on the length of given only. */
bool pst_str_equal_ct(const char *expected, const char *given);
