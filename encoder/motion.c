/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Motion by content. Votes first: rows of 64 pixels, hashed in a few tile columns of the screen and of the
 * sent picture, vote for a vertical shift. Where few rows agree, anchors
 * vote for a shift in both directions (a dragged window). The winners are then verified and grown to
 * rectangles.
 */
#include "encoder/motion.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "encoder/anchor.h"
#include "encoder/encoder_priv.h"

#define COLUMNS_MAX 6 /* tile columns that vote */
#define ROWS_FEW 384  /* in taller areas only each third row of the screen votes */
#define AHEAD \
	6 /* rows that are fetched before they are hashed: a column is read against the grain of memory */
#define VOTES_MIN 8   /* rows that must agree */
#define VOTES_MANY 32 /* after which no more are asked, when four times as many as for any other shift */
#define RUN_MIN 12    /* rows of a run that is worth a rectangle */
#define GAIN_MIN 2048 /* changed pixels that a copy must save: 8 KB */
#define RECTS_MAX 32

struct row_slot {
	uint64_t hash;
	int32_t row; /* -1: the hash was seen more than once and votes for nothing */
};

struct motion {
	int32_t width, height;
	struct row_slot *slots;
	uint32_t slots_mask;
	int32_t *votes; /* by dy + height */
	uint8_t *match; /* by tile column and row of pixels: they match under the shift that is tried */
};

struct run_rect {
	struct rect r;
	int32_t next_column; /* the tile column that would continue it */
};

struct motion *motion_create(int32_t width, int32_t height)
{
	struct motion *m = pst_zalloc(1, sizeof(*m));
	uint32_t slots = 64;

	if (!m)
		return NULL;
	while (slots < (uint32_t)height * 2)
		slots *= 2;
	m->width = width;
	m->height = height;
	m->slots_mask = slots - 1;
	m->slots = pst_zalloc(slots, sizeof(*m->slots));
	m->votes = pst_zalloc((size_t)height * 2 + 1, sizeof(*m->votes));
	m->match = pst_zalloc((size_t)((width + TILE_SIDE - 1) / TILE_SIDE) * (size_t)height, 1);
	if (!m->slots || !m->votes || !m->match) {
		motion_destroy(m);
		return NULL;
	}
	return m;
}

void motion_destroy(struct motion *m)
{
	if (!m)
		return;

	free(m->slots);
	free(m->votes);
	free(m->match);
	free(m);
}

static int32_t change_area(const struct tile *t)
{
	return t->is_forced ? 0 : (t->change.x1 - t->change.x0) * (t->change.y1 - t->change.y0);
}

/* The hull of all changes that take part. */
static struct rect changed_bounds(const struct encoder *e)
{
	struct rect hull = { 0, 0, 0, 0 };

	for (int32_t row = 0; row < e->tiles.rows; row++) {
		for (int32_t column = 0; column < e->tiles.columns; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);

			if (change_area(t)) {
				struct rect r = box_rect(&t->change, column * TILE_SIDE, row * TILE_SIDE);

				hull = rect_union(&hull, &r);
			}
		}
	}
	return hull;
}

/* Changed pixels (of boxes) within r. */
static int64_t gain_of(const struct encoder *e, const struct rect *r)
{
	struct rect span = tiles_span(r), in;
	int64_t gain = 0;

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);
			struct rect box = box_rect(&t->change, column * TILE_SIDE, row * TILE_SIDE);

			if (change_area(t) && rect_intersect(&box, r, &in))
				gain += rect_area(&in);
		}
	}
	return gain;
}

static int64_t column_change(const struct encoder *e, int32_t column, const struct rect *bounds)
{
	const struct rect strip = { column * TILE_SIDE, bounds->y,
		PST_MIN(TILE_SIDE, e->tiles.width - column * TILE_SIDE), bounds->h };

	return gain_of(e, &strip);
}

/* The whole tile columns with the most change, at most COLUMNS_MAX. */
static size_t choose_columns(
	const struct encoder *e, const struct rect *bounds, int32_t ret_columns[COLUMNS_MAX])
{
	int64_t change[COLUMNS_MAX];
	size_t n = 0;

	for (int32_t column = bounds->x / TILE_SIDE; column * TILE_SIDE < bounds->x + bounds->w; column++) {
		int64_t c = column_change(e, column, bounds);
		size_t at = n;

		if (c < GAIN_MIN / 4 || (column + 1) * TILE_SIDE > e->tiles.width)
			continue;
		if (n == COLUMNS_MAX && c <= change[n - 1])
			continue;
		if (n == COLUMNS_MAX)
			at--;
		else
			n++;
		while (at > 0 && change[at - 1] < c) {
			change[at] = change[at - 1];
			ret_columns[at] = ret_columns[at - 1];
			at--;
		}
		change[at] = c;
		ret_columns[at] = column;
	}
	return n;
}

