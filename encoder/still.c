/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks compared row by row; one that differs is not looked at again. */
#include "encoder/still.h"

#include <string.h>

#include "base/mem.h"

static int32_t blocks(int32_t side)
{
	return (side + STILL_SIDE - 1) / STILL_SIDE;
}

size_t still_count(int32_t w, int32_t h)
{
	return (size_t)blocks(w) * (size_t)blocks(h);
}

void still_find(
	const struct encoder *e, const struct pixmap *screen, const struct rect *r, uint8_t *ret_still)
{
	int32_t columns = blocks(r->w);

	memset(ret_still, 1, still_count(r->w, r->h));
	for (int32_t y = 0; y < r->h; y++) {
		const uint32_t *now = pixmap_at(screen, r->x, r->y + y),
			       *was = encoder_row(e, r->x, r->y + y);
		uint8_t *row = ret_still + (size_t)(y / STILL_SIDE) * (size_t)columns;

		for (int32_t i = 0; i < columns; i++) {
			int32_t x = i * STILL_SIDE;

			if (row[i])
				row[i] = e->dsp->same_row(now + x, was + x, PST_MIN(STILL_SIDE, r->w - x));
		}
	}
}

void still_clear(uint8_t *still, const struct rect *r, const struct rect *changed)
{
	struct rect in;

	if (!rect_intersect(r, changed, &in))
		return;
	for (int32_t row = (in.y - r->y) / STILL_SIDE; row * STILL_SIDE < in.y - r->y + in.h; row++)
		for (int32_t i = (in.x - r->x) / STILL_SIDE; i * STILL_SIDE < in.x - r->x + in.w; i++)
			still[(size_t)row * (size_t)blocks(r->w) + (size_t)i] = 0;
}

void still_take(struct encoder *e, const struct pixmap *screen, const struct rect *r, const uint8_t *still)
{
	int32_t columns = blocks(r->w), end;

	for (int32_t y = 0; y < r->h; y++) {
		const uint8_t *row = still + (size_t)(y / STILL_SIDE) * (size_t)columns;

		for (int32_t i = 0; i < columns; i = end + 1) {
			struct rect part = { r->x + i * STILL_SIDE, r->y + y, 0, 1 };

			for (end = i; end < columns && !row[end];)
				end++;
			part.w = PST_MIN(end * STILL_SIDE, r->w) - i * STILL_SIDE;
			if (end > i)
				encoder_take(e, screen, &part);
		}
	}
}
