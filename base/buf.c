/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing byte buffer with a ceiling and a sticky failure. */
#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

void pst_buf_init(struct pst_buf *b, size_t max)
{
	*b = (struct pst_buf){ .max = max };
}

void pst_buf_finish(struct pst_buf *b)
{
	free(b->data);
	*b = (struct pst_buf){ .max = b->max };
}

void pst_buf_reset(struct pst_buf *b)
{
	b->len = 0;
	b->failed = false;
}

void pst_buf_reset_to(struct pst_buf *b, size_t keep)
{
	if (b->cap > keep)
		pst_buf_finish(b);
	pst_buf_reset(b);
}

/* Grows to need bytes by doubling. One byte above max is allowed for pst_buf_cstr. */
static int grow(struct pst_buf *b, size_t need)
{
	size_t cap = PST_MAX(b->cap, (size_t)FIRST_CAP);

	while (cap < need && cap <= SIZE_MAX / 2)
		cap *= 2;
	cap = PST_MAX(cap, need);

	uint8_t *data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return PST_ENOMEM;
	}
	b->data = data;
	b->cap = cap;
	return 0;
}

static int make_room(struct pst_buf *b, size_t n)
{
	size_t need;

	if (b->failed)
		return PST_ELIMIT;

	if (!pst_mem_add(b->len, n, &need) || need > b->max) {
		b->failed = true;
		return PST_ELIMIT;
	}
	return need > b->cap || !b->data ? grow(b, need) : 0;
}

uint8_t *pst_buf_reserve(struct pst_buf *b, size_t n)
{
	return make_room(b, n) < 0 ? NULL : b->data + b->len;
}

void pst_buf_commit(struct pst_buf *b, size_t n)
{
	PRE(n <= b->cap - b->len);
	b->len += n;
}

int pst_buf_append(struct pst_buf *b, const void *p, size_t n)
{
	if (n == 0)
		return b->failed ? PST_ELIMIT : 0;

	int rc = make_room(b, n);
	if (rc < 0)
		return rc;

	memcpy(b->data + b->len, p, n);
	b->len += n;
	return 0;
}

int pst_buf_put_str(struct pst_buf *b, const char *s)
{
	return pst_buf_append(b, s, strlen(s));
}

int pst_buf_put_zero(struct pst_buf *b, size_t n)
{
	int rc = make_room(b, n);

	if (rc < 0)
		return rc;

	memset(b->data + b->len, 0, n);
	b->len += n;
	return 0;
}

static void store_be(uint8_t *out, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static void store_le(uint8_t *out, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

static int put_be(struct pst_buf *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	store_be(bytes, v, n);
	return pst_buf_append(b, bytes, n);
}

static int put_le(struct pst_buf *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	store_le(bytes, v, n);
	return pst_buf_append(b, bytes, n);
}

int pst_buf_put_u8(struct pst_buf *b, uint8_t v)
{
	return pst_buf_append(b, &v, 1);
}

int pst_buf_put_be16(struct pst_buf *b, uint16_t v)
{
	return put_be(b, v, 2);
}

int pst_buf_put_be32(struct pst_buf *b, uint32_t v)
{
	return put_be(b, v, 4);
}

int pst_buf_put_be64(struct pst_buf *b, uint64_t v)
{
	return put_be(b, v, 8);
}

int pst_buf_put_le16(struct pst_buf *b, uint16_t v)
{
	return put_le(b, v, 2);
}

int pst_buf_put_le32(struct pst_buf *b, uint32_t v)
{
	return put_le(b, v, 4);
}

int pst_buf_put_le64(struct pst_buf *b, uint64_t v)
{
	return put_le(b, v, 8);
}

int pst_buf_vprintf(struct pst_buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return PST_EINVAL;
	}

	int rc = make_room(b, (size_t)n);
	if (rc < 0)
		return rc;
	/* vsnprintf wants a place for its terminator, beyond what counts. */
	if (b->cap - b->len < (size_t)n + 1 && (rc = grow(b, b->len + (size_t)n + 1)) < 0)
		return rc;

	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

int pst_buf_printf(struct pst_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int rc = pst_buf_vprintf(b, fmt, ap);
	va_end(ap);
	return rc;
}

void pst_buf_poke_be32(struct pst_buf *b, size_t at, uint32_t v)
{
	if (b->failed)
		return;
	PRE(b->len >= 4 && at <= b->len - 4);
	store_be(b->data + at, v, 4);
}

void pst_buf_poke_le32(struct pst_buf *b, size_t at, uint32_t v)
{
	if (b->failed)
		return;
	PRE(b->len >= 4 && at <= b->len - 4);
	store_le(b->data + at, v, 4);
}

void pst_buf_consume(struct pst_buf *b, size_t n)
{
	PRE(n <= b->len);
	if (n == 0)
		return;

	b->len -= n;
	memmove(b->data, b->data + n, b->len);
}

const char *pst_buf_cstr(struct pst_buf *b)
{
	if (b->failed)
		return NULL;
	if (b->len == b->cap && grow(b, b->len + 1) < 0)
		return NULL;

	b->data[b->len] = '\0';
	return (const char *)b->data;
}