/* Asks for the part of a row that is hashed some rows later. */
static void fetch_row(const uint32_t *row, int32_t y, int32_t bottom, size_t stride)
{
	if (y + AHEAD >= bottom)
		return;
	for (size_t i = 0; i < TILE_SIDE; i += 16)
		__builtin_prefetch(row + (size_t)AHEAD * (stride / 4) + i);
}

static struct row_slot *slot_for(struct motion *m, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & m->slots_mask;

	while (m->slots[at].hash && m->slots[at].hash != hash)
		at = (at + 1) & m->slots_mask;
	return &m->slots[at];
}

/* A hash of zero, which rows of one colour have, marks a free slot: they look the same everywhere. */
static void vote_column(
	struct encoder *e, const struct pixmap *screen, int32_t column, const struct rect *bounds)
{
	struct motion *m = e->motion;
	int32_t x = column * TILE_SIDE, bottom = bounds->y + bounds->h, step = bounds->h > ROWS_FEW ? 3 : 1;

	memset(m->slots, 0, ((size_t)m->slots_mask + 1) * sizeof(*m->slots));
	for (int32_t y = bounds->y; y < bottom; y++) {
		const uint32_t *at = encoder_row(e, x, y);
		uint64_t hash = e->dsp->hash_row(at, TILE_SIDE);
		struct row_slot *slot = hash ? slot_for(m, hash) : NULL;

		fetch_row(at, y, bottom, e->sent_view.stride);
		if (slot) {
			slot->row = slot->hash ? -1 : y;
			slot->hash = hash;
		}
	}
	for (int32_t y = bounds->y; y < bottom; y += step) {
		uint64_t hash = e->dsp->hash_row(pixmap_at(screen, x, y), TILE_SIDE);
		const struct row_slot *slot = hash ? slot_for(m, hash) : NULL;

		if (slot && slot->hash && slot->row >= 0 && slot->row != y)
			m->votes[slot->row - y + m->height]++;
	}
}

/* The shift with the most votes, which are then cleared so that the next call gives the next one. */
static bool best_vote(struct motion *m, struct vector *ret)
{
	int32_t best = 0;

	for (int32_t i = 1; i <= m->height * 2; i++)
		if (m->votes[i] > m->votes[best])
			best = i;
	if (m->votes[best] < VOTES_MIN)
		return false;

	m->votes[best] = 0;
	*ret = (struct vector){ 0, best - m->height };
	return true;
}

/* So many rows agree that further columns would say the same. */
static bool is_decided(const struct motion *m)
{
	int32_t best = 0, second = 0;

	for (int32_t i = 0; i <= m->height * 2; i++) {
		second = PST_MAX(second, PST_MIN(m->votes[i], best));
		best = PST_MAX(best, m->votes[i]);
	}
	return best >= VOTES_MANY && best >= 4 * second;
}

static bool matches(const struct encoder *e, const struct pixmap *screen, int32_t x, int32_t y, int32_t w,
	struct vector v)
{
	return e->dsp->same_row(pixmap_at(screen, x, y), encoder_row(e, x + v.dx, y + v.dy), w);
}

/* Continues a rectangle of the column before when three quarters of the longer one's rows agree, else starts
 * one. */
static void add_run(struct run_rect *list, size_t *len, int32_t column, const struct rect *run)
{
	for (size_t i = 0; i < *len; i++) {
		struct rect *r = &list[i].r;
		int32_t y0 = PST_MAX(r->y, run->y), y1 = PST_MIN(r->y + r->h, run->y + run->h);

		if (list[i].next_column != column || (y1 - y0) * 4 < PST_MAX(r->h, run->h) * 3)
			continue;
		*r = (struct rect){ r->x, y0, run->x + run->w - r->x, y1 - y0 };
		list[i].next_column = column + 1;
		return;
	}
	if (*len < RECTS_MAX)
		list[(*len)++] = (struct run_rect){ *run, column + 1 };
}

/* The area within bounds whose source lies on the screen. */
static bool movable(const struct encoder *e, const struct rect *bounds, struct vector v, struct rect *ret)
{
	const struct rect from = { -v.dx, -v.dy, e->tiles.width, e->tiles.height };

	return rect_intersect(bounds, &from, ret);
}

