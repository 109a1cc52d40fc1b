/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of the display link's messages: number, name, ceilings, who may send it, and its two functions.
 */
#include "protocol/link/link.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/link/cursor_image.h"
#include "protocol/link/input_wire.h"

struct link_kind {
	const char *name;
	uint8_t from;      /* enum link_side bits */
	uint8_t flags;     /* bits that may be set */
	uint32_t min, max; /* bytes of payload */
	void (*decode)(struct pst_cursor *c, struct link_message *m);
	bool (*encode)(struct pst_buf *b, const struct link_message *m);
};

static void empty_decode(struct pst_cursor *c, struct link_message *m)
{
	(void)c;
	(void)m;
}

static bool empty_encode(struct pst_buf *b, const struct link_message *m)
{
	(void)b;
	(void)m;
	return true;
}

static void hello_decode(struct pst_cursor *c, struct link_message *m)
{
	if (pst_cursor_le32(c) != LINK_MAGIC)
		pst_cursor_fail(c);
	m->hello.version_min = pst_cursor_le16(c);
	m->hello.version_max = pst_cursor_le16(c);
	m->hello.width = pst_cursor_le16(c);
	m->hello.height = pst_cursor_le16(c);
	m->hello.grant_len = pst_cursor_left(c);
	m->hello.grant = (const char *)pst_cursor_bytes(c, m->hello.grant_len);
	if (m->hello.version_min > m->hello.version_max || m->hello.width > SCREEN_SIDE_MAX ||
		m->hello.height > SCREEN_SIDE_MAX)
		pst_cursor_fail(c);
}

static bool hello_encode(struct pst_buf *b, const struct link_message *m)
{
	if (m->hello.grant_len > LINK_GRANT_MAX)
		return false;

	pst_buf_put_le32(b, LINK_MAGIC);
	pst_buf_put_le16(b, m->hello.version_min);
	pst_buf_put_le16(b, m->hello.version_max);
	pst_buf_put_le16(b, m->hello.width);
	pst_buf_put_le16(b, m->hello.height);
	pst_buf_append(b, m->hello.grant, m->hello.grant_len);
	return true;
}

static void welcome_decode(struct pst_cursor *c, struct link_message *m)
{
	if (pst_cursor_le32(c) != LINK_MAGIC)
		pst_cursor_fail(c);
	m->welcome.version = pst_cursor_le16(c);
	m->welcome.max_width = pst_cursor_le16(c);
	m->welcome.max_height = pst_cursor_le16(c);
}

static bool welcome_encode(struct pst_buf *b, const struct link_message *m)
{
	pst_buf_put_le32(b, LINK_MAGIC);
	pst_buf_put_le16(b, m->welcome.version);
	pst_buf_put_le16(b, m->welcome.max_width);
	pst_buf_put_le16(b, m->welcome.max_height);
	return true;
}

static bool side_is_valid(uint32_t side)
{
	return side >= 1 && side <= SCREEN_SIDE_MAX;
}

/* The screen must lie inside the file, computed in 64 bits; a file of more than 1 GiB is nobody's screen. */
static bool surface_is_valid(const struct link_message *m)
{
	uint64_t stride = m->surface.stride, end;

	if (!side_is_valid(m->surface.width) || !side_is_valid(m->surface.height))
		return false;
	if (m->surface.format != LINK_FORMAT_BGRX || stride % 4 != 0 || m->surface.offset % 4 != 0)
		return false;
	if (stride < (uint64_t)m->surface.width * 4 || stride > (uint64_t)SCREEN_SIDE_MAX * 4)
		return false;
	if (m->surface.size > (1u << 30) || m->surface.offset > m->surface.size)
		return false;

	end = m->surface.offset + stride * m->surface.height;
	return end <= m->surface.size;
}

static void surface_decode(struct pst_cursor *c, struct link_message *m)
{
	m->surface.serial = pst_cursor_le32(c);
	m->surface.width = pst_cursor_le16(c);
	m->surface.height = pst_cursor_le16(c);
	m->surface.stride = pst_cursor_le32(c);
	m->surface.format = pst_cursor_le32(c);
	m->surface.offset = pst_cursor_le64(c);
	m->surface.size = pst_cursor_le64(c);
	if (!surface_is_valid(m))
		pst_cursor_fail(c);
}

