/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Motion by content. Votes first: rows of 64 pixels, hashed in a few tile columns of the screen and of the
 * sent picture, vote for a vertical shift. Where few rows agree, some rare pixels of the screen are looked up
 * in the sent picture and vote for a shift in both directions (a dragged window). The winners are then
 * verified and grown to rectangles.
 */
#include "encoder/motion.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "encoder/encoder_priv.h"

#define COLUMNS_MAX 8 /* tile columns that vote */
#define VOTES_MIN 8   /* rows that must agree */
#define RUN_MIN 12    /* rows of a run that is worth a rectangle */
#define GAIN_MIN 2048 /* changed pixels that a copy must save: 8 KB */
#define ANCHORS 4
#define SAMPLES 12
#define ANCHOR_LEN 12 /* pixels that must match at an anchor */
#define ANCHOR_HITS_MAX 4096
#define ANCHOR_AREA_MAX (3 * 1024 * 1024) /* pixels that are scanned for anchors */
#define RECTS_MAX 32

struct vector {
	int32_t dx, dy; /* the source is at the destination plus this */
};

struct row_slot {
	uint64_t hash;
	int32_t row; /* -1: the hash was seen more than once and votes for nothing */
};

struct motion {
	int32_t width, height;
	struct row_slot *slots;
	uint32_t slots_mask;
	int32_t *votes; /* by dy + height */
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
	if (!m->slots || !m->votes) {
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

static struct row_slot *slot_for(struct motion *m, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & m->slots_mask;

	while (m->slots[at].hash && m->slots[at].hash != hash)
		at = (at + 1) & m->slots_mask;
	return &m->slots[at];
}

/* Zero marks a free slot, and rows of one colour are left out: they look the same everywhere. */
static uint64_t vote_hash(const struct encoder *e, const uint32_t *row)
{
	if (e->dsp->is_colour(row, TILE_SIDE, row[0]))
		return 0;
	return e->dsp->hash_row(row, TILE_SIDE) | 1;
}

static void vote_column(
	struct encoder *e, const struct pixmap *screen, int32_t column, const struct rect *bounds)
{
	struct motion *m = e->motion;
	int32_t x = column * TILE_SIDE, bottom = bounds->y + bounds->h;

	memset(m->slots, 0, ((size_t)m->slots_mask + 1) * sizeof(*m->slots));
	for (int32_t y = bounds->y; y < bottom; y++) {
		uint64_t hash = vote_hash(e, encoder_row(e, x, y));
		struct row_slot *slot = hash ? slot_for(m, hash) : NULL;

		if (slot) {
			slot->row = slot->hash ? -1 : y;
			slot->hash = hash;
		}
	}
	for (int32_t y = bounds->y; y < bottom; y++) {
		uint64_t hash = vote_hash(e, pixmap_at(screen, x, y));
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

struct anchor {
	int32_t x, y;
	const uint32_t *row; /* ANCHOR_LEN pixels of the screen */
};

/* Colours of a grid of places in the changed area: what is common there (paper, a background) leads nowhere.
 */
struct samples {
	uint32_t px[SAMPLES * SAMPLES];
};

static void take_samples(const struct pixmap *screen, const struct rect *b, struct samples *ret)
{
	for (int32_t j = 0; j < SAMPLES; j++)
		for (int32_t i = 0; i < SAMPLES; i++)
			ret->px[j * SAMPLES + i] =
				*pixmap_at(screen, b->x + i * b->w / SAMPLES, b->y + j * b->h / SAMPLES) &
				DSP_RGB;
}

static bool is_rare(const struct samples *s, uint32_t colour)
{
	int seen = 0;

	for (int32_t i = 0; i < SAMPLES * SAMPLES; i++)
		seen += s->px[i] == (colour & DSP_RGB);
	return seen <= 1;
}

static bool is_anchor(const struct encoder *e, const struct samples *s, const uint32_t *row)
{
	uint32_t equal = 0, soft = 0;

	e->dsp->slopes(row, ANCHOR_LEN, &equal, &soft);
	return equal < ANCHOR_LEN / 2 && is_rare(s, row[0]);
}

/* The first place with detail and a rare colour, from the quarter's middle downwards. */
static bool find_anchor(const struct encoder *e, const struct pixmap *screen, const struct samples *s,
	const struct rect *quarter, struct anchor *ret)
{
	for (int32_t y = quarter->y + quarter->h / 2; y < quarter->y + quarter->h; y += 3) {
		for (int32_t x = quarter->x + quarter->w / 4; x + ANCHOR_LEN <= quarter->x + quarter->w;
			x += 4) {
			const uint32_t *row = pixmap_at(screen, x, y);

			if (!is_anchor(e, s, row))
				continue;
			*ret = (struct anchor){ x, y, row };
			return true;
		}
	}
	return false;
}

static size_t choose_anchors(const struct encoder *e, const struct pixmap *screen, const struct rect *b,
	struct anchor ret[ANCHORS])
{
	struct samples s;
	size_t n = 0;

	take_samples(screen, b, &s);
	for (int i = 0; i < ANCHORS; i++) {
		struct rect quarter = { b->x + (i & 1) * b->w / 2, b->y + (i >> 1) * b->h / 2, b->w / 2,
			b->h / 2 };

		n += find_anchor(e, screen, &s, &quarter, &ret[n]);
	}
	return n;
}

struct tally {
	struct vector v;
	int32_t hits;
};

/* Counts a shift in a short list; a full list takes no new ones. */
static void count_shift(struct tally *list, size_t cap, size_t *len, struct vector v)
{
	for (size_t i = 0; i < *len; i++) {
		if (list[i].v.dx == v.dx && list[i].v.dy == v.dy) {
			list[i].hits++;
			return;
		}
	}
	if (*len < cap)
		list[(*len)++] = (struct tally){ v, 1 };
}

struct anchor_search {
	struct anchor anchors[ANCHORS];
	size_t n;
	uint32_t colours[4];
	struct tally list[64];
	size_t len;
	int32_t hits;
};

static void look_up_row(struct encoder *e, struct anchor_search *s, const struct rect *bounds, int32_t y)
{
	const uint32_t *row = encoder_row(e, 0, y);
	int32_t end = bounds->x + bounds->w - ANCHOR_LEN;

	for (int32_t x = bounds->x; x < end && s->hits < ANCHOR_HITS_MAX; x++) {
		x = e->dsp->find_any4(row, x, end, s->colours);
		if (x >= end)
			return;
		s->hits++;
		for (size_t i = 0; i < s->n; i++)
			if (e->dsp->same_row(row + x, s->anchors[i].row, ANCHOR_LEN))
				count_shift(s->list, PST_ARRAY_LEN(s->list), &s->len,
					(struct vector){ x - s->anchors[i].x, y - s->anchors[i].y });
	}
}

/* The shift on which at least two anchors agree. */
static bool vote_anchors(
	struct encoder *e, const struct pixmap *screen, const struct rect *bounds, struct vector *ret)
{
	struct anchor_search s = { .len = 0 };
	int32_t best = 1;

	if (rect_area(bounds) > ANCHOR_AREA_MAX || bounds->w < 2 * TILE_SIDE || bounds->h < TILE_SIDE)
		return false;
	s.n = choose_anchors(e, screen, bounds, s.anchors);
	if (s.n < 2)
		return false;
	for (size_t i = 0; i < 4; i++)
		s.colours[i] = s.anchors[i < s.n ? i : 0].row[0] & DSP_RGB;
	for (int32_t y = bounds->y; y < bounds->y + bounds->h && s.hits < ANCHOR_HITS_MAX; y++)
		look_up_row(e, &s, bounds, y);

	for (size_t i = 0; i < s.len; i++) {
		if (s.list[i].hits > best && (s.list[i].v.dx || s.list[i].v.dy)) {
			best = s.list[i].hits;
			*ret = s.list[i].v;
		}
	}
	return best > 1;
}

static bool matches(const struct encoder *e, const struct pixmap *screen, int32_t x, int32_t y, int32_t w,
	struct vector v)
{
	return e->dsp->same_row(pixmap_at(screen, x, y), encoder_row(e, x + v.dx, y + v.dy), w);
}

/* Continues a rectangle of the column before when three quarters of the shorter one's rows agree, else starts
 * one. */
static void add_run(struct run_rect *list, size_t *len, int32_t column, const struct rect *run)
{
	for (size_t i = 0; i < *len; i++) {
		struct rect *r = &list[i].r;
		int32_t y0 = PST_MAX(r->y, run->y), y1 = PST_MIN(r->y + r->h, run->y + run->h);

		if (list[i].next_column != column || (y1 - y0) * 4 < PST_MIN(r->h, run->h) * 3)
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

/* Runs of matching rows in one tile column. */
static void scan_column(const struct encoder *e, const struct pixmap *screen, const struct rect *area,
	int32_t column, struct vector v, struct run_rect *list, size_t *len)
{
	int32_t x0 = PST_MAX(area->x, column * TILE_SIDE),
		x1 = PST_MIN(area->x + area->w, (column + 1) * TILE_SIDE);
	int32_t bottom = area->y + area->h, start = area->y;

	for (int32_t y = area->y; y <= bottom; y++) {
		if (y < bottom && matches(e, screen, x0, y, x1 - x0, v))
			continue;
		if (y - start >= RUN_MIN) {
			const struct rect run = { x0, start, x1 - x0, y - start };

			add_run(list, len, column, &run);
		}
		start = y + 1;
	}
}

/* How many columns right of x (step 1) or left of it (step -1) match in every row of r: at most a tile's
 * side. */
static int32_t widen(const struct encoder *e, const struct pixmap *screen, const struct rect *r, int32_t x,
	int32_t step, struct vector v)
{
	int32_t grown = 0;

	for (; grown < TILE_SIDE; grown++, x += step) {
		if (x < 0 || x >= e->tiles.width || x + v.dx < 0 || x + v.dx >= e->tiles.width)
			break;
		for (int32_t y = r->y; y < r->y + r->h; y++)
			if (!matches(e, screen, x, y, 1, v))
				return grown;
	}
	return grown;
}

/* Moves rows within the sent picture; the order keeps an overlapping source whole. */
static void move_pixels(struct encoder *e, const struct rect *r, struct vector v)
{
	for (int32_t i = 0; i < r->h; i++) {
		int32_t y = v.dy < 0 ? r->y + r->h - 1 - i : r->y + i;

		memmove(encoder_row(e, r->x, y), encoder_row(e, r->x + v.dx, y + v.dy), (size_t)r->w * 4);
	}
}

/* What a copy has made equal is no change any more; what it has made different becomes one. */
static void compare_again(struct encoder *e, const struct pixmap *screen, const struct rect *r)
{
	struct rect span = tiles_span(r);

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct tile *t = tiles_at(&e->tiles, column, row);
			struct tile_box touched = box_of(r, column * TILE_SIDE, row * TILE_SIDE);

			box_add(&t->change, &touched);
			t->damage = t->change;
			refine_tile(e, screen, column, row);
		}
	}
}

static int copy_rect(struct encoder *e, const struct pixmap *screen, struct rect r, struct vector v)
{
	int32_t left = widen(e, screen, &r, r.x - 1, -1, v), right = widen(e, screen, &r, r.x + r.w, 1, v);
	struct op *op;

	r.x -= left;
	r.w += left + right;
	if (gain_of(e, &r) < GAIN_MIN)
		return 0;
	op = encoder_add_op(e, OP_COPY, OP_CLASS_TEXT, &r);
	if (!op)
		return PST_ENOMEM;

	op->copy.x = r.x + v.dx;
	op->copy.y = r.y + v.dy;
	move_pixels(e, &r, v);
	tiles_copy_marks(&e->tiles, &r, op->copy.x, op->copy.y);
	compare_again(e, screen, &r);
	return 1;
}

/* Verifies a shift over the whole changed area. Returns the copies made, or negative. */
static int try_vector(
	struct encoder *e, const struct pixmap *screen, const struct rect *bounds, struct vector v)
{
	struct run_rect list[RECTS_MAX];
	struct rect area;
	size_t len = 0;
	int made = 0;

	if ((!v.dx && !v.dy) || !movable(e, bounds, v, &area))
		return 0;
	for (int32_t column = area.x / TILE_SIDE; column * TILE_SIDE < area.x + area.w; column++)
		if (column_change(e, column, bounds) >= GAIN_MIN / 8)
			scan_column(e, screen, &area, column, v, list, &len);

	/* A copy changes what the next one would read: only the first is sure, the others are compared once
	 * more. */
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
	for (size_t i = 0; i < n; i++)
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
	if (vote_anchors(e, screen, &bounds, &v))
		rc = try_vector(e, screen, &bounds, v);
	return rc < 0 ? rc : 0;
}
