/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours are counted, the frequent ones chosen, and what is left is gathered row of cells by row of cells. */
#include "encoder/codec/layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define RGB 0x00ffffffu
#define CELL 8        /* rows that are gathered at once */
#define GAP_MAX 24    /* columns between two letters of a box */
#define BOX_SHARE_MAX 4
#define LOOK_ROWS 16
#define BOX_AREA_MIN 4096 /* a known palette is good where there is a box for so many pixels at most */

struct colour_count {
	uint32_t colour, count;
};

static bool count_run(struct layers *l, uint32_t colour, uint32_t n, uint32_t *colours)
{
	uint32_t at = colour * 0x9e3779b1u >> 19;

	while (l->slots[at].key && l->slots[at].key != colour + 1)
		at = (at + 1) % LAYERS_SLOTS;
	*colours += !l->slots[at].key;
	l->slots[at].key = colour + 1;
	l->slots[at].count += n;
	return *colours <= LAYERS_COLOURS_MAX;
}

static bool count_colours(struct layers *l, const struct pixmap *p, const struct rect *r, uint32_t *ret_colours)
{
	memset(l->slots, 0, sizeof(l->slots));
	*ret_colours = 0;
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		const uint32_t *row = pixmap_at(p, r->x, y);

		for (int32_t x = 0, from = 0; x < r->w; from = x) {
			while (++x < r->w && !((row[x] ^ row[from]) & RGB))
				;
			if (!count_run(l, row[from] & RGB, (uint32_t)(x - from), ret_colours))
				return false;
		}
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct colour_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->colour < y->colour ? -1 : x->colour > y->colour;
}

static void choose_palette(struct layers *l)
{
	struct colour_count list[LAYERS_COLOURS_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < LAYERS_SLOTS; i++)
		if (l->slots[i].key)
			list[n++] = (struct colour_count){ l->slots[i].key - 1, l->slots[i].count };
	qsort(list, n, sizeof(*list), compare);
	palette_clear(&l->palette);
	for (size_t i = 0; i < PST_MIN(n, (size_t)PALETTE_MAX); i++)
		palette_add(&l->palette, list[i].colour, PALETTE_MAX);
}

static bool are_near(const struct rect *a, const struct rect *b)
{
	return a->x - GAP_MAX < b->x + b->w && b->x - GAP_MAX < a->x + a->w && b->y <= a->y + a->h + CELL;
}

/* Joins run to a box that it continues, on the same rows or below, where the hull wastes less than it saves. */
static bool add_run(struct layers *l, const struct rect *run)
{
	for (size_t i = l->boxes_len; i-- > 0;) {
		struct rect hull = rect_union(&l->boxes[i], run);

		if (!are_near(&l->boxes[i], run) || rect_area(&hull) > 2 * (rect_area(&l->boxes[i]) + rect_area(run)) + 256)
			continue;
		l->boxes[i] = hull;
		return true;
	}
	if (l->boxes_len == LAYERS_BOXES_MAX)
		return false;
	l->boxes[l->boxes_len++] = *run;
	return true;
}

/* Writes one row's indices, and gathers the pixels whose colours the palette lacks in runs that forgive gaps. */
static bool map_row(struct layers *l, const uint32_t *row, const struct rect *r, int32_t y, uint8_t *out)
{
	struct rect run = { 0, y, 0, 1 };
	int32_t index = 0;
	bool ok = true;

	for (int32_t x = 0; x < r->w && ok; x++) {
		if (x == 0 || ((row[x] ^ row[x - 1]) & RGB))
			index = palette_find(&l->palette, row[x] & RGB);
		out[x] = (uint8_t)PST_MAX(index, 0);
		if (index >= 0)
			continue;
		if (run.w && r->x + x - (run.x + run.w) > GAP_MAX) {
			ok = add_run(l, &run);
			run.w = 0;
		}
		if (!run.w)
			run.x = r->x + x;
		run.w = r->x + x - run.x + 1;
	}
	return ok && (!run.w || add_run(l, &run));
}

static int64_t boxes_area(const struct layers *l)
{
	int64_t area = 0;

	for (size_t i = 0; i < l->boxes_len; i++)
		area += rect_area(&l->boxes[i]);
	return area;
}

static bool map_all(struct layers *l, const struct pixmap *p, const struct rect *r, struct pst_buf *ret_indices)
{
	l->boxes_len = 0;
	pst_buf_reset(ret_indices);
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		uint8_t *out = pst_buf_reserve(ret_indices, (size_t)r->w);

		if (!out || !map_row(l, pixmap_at(p, r->x, y), r, y, out))
			return false;
		pst_buf_commit(ret_indices, (size_t)r->w);
		/* Boxes only grow: what is too much already need not be seen to its end. */
		if (y % LOOK_ROWS == 0 && boxes_area(l) * BOX_SHARE_MAX > rect_area(r))
			return false;
	}
	return boxes_area(l) * BOX_SHARE_MAX <= rect_area(r);
}

bool layers_find(struct layers *l, const struct pixmap *p, const struct rect *r, struct pst_buf *ret_indices)
{
	uint32_t colours;

	/* The next part of a page has the colours of the last. */
	if (l->palette.len == PALETTE_MAX && map_all(l, p, r, ret_indices) && l->boxes_len * BOX_AREA_MIN < (size_t)rect_area(r))
		return true;
	if (!count_colours(l, p, r, &colours) || colours <= PALETTE_MAX)
		return false;
	choose_palette(l);
	return map_all(l, p, r, ret_indices);
}