static bool surface_encode(struct pst_buf *b, const struct link_message *m)
{
	if (!surface_is_valid(m))
		return false;

	pst_buf_put_le32(b, m->surface.serial);
	pst_buf_put_le16(b, m->surface.width);
	pst_buf_put_le16(b, m->surface.height);
	pst_buf_put_le32(b, m->surface.stride);
	pst_buf_put_le32(b, m->surface.format);
	pst_buf_put_le64(b, m->surface.offset);
	pst_buf_put_le64(b, m->surface.size);
	return true;
}

static void rect_decode(struct pst_cursor *c, struct rect *r)
{
	r->x = pst_cursor_le16(c);
	r->y = pst_cursor_le16(c);
	r->w = pst_cursor_le16(c);
	r->h = pst_cursor_le16(c);
}

static bool rect_is_on_screen(const struct rect *r)
{
	return r->x >= 0 && r->y >= 0 && r->w >= 1 && r->h >= 1 && r->x <= SCREEN_SIDE_MAX - r->w &&
	       r->y <= SCREEN_SIDE_MAX - r->h;
}

static void rect_encode(struct pst_buf *b, const struct rect *r)
{
	pst_buf_put_le16(b, (uint16_t)r->x);
	pst_buf_put_le16(b, (uint16_t)r->y);
	pst_buf_put_le16(b, (uint16_t)r->w);
	pst_buf_put_le16(b, (uint16_t)r->h);
}

static void damage_decode(struct pst_cursor *c, struct link_message *m)
{
	m->damage.sequence = pst_cursor_le32(c);
	m->damage.n = pst_cursor_le16(c);
	if (m->damage.n == 0 || m->damage.n > LINK_RECTS_MAX) {
		pst_cursor_fail(c);
		return;
	}
	for (size_t i = 0; i < m->damage.n; i++) {
		rect_decode(c, &m->damage.rects[i]);
		if (!rect_is_on_screen(&m->damage.rects[i]))
			pst_cursor_fail(c);
	}
}

static bool damage_encode(struct pst_buf *b, const struct link_message *m)
{
	if (m->damage.n == 0 || m->damage.n > LINK_RECTS_MAX)
		return false;
	for (size_t i = 0; i < m->damage.n; i++)
		if (!rect_is_on_screen(&m->damage.rects[i]))
			return false;

	pst_buf_put_le32(b, m->damage.sequence);
	pst_buf_put_le16(b, m->damage.n);
	for (size_t i = 0; i < m->damage.n; i++)
		rect_encode(b, &m->damage.rects[i]);
	return true;
}

/* 0 × 0 hides the pointer; otherwise the hot spot lies inside. */
static bool cursor_is_valid(const struct link_message *m)
{
	if (m->cursor.w == 0 || m->cursor.h == 0)
		return m->cursor.w == m->cursor.h && m->cursor.hot_x == 0 && m->cursor.hot_y == 0;
	return m->cursor.w <= CURSOR_SIDE_MAX && m->cursor.h <= CURSOR_SIDE_MAX &&
	       m->cursor.hot_x < m->cursor.w && m->cursor.hot_y < m->cursor.h;
}

static void cursor_decode(struct pst_cursor *c, struct link_message *m)
{
	m->cursor.w = pst_cursor_le16(c);
	m->cursor.h = pst_cursor_le16(c);
	m->cursor.hot_x = pst_cursor_le16(c);
	m->cursor.hot_y = pst_cursor_le16(c);
	if (!cursor_is_valid(m)) {
		pst_cursor_fail(c);
		return;
	}
	m->cursor.pixels = pst_cursor_bytes(c, (size_t)m->cursor.w * m->cursor.h * 4);
}

static bool cursor_encode(struct pst_buf *b, const struct link_message *m)
{
	if (!cursor_is_valid(m))
		return false;

	pst_buf_put_le16(b, m->cursor.w);
	pst_buf_put_le16(b, m->cursor.h);
	pst_buf_put_le16(b, m->cursor.hot_x);
	pst_buf_put_le16(b, m->cursor.hot_y);
	if (m->cursor.w > 0)
		pst_buf_append(b, m->cursor.pixels, (size_t)m->cursor.w * m->cursor.h * 4);
	return true;
}

static void pointer_decode(struct pst_cursor *c, struct link_message *m)
{
	m->pointer.x = (int32_t)pst_cursor_le32(c);
	m->pointer.y = (int32_t)pst_cursor_le32(c);
}

static bool pointer_encode(struct pst_buf *b, const struct link_message *m)
{
	pst_buf_put_le32(b, (uint32_t)m->pointer.x);
	pst_buf_put_le32(b, (uint32_t)m->pointer.y);
	return true;
}

