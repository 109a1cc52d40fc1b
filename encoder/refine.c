/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Damage is what somebody drew, a change is what a viewer would see. Tiles are compared with the sent
 * picture, which is faster than hashing (both pictures are read once, at memory speed) and never wrong, and
 * shrunk to the box that differs.
 */
#include "base/mem.h"
#include "encoder/encoder_priv.h"

static struct tile_box compare(
	const struct encoder *e, const struct pixmap *screen, const struct rect *r, int32_t tx, int32_t ty)
{
	int32_t x0 = INT32_MAX, x1 = -1, y0 = -1, y1 = -1;

	for (int32_t y = r->y; y < r->y + r->h; y++) {
		int32_t first, last;

		if (!e->dsp->diff_row(
			    pixmap_at(screen, r->x, y), encoder_row(e, r->x, y), r->w, &first, &last))
			continue;
		x0 = PST_MIN(x0, first);
		x1 = PST_MAX(x1, last);
		y0 = y0 < 0 ? y : y0;
		y1 = y;
	}
	if (x1 < 0)
		return (struct tile_box){ 0, 0, 0, 0 };

	const struct rect diff = { r->x + x0, y0, x1 - x0 + 1, y1 - y0 + 1 };

	return box_of(&diff, tx, ty);
}

void refine_tile(struct encoder *e, const struct pixmap *screen, int32_t column, int32_t row)
{
	struct tile *t = tiles_at(&e->tiles, column, row);
	int32_t tx = column * TILE_SIDE, ty = row * TILE_SIDE;
	struct rect damaged = box_rect(&t->damage, tx, ty);

	t->change = (struct tile_box){ 0, 0, 0, 0 };
	if (t->is_forced)
		t->change = t->damage;
	else if (!box_is_empty(&t->damage))
		t->change = compare(e, screen, &damaged, tx, ty);
	e->stats.unchanged_pixels += (uint64_t)(rect_area(&damaged) - (t->change.x1 - t->change.x0) *
									      (t->change.y1 - t->change.y0));
	t->damage = (struct tile_box){ 0, 0, 0, 0 };
}

int64_t refine_all(struct encoder *e, const struct pixmap *screen)
{
	int64_t changed = 0;

	for (int32_t row = 0; row < e->tiles.rows; row++) {
		for (int32_t column = 0; column < e->tiles.columns; column++) {
			struct tile *t = tiles_at(&e->tiles, column, row);

			refine_tile(e, screen, column, row);
			changed += (t->change.x1 - t->change.x0) * (t->change.y1 - t->change.y0);
		}
	}
	return changed;
}
