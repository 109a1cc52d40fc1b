/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tiles of TRLE and ZRLE. */
#include "protocol/source/rfb/tile.h"

#include "base/cursor.h"

enum { PALETTE_AGAIN = 127, RUNS = 128, RUNS_AGAIN = 129 };

static uint32_t colour_read(struct pst_cursor *c)
{
	const uint8_t *p = pst_cursor_bytes(c, 3);

	return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 : 0;
}

static void palette_read(struct pst_cursor *c, struct rfb_palette *p, unsigned count)
{
	struct rfb_palette next = { .count = count };

	for (unsigned i = 0; i < count; i++)
		next.colours[i] = colour_read(c);
	if (pst_cursor_ok(c))
		*p = next;
}

/* Rows begin on a byte; the first pixel is in the highest bits. */
static bool packed_read(
	struct pst_cursor *c, const struct rfb_palette *p, int32_t w, int32_t h, uint32_t *out)
{
	unsigned bits = p->count <= 2 ? 1 : p->count <= 4 ? 2 : 4, bad = 0;

	for (int32_t y = 0; y < h; y++) {
		const uint8_t *row = pst_cursor_bytes(c, ((size_t)w * bits + 7) / 8);

		for (int32_t x = 0; row && x < w; x++) {
			unsigned at = (unsigned)x * bits,
				 i = row[at / 8] >> (8 - bits - at % 8) & ((1u << bits) - 1);

			bad |= i >= p->count;
			*out++ = p->colours[i];
		}
	}
	return !bad;
}

static size_t run_read(struct pst_cursor *c, size_t max)
{
	size_t run = 1;
	uint8_t more;

	do {
		more = pst_cursor_u8(c);
		run += more;
	} while (more == 255 && run <= max);
	return run;
}

/* palette NULL: each run has its colour. False: a run is longer than the tile, or a colour is not in the
 * palette. */
static bool runs_read(struct pst_cursor *c, const struct rfb_palette *palette, size_t count, uint32_t *out)
{
	for (size_t i = 0; i < count;) {
		uint8_t index = palette ? pst_cursor_u8(c) : 0;
		uint32_t colour = palette ? palette->colours[index & 127] : colour_read(c);
		size_t run = !palette || index & 128 ? run_read(c, count) : 1;

		if (!pst_cursor_ok(c))
			return true; /* not all of it is there */
		if (run > count - i || (palette && (index & 127u) >= palette->count))
			return false;
		while (run--)
			out[i++] = colour;
	}
	return true;
}

static void plain_read(struct pst_cursor *c, size_t count, uint32_t *out)
{
	struct pst_cursor rows;
	const uint8_t *bytes = pst_cursor_bytes(c, count * 3);

	pst_cursor_init(&rows, bytes, bytes ? count * 3 : 0);
	for (size_t i = 0; bytes && i < count; i++)
		out[i] = colour_read(&rows);
}

static void solid_read(struct pst_cursor *c, size_t count, uint32_t *out)
{
	uint32_t colour = colour_read(c);

	for (size_t i = 0; i < count; i++)
		out[i] = colour;
}

/* The last tile's palette may be named: there must be one, and few enough colours for packed pixels. */
static bool has_palette(const struct rfb_palette *p, bool can_reuse, bool is_packed)
{
	return can_reuse && p->count && (!is_packed || (p->count > 1 && p->count <= 16));
}

static bool pixels_read(struct pst_cursor *c, uint8_t kind, const struct rfb_palette *palette, bool can_reuse,
	int32_t w, int32_t h, uint32_t *out)
{
	size_t count = (size_t)w * (size_t)h;

	if (kind == 0)
		plain_read(c, count, out);
	else if (kind == 1)
		solid_read(c, count, out);
	else if (kind <= 16 || (kind == PALETTE_AGAIN && has_palette(palette, can_reuse, true)))
		return packed_read(c, palette, w, h, out);
	else if (kind == RUNS)
		return runs_read(c, NULL, count, out);
	else if (kind > RUNS_AGAIN || (kind == RUNS_AGAIN && has_palette(palette, can_reuse, false)))
		return runs_read(c, palette, count, out);
	else
		return false;
	return true;
}

long rfb_tile_decode(const uint8_t *data, size_t len, int32_t w, int32_t h, bool can_reuse,
	struct rfb_palette *palette, uint32_t *out, struct pst_err *err)
{
	struct pst_cursor c;
	uint8_t kind;

	pst_cursor_init(&c, data, len);
	kind = pst_cursor_u8(&c);
	if (kind > RUNS_AGAIN)
		palette_read(&c, palette, kind - RUNS);
	else if (kind > 1 && kind <= 16)
		palette_read(&c, palette, kind);
	if (pst_cursor_ok(&c) && !pixels_read(&c, kind, palette, can_reuse, w, h, out))
		return pst_err_set(err, PST_EPROTO, "a tile of kind %u that cannot be", kind);
	return pst_cursor_ok(&c) ? (long)c.at : 0;
}