/* The part of a tile column that lies in the area. */
static struct rect column_part(const struct rect *area, int32_t column)
{
	int32_t x0 = PST_MAX(area->x, column * TILE_SIDE),
		x1 = PST_MIN(area->x + area->w, (column + 1) * TILE_SIDE);

	return (struct rect){ x0, area->y, x1 - x0, area->h };
}

/* Row after row, which is how memory is read fastest. */
static void match_columns(struct encoder *e, const struct pixmap *screen, const struct rect *area,
	const int32_t *columns, size_t n, struct vector v)
{
	for (int32_t y = area->y; y < area->y + area->h; y++) {
		for (size_t i = 0; i < n; i++) {
			struct rect part = column_part(area, columns[i]);

			e->motion->match[(size_t)columns[i] * (size_t)e->motion->height + (size_t)y] =
				matches(e, screen, part.x, y, part.w, v);
		}
	}
}

/* Runs of matching rows in one tile column. */
static void scan_column(
	const struct encoder *e, const struct rect *area, int32_t column, struct run_rect *list, size_t *len)
{
	const uint8_t *match = e->motion->match + (size_t)column * (size_t)e->motion->height;
	struct rect run = column_part(area, column);
	int32_t bottom = area->y + area->h, start = area->y;

	for (int32_t y = area->y; y <= bottom; y++) {
		if (y < bottom && match[y])
			continue;
		run.y = start;
		run.h = y - start;
		if (run.h >= RUN_MIN)
			add_run(list, len, column, &run);
		start = y + 1;
	}
}

/* How many columns right of r match in every row: at most a tile's side. A row is looked at only as far as
 * all before it match. */
static int32_t widen_right(
	const struct encoder *e, const struct pixmap *screen, const struct rect *r, struct vector v)
{
	int32_t x = r->x + r->w, room = e->tiles.width - x - PST_MAX(v.dx, 0),
		grown = PST_MIN(TILE_SIDE, room), first, last;

	for (int32_t y = r->y; y < r->y + r->h && grown > 0; y++)
		if (e->dsp->diff_row(pixmap_at(screen, x, y), encoder_row(e, x + v.dx, y + v.dy), grown,
			    &first, &last))
			grown = first;
	return PST_MAX(grown, 0);
}

/* The same left of it. */
static int32_t widen_left(
	const struct encoder *e, const struct pixmap *screen, const struct rect *r, struct vector v)
{
	int32_t room = r->x + PST_MIN(v.dx, 0), grown = PST_MIN(TILE_SIDE, room), first, last;

	for (int32_t y = r->y; y < r->y + r->h && grown > 0; y++)
		if (e->dsp->diff_row(pixmap_at(screen, r->x - grown, y),
			    encoder_row(e, r->x - grown + v.dx, y + v.dy), grown, &first, &last))
			grown -= last + 1;
	return PST_MAX(grown, 0);
}

/* Moves rows within the sent picture; the order keeps an overlapping source whole. */
static void move_pixels(struct encoder *e, const struct rect *r, struct vector v)
{
	for (int32_t i = 0; i < r->h; i++) {
		int32_t y = v.dy < 0 ? r->y + r->h - 1 - i : r->y + i;

		memmove(encoder_row(e, r->x, y), encoder_row(e, r->x + v.dx, y + v.dy), (size_t)r->w * 4);
	}
}

/* What of the box r does not cover, as a box. */
static struct rect without(const struct rect *box, const struct rect *r)
{
	int32_t x0 = box->x, y0 = box->y, x1 = box->x + box->w, y1 = box->y + box->h;
	int32_t rx1 = r->x + r->w, ry1 = r->y + r->h;

	if (r->x <= x0 && rx1 >= x1) {
		if (r->y <= y0)
			y0 = PST_CLAMP(ry1, y0, y1);
		if (ry1 >= y1)
			y1 = PST_CLAMP(r->y, y0, y1);
	} else if (r->y <= y0 && ry1 >= y1) {
		if (r->x <= x0)
			x0 = PST_CLAMP(rx1, x0, x1);
		if (rx1 >= x1)
			x1 = PST_CLAMP(r->x, x0, x1);
	}
	return (struct rect){ x0, y0, x1 - x0, y1 - y0 };
}

/* All of r has been seen to match: only what is left of the changes around it is compared once more, and
 * shrinks. */
