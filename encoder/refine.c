/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Damage is what somebody drew, a change is what a viewer would see. Tiles are compared with the sent
 * picture, which is faster than hashing (both pictures are read once, at memory speed) and never wrong, and
 * shrunk to the box that differs.
 */
#include "base/mem.h"
#include "encoder/encoder_priv.h"

struct comparison {
	const struct encoder *e;
	const struct pixmap *screen;
	const struct rect *r;
	int32_t x0, x1; /* outermost differing columns so far, from r's left edge */
};

/* Widens the outermost columns by what differs among n columns from `from` of row y. */
static bool compare_part(struct comparison *c, int32_t y, int32_t from, int32_t n)
{
	int32_t first, last;

	if (n <= 0 || !c->e->dsp->diff_row(pixmap_at(c->screen, c->r->x + from, y),
			      encoder_row(c->e, c->r->x + from, y), n, &first, &last))
		return false;
	c->x0 = PST_MIN(c->x0, from + first);
	c->x1 = PST_MAX(c->x1, from + last);
	return true;
}

/* The highest row that differs, the lowest one, and between them only the columns that are still in doubt:
 * where everything has changed, little of it is read. */
static struct tile_box compare(
	const struct encoder *e, const struct pixmap *screen, const struct rect *r, int32_t tx, int32_t ty)
{
	struct comparison c = { e, screen, r, INT32_MAX, -1 };
	int32_t y0 = r->y, y1 = r->y + r->h - 1;

	while (y0 <= y1 && !compare_part(&c, y0, 0, r->w))
		y0++;
	if (y0 > y1)
		return (struct tile_box){ 0, 0, 0, 0 };
	while (y1 > y0 && !compare_part(&c, y1, 0, r->w))
		y1--;
	for (int32_t y = y0 + 1; y < y1 && (c.x0 > 0 || c.x1 < r->w - 1); y++) {
		compare_part(&c, y, 0, c.x0);
		compare_part(&c, y, c.x1 + 1, r->w - 1 - c.x1);
	}

	const struct rect diff = { r->x + c.x0, y0, c.x1 - c.x0 + 1, y1 - y0 + 1 };

	return box_of(&diff, tx, ty);
}

struct tile_box refine_box(const struct encoder *e, const struct pixmap *screen, const struct tile_box *box, int32_t column, int32_t row)
{
	int32_t tx = column * TILE_SIDE, ty = row * TILE_SIDE;
	struct rect r = box_rect(box, tx, ty);

	return compare(e, screen, &r, tx, ty);
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
	e->stats.unchanged_pixels += (uint64_t)(rect_area(&damaged) - box_area(&t->change));
	t->damage = (struct tile_box){ 0, 0, 0, 0 };
}

int64_t refine_all(struct encoder *e, const struct pixmap *screen)
{
	int64_t changed = 0;

	for (int32_t row = 0; row < e->tiles.rows; row++) {
		for (int32_t column = 0; column < e->tiles.columns; column++) {
			struct tile *t = tiles_at(&e->tiles, column, row);

			refine_tile(e, screen, column, row);
			changed += box_area(&t->change);
		}
	}
	return changed;
}
