/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hextile (RFC 6143, 7.7.4): tiles of 16 × 16, each raw or a background with rectangles on it. */
#include "base/cursor.h"
#include "protocol/source/rfb/decoder_priv.h"

#define SIDE 16

enum { IS_RAW = 1, HAS_BACKGROUND = 2, HAS_FOREGROUND = 4, HAS_PARTS = 8, IS_COLOURED = 16, KNOWN = 31 };

/* False: it runs over the tile. */
static bool part_paint(
	struct rfb_decoder *d, const struct rect *tile, uint32_t colour, uint8_t place, uint8_t size)
{
	struct rect part = { tile->x + (place >> 4), tile->y + (place & 15), (size >> 4) + 1,
		(size & 15) + 1 };

	if (!rect_contains(tile, &part))
		return false;
	rfb_screen_fill(d->screen, &part, colour);
	return true;
}

static bool parts_paint(struct rfb_decoder *d, const struct rect *tile, struct pst_cursor *c, unsigned count,
	bool is_coloured)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t colour = is_coloured ? pst_cursor_le32(c) : d->foreground;
		uint8_t place = pst_cursor_u8(c), size = pst_cursor_u8(c);

		if (!part_paint(d, tile, colour, place, size))
			return false;
	}
	return true;
}

/* All of a tile must be there before the first pixel of it is painted: the colours go on to the next one. */
static long tile_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct rect tile = rfb_decoder_tile(d, SIDE);
	uint32_t background = d->background, foreground = d->foreground;
	struct pst_cursor c;
	uint8_t mask, count;

	pst_cursor_init(&c, data, len);
	mask = pst_cursor_u8(&c);
	if (mask & IS_RAW) {
		const uint8_t *pixels = pst_cursor_bytes(&c, (size_t)rect_area(&tile) * 4);

		for (int64_t i = 0; pixels && i < rect_area(&tile); i++, pixels += 4)
			*rfb_screen_at(
				d->screen, tile.x + (int32_t)(i % tile.w), tile.y + (int32_t)(i / tile.w)) =
				(uint32_t)pixels[0] | (uint32_t)pixels[1] << 8 | (uint32_t)pixels[2] << 16;
		return pst_cursor_ok(&c) ? (long)c.at : 0;
	}
	if (mask & HAS_BACKGROUND)
		background = pst_cursor_le32(&c);
	if (mask & HAS_FOREGROUND)
		foreground = pst_cursor_le32(&c);
	count = mask & HAS_PARTS ? pst_cursor_u8(&c) : 0;
	if (!pst_cursor_ok(&c) || pst_cursor_left(&c) < (size_t)count * (mask & IS_COLOURED ? 6 : 2))
		return 0;
	d->background = background;
	d->foreground = foreground;
	rfb_screen_fill(d->screen, &tile, background);
	if (mask & ~KNOWN || !parts_paint(d, &tile, &c, count, mask & IS_COLOURED))
		return pst_err_set(err, PST_EPROTO, "a Hextile tile that cannot be");
	return (long)c.at;
}

long rfb_hextile_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t used = 0;

	while (!d->is_done) {
		long n = tile_take(d, data + used, len - used, err);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		used += (size_t)n;
		rfb_decoder_step(d, SIDE);
	}
	return (long)used;
}