static void compare_again(struct encoder *e, const struct pixmap *screen, const struct rect *r)
{
	struct rect span = tiles_span(r);

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct tile *t = tiles_at(&e->tiles, column, row);
			struct rect change = box_rect(&t->change, column * TILE_SIDE, row * TILE_SIDE);

			if (t->is_forced || box_is_empty(&t->change))
				continue;
			change = without(&change, r);
			t->damage = box_of(&change, column * TILE_SIDE, row * TILE_SIDE);
			refine_tile(e, screen, column, row);
		}
	}
}

int motion_copy(struct encoder *e, const struct pixmap *screen, const struct rect *r, int32_t from_x, int32_t from_y)
{
	struct op *op = encoder_add_op(e, OP_COPY, OP_CLASS_TEXT, r);

	if (!op)
		return PST_ENOMEM;
	op->copy.x = from_x;
	op->copy.y = from_y;
	move_pixels(e, r, (struct vector){ from_x - r->x, from_y - r->y });
	tiles_copy_marks(&e->tiles, r, from_x, from_y);
	compare_again(e, screen, r);
	return 0;
}

static int copy_rect(struct encoder *e, const struct pixmap *screen, struct rect r, struct vector v)
{
	int32_t left = widen_left(e, screen, &r, v), right = widen_right(e, screen, &r, v);
	int rc;

	r.x -= left;
	r.w += left + right;
	if (gain_of(e, &r) < GAIN_MIN)
		return 0;
	rc = motion_copy(e, screen, &r, r.x + v.dx, r.y + v.dy);
	return rc < 0 ? rc : 1;
}

/* Verifies a shift over the whole changed area. Returns the copies made, or negative. */
static int compare_area(const void *a, const void *b)
{
	int64_t x = rect_area(&((const struct run_rect *)a)->r), y = rect_area(&((const struct run_rect *)b)->r);

	return x < y ? 1 : x > y ? -1 : 0;
}

static int try_vector(
	struct encoder *e, const struct pixmap *screen, const struct rect *bounds, struct vector v)
{
	struct run_rect list[RECTS_MAX];
	struct rect area;
	int32_t columns[SCREEN_SIDE_MAX / TILE_SIDE];
	size_t len = 0, n = 0;
	int made = 0;

	if ((!v.dx && !v.dy) || !movable(e, bounds, v, &area))
		return 0;
	for (int32_t column = area.x / TILE_SIDE; column * TILE_SIDE < area.x + area.w; column++)
		if (column_change(e, column, bounds) >= GAIN_MIN / 8)
			columns[n++] = column;
	match_columns(e, screen, &area, columns, n, v);
	for (size_t i = 0; i < n; i++)
		scan_column(e, &area, columns[i], list, &len);

	/* A copy changes what the next one would read: only the first is sure, so it is the largest, and the
	 * others are compared once more. */
	qsort(list, len, sizeof(*list), compare_area);
	for (size_t i = 0; i < len; i++) {
		bool is_true = gain_of(e, &list[i].r) >= GAIN_MIN;
		int rc = 0;

		for (int32_t y = 0; y < list[i].r.h && is_true && made; y++)
			is_true = matches(e, screen, list[i].r.x, list[i].r.y + y, list[i].r.w, v);
		if (is_true)
			rc = copy_rect(e, screen, list[i].r, v);
		if (rc < 0)
			return rc;
		made += rc;
	}
	return made;
}

static int try_rows(struct encoder *e, const struct pixmap *screen, const struct rect *bounds)
{
	struct motion *m = e->motion;
	int32_t columns[COLUMNS_MAX];
	size_t n = choose_columns(e, bounds, columns);
	struct vector v;
	int made = 0;

	if (!n)
		return 0;
	memset(m->votes, 0, ((size_t)m->height * 2 + 1) * sizeof(*m->votes));
	for (size_t i = 0; i < n && !is_decided(m); i++)
		vote_column(e, screen, columns[i], bounds);
	for (int tries = 0; tries < 2 && best_vote(m, &v); tries++) {
		int rc = try_vector(e, screen, bounds, v);

		if (rc < 0)
			return rc;
		made += rc;
	}
	return made;
}

int motion_search(struct encoder *e, const struct pixmap *screen)
{
	struct rect bounds = changed_bounds(e), screen_rect = { 0, 0, e->tiles.width, e->tiles.height };
	struct vector v;
	int rc;

	if (gain_of(e, &screen_rect) < GAIN_MIN)
		return 0;

	rc = try_rows(e, screen, &bounds);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (anchor_vote(e, screen, &bounds, &v))
		rc = try_vector(e, screen, &bounds, v);
	return rc < 0 ? rc : 0;
}
