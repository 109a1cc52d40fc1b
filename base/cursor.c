/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reader of untrusted bytes with a sticky error. */
#include "base/cursor.h"

#include <string.h>

void pst_cursor_init(struct pst_cursor *c, const void *data, size_t len)
{
	*c = (struct pst_cursor){ .data = data, .len = len };
}

const uint8_t *pst_cursor_bytes(struct pst_cursor *c, size_t n)
{
	static const uint8_t nothing[1];

	if (c->failed || n > c->len - c->at) {
		c->failed = true;
		return NULL;
	}

	const uint8_t *p = c->data ? c->data + c->at : nothing;
	c->at += n;
	return p;
}

static uint64_t read_be(struct pst_cursor *c, size_t n)
{
	const uint8_t *p = pst_cursor_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t read_le(struct pst_cursor *c, size_t n)
{
	const uint8_t *p = pst_cursor_bytes(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t pst_cursor_u8(struct pst_cursor *c)
{
	return (uint8_t)read_be(c, 1);
}

uint16_t pst_cursor_be16(struct pst_cursor *c)
{
	return (uint16_t)read_be(c, 2);
}

uint32_t pst_cursor_be32(struct pst_cursor *c)
{
	return (uint32_t)read_be(c, 4);
}

uint64_t pst_cursor_be64(struct pst_cursor *c)
{
	return read_be(c, 8);
}

uint16_t pst_cursor_le16(struct pst_cursor *c)
{
	return (uint16_t)read_le(c, 2);
}

uint32_t pst_cursor_le32(struct pst_cursor *c)
{
	return (uint32_t)read_le(c, 4);
}

uint64_t pst_cursor_le64(struct pst_cursor *c)
{
	return read_le(c, 8);
}

bool pst_cursor_copy(struct pst_cursor *c, void *out, size_t n)
{
	const uint8_t *p = pst_cursor_bytes(c, n);

	if (n == 0)
		return p != NULL;
	if (!p) {
		memset(out, 0, n);
		return false;
	}

	memcpy(out, p, n);
	return true;
}

void pst_cursor_skip(struct pst_cursor *c, size_t n)
{
	pst_cursor_bytes(c, n);
}

size_t pst_cursor_left(const struct pst_cursor *c)
{
	return c->failed ? 0 : c->len - c->at;
}

bool pst_cursor_ok(const struct pst_cursor *c)
{
	return !c->failed;
}

void pst_cursor_fail(struct pst_cursor *c)
{
	c->failed = true;
}
