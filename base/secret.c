/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes that wipe themselves. */
#include "base/secret.h"

#include "base/err.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

void pst_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

static int secret_alloc(struct pst_secret *s, size_t n)
{
	*s = (struct pst_secret){ 0 };
	if (n > PST_SECRET_MAX)
		return PST_ELIMIT;

	s->data = calloc(1, n + 1);
	if (!s->data)
		return PST_ENOMEM;

	s->len = n;
	return 0;
}

int pst_secret_init_copy(struct pst_secret *s, const void *p, size_t n)
{
	int rc = secret_alloc(s, n);

	if (rc == 0 && n)
		memcpy(s->data, p, n);
	return rc;
}

int pst_secret_init_str(struct pst_secret *s, const char *str)
{
	return pst_secret_init_copy(s, str, strlen(str));
}

int pst_secret_init_random(struct pst_secret *s, size_t n)
{
	int rc = secret_alloc(s, n);

	if (rc == 0)
		pst_random(s->data, n);
	return rc;
}

void pst_secret_finish(struct pst_secret *s)
{
	if (s->data)
		pst_wipe(s->data, s->len);
	free(s->data);
	*s = (struct pst_secret){ 0 };
}

const char *pst_secret_str(const struct pst_secret *s)
{
	return s->data ? (const char *)s->data : "";
}

bool pst_equal_ct(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

bool pst_str_equal_ct(const char *expected, const char *given)
{
	uint8_t a[PST_SHA256_LEN], b[PST_SHA256_LEN];

	/* Digests have one length, so the comparison tells nothing about either text. */
	pst_sha256(expected, strlen(expected), a);
	pst_sha256(given, strlen(given), b);
	return pst_equal_ct(a, b, sizeof(a));
}