/* The pieces of a text may split a character: the whole is checked by whoever joins them. */
static void clipboard_decode(struct pst_cursor *c, struct link_message *m)
{
	m->clipboard.len = pst_cursor_left(c);
	m->clipboard.bytes = (const char *)pst_cursor_bytes(c, m->clipboard.len);
}

static bool clipboard_encode(struct pst_buf *b, const struct link_message *m)
{
	if (m->clipboard.len > LINK_CHUNK_MAX)
		return false;
	if (m->clipboard.len > 0)
		pst_buf_append(b, m->clipboard.bytes, m->clipboard.len);
	return true;
}

static void bye_decode(struct pst_cursor *c, struct link_message *m)
{
	m->bye.code = (int32_t)pst_cursor_le32(c);
	m->bye.len = pst_cursor_left(c);
	m->bye.reason = (const char *)pst_cursor_bytes(c, m->bye.len);
	if (m->bye.reason && !pst_utf8_valid(m->bye.reason, m->bye.len))
		pst_cursor_fail(c);
}

static bool bye_encode(struct pst_buf *b, const struct link_message *m)
{
	if (m->bye.len > LINK_REASON_MAX)
		return false;

	pst_buf_put_le32(b, (uint32_t)m->bye.code);
	if (m->bye.len > 0)
		pst_buf_append(b, m->bye.reason, m->bye.len);
	return true;
}

static bool tile_is_valid(const struct rect *t)
{
	return rect_is_on_screen(t) && t->w <= LINK_TILE_SIDE && t->h <= LINK_TILE_SIDE;
}

static void pixels_decode(struct pst_cursor *c, struct link_message *m)
{
	rect_decode(c, &m->pixels.tile);
	m->pixels.len = pst_cursor_left(c);
	m->pixels.data = pst_cursor_bytes(c, m->pixels.len);
	if (!tile_is_valid(&m->pixels.tile))
		pst_cursor_fail(c);
}

static bool pixels_encode(struct pst_buf *b, const struct link_message *m)
{
	if (!tile_is_valid(&m->pixels.tile) || m->pixels.len == 0 || m->pixels.len > LINK_PIXELS_MAX)
		return false;

	rect_encode(b, &m->pixels.tile);
	pst_buf_append(b, m->pixels.data, m->pixels.len);
	return true;
}

static void input_decode(struct pst_cursor *c, struct link_message *m)
{
	input_wire_decode(c, &m->input);
}

static bool input_encode(struct pst_buf *b, const struct link_message *m)
{
	return input_wire_encode(b, &m->input);
}

static void resize_decode(struct pst_cursor *c, struct link_message *m)
{
	m->resize.width = pst_cursor_le16(c);
	m->resize.height = pst_cursor_le16(c);
	if (!side_is_valid(m->resize.width) || !side_is_valid(m->resize.height))
		pst_cursor_fail(c);
}

static bool resize_encode(struct pst_buf *b, const struct link_message *m)
{
	if (!side_is_valid(m->resize.width) || !side_is_valid(m->resize.height))
		return false;

	pst_buf_put_le16(b, m->resize.width);
	pst_buf_put_le16(b, m->resize.height);
	return true;
}

static void ready_decode(struct pst_cursor *c, struct link_message *m)
{
	m->ready.sequence = pst_cursor_le32(c);
}

static bool ready_encode(struct pst_buf *b, const struct link_message *m)
{
	pst_buf_put_le32(b, m->ready.sequence);
	return true;
}

#define LINK_BOTH (LINK_AGENT | LINK_WORKER)

