/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rarest pixel of a small change is looked up in the sent picture, from its own rows outwards; what
 * surrounds each hit is compared. */
#include "encoder/twin.h"

#include "base/err.h"
#include "base/mem.h"
#include "encoder/encoder_priv.h"
#include "encoder/motion.h"

#define CHANGES_MAX 4 /* more at once is no echo of a key */
#define SIDE_MAX 128
#define AREA_MIN 24 /* smaller ones cost less than a copy does */
#define AREA_MAX 2048
#define WIDTH_MIN 4            /* of the part that a copy brings */
#define SAMPLES_MAX 256        /* pixels among which the rarest is sought */
#define SCAN_MAX (1024 * 1024) /* pixels that are searched: about 0.1 ms */
#define HITS_MAX 512

struct twin {
	struct rect box;     /* the change */
	int32_t ax, ay;      /* its anchor on the screen */
	uint32_t colours[4]; /* the anchor's, four times */
	int32_t x, y;        /* the best source so far, of the columns from the box's left edge */
	int32_t width;
	int hits;
};

static bool is_plain(const struct encoder *e, const struct pixmap *screen, const struct rect *r)
{
	uint32_t first = *pixmap_at(screen, r->x, r->y);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		if (!e->dsp->is_colour(pixmap_at(screen, r->x, y), r->w, first))
			return false;
	return true;
}

/* Mid tones are what antialiasing leaves at the edge of a letter: rare elsewhere. */
static uint32_t plainness(uint32_t colour)
{
	int32_t green = (int32_t)(colour >> 8 & 0xff);

	return (uint32_t)(green < 128 ? 128 - green : green - 128);
}

/* The pixel of the box's left half whose colour is seen least in it. */
static void choose_anchor(const struct pixmap *screen, struct twin *t)
{
	const struct rect *b = &t->box;
	int32_t w = (b->w + 1) / 2, step = 1 + w * b->h / SAMPLES_MAX, n = 0;
	uint32_t px[SAMPLES_MAX], best = UINT32_MAX;
	int32_t at[SAMPLES_MAX];

	for (int32_t i = 0; i < w * b->h && n < SAMPLES_MAX; i += step, n++) {
		px[n] = *pixmap_at(screen, b->x + i % w, b->y + i / w) & DSP_RGB;
		at[n] = i;
	}
	for (int32_t i = 0; i < n; i++) {
		uint32_t seen = 0, score;

		for (int32_t k = 0; k < n; k++)
			seen += px[k] == px[i];
		score = seen * 256 + plainness(px[i]);
		if (score >= best)
			continue;
		best = score;
		t->ax = b->x + at[i] % w;
		t->ay = b->y + at[i] / w;
		t->colours[0] = t->colours[1] = t->colours[2] = t->colours[3] = px[i];
	}
}

/* How many columns from the left edge are the same in every row. */
static int32_t common_width(
	const struct encoder *e, const struct pixmap *screen, const struct twin *t, int32_t x, int32_t y)
{
	int32_t width = t->box.w, first, last;

	for (int32_t i = 0; i < t->box.h && width > t->width; i++)
		if (e->dsp->diff_row(pixmap_at(screen, t->box.x, t->box.y + i), encoder_row(e, x, y + i),
			    width, &first, &last))
			width = first;
	return width;
}

static bool is_exact(const struct encoder *e, const struct rect *r)
{
	struct rect span = tiles_span(r), common;

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);
			struct rect lossy = box_rect(&t->lossy, column * TILE_SIDE, row * TILE_SIDE);

			if (!box_is_empty(&t->lossy) && rect_intersect(&lossy, r, &common))
				return false;
		}
	}
	return true;
}

/* A hit at x, y of the sent picture: keeps it when more columns fit than at the best before. */
static void try_hit(
	const struct encoder *e, const struct pixmap *screen, struct twin *t, int32_t x, int32_t y)
{
	struct rect from = { x - t->ax + t->box.x, y - t->ay + t->box.y, t->box.w, t->box.h };
	int32_t width;

	t->hits++;
	if (from.x < 0 || from.y < 0 || from.x + from.w > e->tiles.width || from.y + from.h > e->tiles.height)
		return;
	width = common_width(e, screen, t, from.x, from.y);
	from.w = width;
	if (width <= t->width || !is_exact(e, &from))
		return;
	t->x = from.x;
	t->y = from.y;
	t->width = width;
}

static void search_row(const struct encoder *e, const struct pixmap *screen, struct twin *t, int32_t y)
{
	const uint32_t *row;

	if (y < 0 || y >= e->tiles.height)
		return;
	row = encoder_row(e, 0, y);
	for (int32_t x = 0; x < e->tiles.width && t->hits < HITS_MAX && t->width < t->box.w; x++) {
		x = e->dsp->find_any4(row, x, e->tiles.width, t->colours);
		if (x < e->tiles.width)
			try_hit(e, screen, t, x, y);
	}
}

/* Copies the box, or what of it stands left of a caret; the rest stays a change. */
static int copy_twin(struct encoder *e, const struct pixmap *screen, const struct rect *box)
{
	struct twin t = { .box = *box };
	int32_t rows = PST_MAX(1, SCAN_MAX / e->tiles.width / 2);
	struct rect part;

	if (rect_area(box) < AREA_MIN || rect_area(box) > AREA_MAX || box->w > SIDE_MAX ||
		box->h > SIDE_MAX || is_plain(e, screen, box))
		return 0;
	choose_anchor(screen, &t);
	search_row(e, screen, &t, t.ay);
	for (int32_t away = 1; away < rows && t.hits < HITS_MAX && t.width < box->w; away++) {
		search_row(e, screen, &t, t.ay - away);
		search_row(e, screen, &t, t.ay + away);
	}
	part = (struct rect){ box->x, box->y, t.width, box->h };
	if (t.width < WIDTH_MIN || t.width * 2 < box->w || rect_area(&part) < AREA_MIN ||
		is_plain(e, screen, &part))
		return 0;
	return motion_copy(e, screen, &part, t.x, t.y);
}

/* The changed boxes; -1 when there are more than CHANGES_MAX, or one is forced. */
static int collect(const struct encoder *e, struct rect boxes[CHANGES_MAX], struct rect *hull, int64_t *area)
{
	int n = 0;

	for (int32_t row = 0; row < e->tiles.rows; row++) {
		for (int32_t column = 0; column < e->tiles.columns; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);

			if (box_is_empty(&t->change))
				continue;
			if (n == CHANGES_MAX || t->is_forced)
				return -1;
			boxes[n] = box_rect(&t->change, column * TILE_SIDE, row * TILE_SIDE);
			*hull = n ? rect_union(hull, &boxes[n]) : boxes[n];
			*area += rect_area(&boxes[n]);
			n++;
		}
	}
	return n;
}

int twin_search(struct encoder *e, const struct pixmap *screen)
{
	struct rect boxes[CHANGES_MAX], hull;
	int64_t area = 0;
	int n = collect(e, boxes, &hull, &area), rc = 0;

	/* A letter on the border of tiles is one change. */
	if (n > 1 && area * 2 >= rect_area(&hull))
		return copy_twin(e, screen, &hull);
	for (int i = 0; i < n && rc == 0; i++)
		rc = copy_twin(e, screen, &boxes[i]);
	return rc;
}
