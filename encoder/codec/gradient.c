/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of three bytes a pixel, the one above kept; a loop that compilers widen. */
#include "encoder/codec/gradient.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PIXEL 3
#define BLOCK 96  /* bytes at once */
#define EACH_ROW 8 /* is looked at by gradient_pays */
#define SEEN_BITS 3 /* of a pixel that its neighbours have, in zlib */
#define NEW_BITS 16 /* of another one */

/* A row behind a pixel of zeros. */
struct line {
	uint8_t before[PIXEL];
	uint8_t at[GRADIENT_WIDTH_MAX * PIXEL + BLOCK];
};

static void load(struct line *l, const uint32_t *row, int32_t n)
{
	uint8_t *at = l->at;

	for (int32_t x = 0; x < n; x++) {
		*at++ = (uint8_t)(row[x] >> 16);
		*at++ = (uint8_t)(row[x] >> 8);
		*at++ = (uint8_t)row[x];
	}
}

static uint8_t residue(int cur, int left, int above, int corner)
{
	int16_t p = (int16_t)(left + above - corner);

	p = p < 0 ? 0 : p > 255 ? 255 : p;
	return (uint8_t)(cur - p);
}

static void predict(const uint8_t *restrict cur, const uint8_t *restrict left, const uint8_t *restrict above, const uint8_t *restrict corner,
	uint8_t *restrict out)
{
	for (int i = 0; i < BLOCK; i++)
		out[i] = residue(cur[i], left[i], above[i], corner[i]);
}

void gradient_put(const struct pixmap *p, const struct rect *r, struct pst_buf *out)
{
	static const struct line none;
	struct line lines[2];
	const struct line *above = &none;
	size_t n = (size_t)r->w * PIXEL;

	memset(lines, 0, sizeof(lines));
	for (int32_t y = 0; y < r->h; y++) {
		struct line *cur = &lines[y & 1];
		uint8_t *to = pst_buf_reserve(out, n + BLOCK);

		if (!to)
			return;
		load(cur, pixmap_at(p, r->x, r->y + y), r->w);
		/* The pixel to the left of at[i] stands PIXEL bytes before it, where the structure begins. */
		for (size_t i = 0; i < n; i += BLOCK)
			predict(cur->at + i, (const uint8_t *)cur + i, above->at + i, (const uint8_t *)above + i, to + i);
		pst_buf_commit(out, n);
		above = cur;
	}
}

/* Bits of a code for a residue: as many as its size, its sign and what tells the size. */
static uint32_t bits_of(uint8_t residue_byte)
{
	uint32_t size = (uint32_t)abs((int8_t)residue_byte);

	return size ? 34 - (uint32_t)__builtin_clz(size) : 1;
}

static uint32_t pixel_bits(uint32_t cur, uint32_t left, uint32_t above, uint32_t corner)
{
	uint32_t bits = 0;

	for (int shift = 0; shift < 24; shift += 8)
		bits += bits_of(residue(cur >> shift & 255, left >> shift & 255, above >> shift & 255, corner >> shift & 255));
	return bits;
}

bool gradient_pays(const struct pixmap *p, const struct rect *r)
{
	uint64_t gradient = 0, plain = 0;

	for (int32_t y = r->y + 1; y < r->y + r->h; y += EACH_ROW) {
		const uint32_t *row = pixmap_at(p, r->x, y), *above = pixmap_at(p, r->x, y - 1);

		for (int32_t x = 1; x < r->w; x++) {
			plain += row[x] == row[x - 1] || row[x] == above[x] ? SEEN_BITS : NEW_BITS;
			gradient += pixel_bits(row[x], row[x - 1], above[x], above[x - 1]);
		}
	}
	return gradient < plain;
}