static const struct link_kind kinds[] = {
	[LINK_HELLO] = { "HELLO", LINK_WORKER, LINK_FLAG_PIXELS, 13, 12 + LINK_GRANT_MAX, hello_decode,
		hello_encode },
	[LINK_WELCOME] = { "WELCOME", LINK_AGENT, LINK_FLAG_PIXELS, 10, 10, welcome_decode, welcome_encode },
	[LINK_SURFACE] = { "SURFACE", LINK_AGENT, LINK_FLAG_FD, 32, 32, surface_decode, surface_encode },
	[LINK_DAMAGE] = { "DAMAGE", LINK_AGENT, 0, 14, 6 + 8 * LINK_RECTS_MAX, damage_decode, damage_encode },
	[LINK_CURSOR] = { "CURSOR", LINK_AGENT, 0, 8, 8 + CURSOR_SIDE_MAX *CURSOR_SIDE_MAX * 4, cursor_decode,
		cursor_encode },
	[LINK_POINTER_MOVED] = { "POINTER_MOVED", LINK_AGENT, 0, 8, 8, pointer_decode, pointer_encode },
	[LINK_CLIPBOARD] = { "CLIPBOARD", LINK_BOTH, LINK_FLAG_LAST, 0, LINK_CHUNK_MAX, clipboard_decode,
		clipboard_encode },
	[LINK_BELL] = { "BELL", LINK_AGENT, 0, 0, 0, empty_decode, empty_encode },
	[LINK_BYE] = { "BYE", LINK_BOTH, 0, 4, 4 + LINK_REASON_MAX, bye_decode, bye_encode },
	[LINK_PIXELS] = { "PIXELS", LINK_AGENT, 0, 9, 8 + LINK_PIXELS_MAX, pixels_decode, pixels_encode },
	[LINK_INPUT] = { "INPUT", LINK_WORKER, 0, 1, 1 + INPUT_TEXT_MAX, input_decode, input_encode },
	[LINK_RESIZE] = { "RESIZE", LINK_WORKER, 0, 4, 4, resize_decode, resize_encode },
	[LINK_READY] = { "READY", LINK_WORKER, 0, 4, 4, ready_decode, ready_encode },
};

static const struct link_kind *kind_find(unsigned type)
{
	return type < PST_ARRAY_LEN(kinds) && kinds[type].name ? &kinds[type] : NULL;
}

const char *link_type_name(enum link_type type)
{
	const struct link_kind *kind = kind_find((unsigned)type);

	return kind ? kind->name : "?";
}

/* The header alone decides about type and length, so a bad frame is refused before its payload is waited for.
 */
static int header_check(const struct link_kind *kind, unsigned type, enum link_side from, uint8_t flags,
	uint16_t zero, uint32_t len, struct pst_err *err)
{
	const char *who = from == LINK_AGENT ? "agent" : "worker";

	if (!kind)
		return pst_err_set(err, PST_EPROTO, "the %s sent a message of unknown type %u", who, type);
	if (!(kind->from & from))
		return pst_err_set(
			err, PST_EPROTO, "the %s sent %s, which is not its to send", who, kind->name);
	if (len > kind->max)
		return pst_err_set(err, PST_ELIMIT, "%s of %u bytes from the %s: at most %u are allowed",
			kind->name, len, who, kind->max);
	if (len < kind->min || zero != 0 || (flags & ~kind->flags) != 0)
		return pst_err_set(
			err, PST_EPROTO, "the header of %s from the %s is malformed", kind->name, who);
	return 0;
}

long link_decode(
	const void *data, size_t len, enum link_side from, struct link_message *ret, struct pst_err *err)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	unsigned type = pst_cursor_u8(&c);
	uint8_t flags = pst_cursor_u8(&c);
	uint16_t zero = pst_cursor_le16(&c);
	uint32_t size = pst_cursor_le32(&c);
	if (!pst_cursor_ok(&c))
		return 0;

	const struct link_kind *kind = kind_find(type);
	int rc = header_check(kind, type, from, flags, zero, size, err);
	if (rc < 0)
		return rc;
	if (pst_cursor_left(&c) < size)
		return 0;

	pst_cursor_init(&c, (const uint8_t *)data + LINK_HEADER, size);
	ret->type = (enum link_type)type;
	ret->flags = flags;
	kind->decode(&c, ret);
	if (!pst_cursor_ok(&c) || pst_cursor_left(&c) != 0)
		return pst_err_set(err, PST_EPROTO, "a field of %s is malformed", kind->name);

	return LINK_HEADER + (long)size;
}

int link_encode(struct pst_buf *out, const struct link_message *m)
{
	const struct link_kind *kind = kind_find((unsigned)m->type);
	size_t start = out->len;

	if (!kind || (m->flags & ~kind->flags) != 0)
		return PST_EINVAL;

	pst_buf_put_u8(out, (uint8_t)m->type);
	pst_buf_put_u8(out, m->flags);
	pst_buf_put_le16(out, 0);
	pst_buf_put_le32(out, 0);
	bool is_valid = kind->encode(out, m);
	if (out->failed)
		return PST_ELIMIT;
	size_t size = out->len - start - LINK_HEADER;
	if (!is_valid || size < kind->min || size > kind->max) {
		out->len = start;
		return PST_EINVAL;
	}

	pst_buf_poke_le32(out, start + 4, (uint32_t)size);
	return 0;
}
