/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces, joining, and the operations in their order: fills, text, pictures. */
#include "encoder/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "encoder/film.h"
#include "encoder/select.h"

#define LOSSY_QUALITY 75
#define LOSSY_QUALITY_MIN 20
#define LOSSY_QUALITY_FIRST 45 /* of a whole screen that nobody has seen: it is there in two thirds of the time, and exact soon after in any case */
#define LOSSY_AREA_MIN 256 /* pixels; less costs hardly more without loss */
#define EXACT_MS 25 /* of the path: as long as nobody sees */
#define REFINE_SLICE_BYTES \
	(512 * 1024)       /* per frame when nothing is known of the path: input and damage come between */
#define REFINE_SLICE_MS 20 /* of the path's rate, when that is known */

static size_t tile_count(const struct encoder *e)
{
	return (size_t)e->tiles.columns * (size_t)e->tiles.rows;
}

static struct rect tile_box_rect(const struct encoder *e, size_t i, const struct tile_box *box)
{
	int32_t columns = e->tiles.columns;

	return box_rect(
		box, (int32_t)(i % (size_t)columns) * TILE_SIDE, (int32_t)(i / (size_t)columns) * TILE_SIDE);
}

static bool is_film(const struct encoder *e, const struct piece *p)
{
	return (e->params.ops & OP_BIT(OP_LOSSY)) && encoder_is_film(e, tiles_at(&e->tiles, p->column, p->row), p->column, p->row);
}

static void fill_piece(struct encoder *e, size_t i, const struct rect *r, struct piece *p)
{
	p->rect = *r;
	p->is_gone = p->is_refine = false;
	p->quality = 0;
	p->column = (int32_t)(i % (size_t)e->tiles.columns);
	p->row = (int32_t)(i / (size_t)e->tiles.columns);
	classify_tile(e, &e->tiles.at[i], r, p);
	p->kind = OP_LOSSLESS;
	p->fill = *pixmap_at(&e->sent_view, r->x, r->y);
	if (p->klass == OP_CLASS_FLAT && (e->params.ops & OP_BIT(OP_FILL))) {
		p->kind = OP_FILL;
	} else if (encoder_is_lossy(e, p->klass) || (rect_area(r) >= LOSSY_AREA_MIN && is_film(e, p))) {
		p->kind = OP_LOSSY;
		p->quality = e->quality.now;
	}
}

static int add_pieces(struct encoder *e, size_t n, enum op_kind kind)
{
	for (size_t i = 0; i < n; i++) {
		const struct piece *p = &e->pieces[i];
		struct op *op;

		if (p->kind != kind)
			continue;
		op = encoder_add_op(e, kind, p->klass, &p->rect);
		if (!op)
			return PST_ENOMEM;
		op->is_refine = p->is_refine;
		if (kind == OP_FILL)
			op->fill = p->fill;
		if (kind == OP_LOSSY)
			op->quality = p->quality;
	}
	return 0;
}

/* Most of the screen is due, whatever it shows: a viewer's first picture, or the first after a new size. */
static bool is_first_picture(const struct encoder *e)
{
	size_t n = tile_count(e), forced = 0;

	for (size_t i = 0; i < n; i++)
		forced += e->tiles.at[i].is_forced;
	return forced > n / 2;
}

/* A narrow path gets a picture soon and a coarse one first: the refinement makes it exact in any case. */
static uint8_t first_quality(const struct encoder *e, uint32_t rate_kbps)
{
	int quality = e->params.lossy_quality ? e->params.lossy_quality : LOSSY_QUALITY;

	if (is_first_picture(e))
		quality = PST_MIN(quality, LOSSY_QUALITY_FIRST);

	if (rate_kbps && rate_kbps < 3000)
		quality -= 30;
	else if (rate_kbps && rate_kbps < 10000)
		quality -= 15;
	return (uint8_t)PST_CLAMP(quality, LOSSY_QUALITY_MIN, 100);
}

static void choose_quality(struct encoder *e, uint64_t now_ns, const struct encoder_budget *budget)
{
	struct quality_load load = { film_find(e, now_ns), budget->rate_kbps, cost_guess(&e->cost, COST_LOSSY, 1 << 16) };
	uint8_t before = e->quality.now;

	quality_next(&e->quality, first_quality(e, budget->rate_kbps), &load, now_ns);
	if (before)
		cost_scale(&e->cost, COST_LOSSY, quality_weight(e->quality.now), quality_weight(before));
}

static bool may_be_exact(const struct encoder *e, const struct piece *p)
{
	return p->kind == OP_LOSSY && !tile_is_moving(tiles_at(&e->tiles, p->column, p->row));
}

/*
 * Pictures that stand still go out exactly at once where coding and the path take a moment for it: what is sent
 * coarsely is sent twice. What moves is coarse first, whatever it costs: the next frame is near.
 */
static void make_exact(struct encoder *e, size_t n, const struct encoder_budget *budget)
{
	uint64_t bytes = 0, cpu_ns = 0;

	for (size_t i = 0; i < n; i++) {
		const struct piece *p = &e->pieces[i];

		if (!may_be_exact(e, p))
			continue;
		bytes += cost_guess(&e->cost, COST_PICTURE, rect_area(&p->rect));
		cpu_ns += cost_guess_ns(&e->cost, COST_PICTURE, rect_area(&p->rect));
	}
	if (!budget->rate_kbps || bytes * 8000000 / budget->rate_kbps + cpu_ns > EXACT_MS * UINT64_C(1000000))
		return;
	for (size_t i = 0; i < n; i++)
		if (may_be_exact(e, &e->pieces[i]))
			e->pieces[i].kind = OP_LOSSLESS;
}

int plan_changes(struct encoder *e, const struct pixmap *screen, uint64_t now_ns, const struct encoder_budget *budget)
{
	size_t n = tile_count(e), len = 0;
	int rc;

	choose_quality(e, now_ns, budget);
	select_changes(e, screen, budget);
	for (size_t i = 0; i < n; i++) {
		struct tile *t = &e->tiles.at[i];

		if (box_is_empty(&t->change))
			continue;
		struct rect r = tile_box_rect(e, i, &t->change);

		encoder_take(e, screen, &r);
		fill_piece(e, i, &r, &e->pieces[len++]);
		t->change = (struct tile_box){ 0, 0, 0, 0 };
		t->is_forced = false;
	}
	make_exact(e, len, budget);
	len = join_pieces(e->pieces, len);
	rc = add_pieces(e, len, OP_FILL);
	if (rc == 0)
		rc = add_pieces(e, len, OP_LOSSLESS);
	return rc < 0 ? rc : add_pieces(e, len, OP_LOSSY);
}

uint64_t plan_refine_due(const struct tile *t)
{
	return box_is_empty(&t->lossy) || t->is_video ? UINT64_MAX : t->changed_ns + REFINE_AFTER_NS;
}

struct candidate {
	uint64_t changed_ns;
	size_t tile;
};

static int compare_age(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->changed_ns != y->changed_ns)
		return x->changed_ns < y->changed_ns ? -1 : 1;
	return x->tile < y->tile ? -1 : x->tile > y->tile;
}

static int compare_place(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->tile < y->tile ? -1 : x->tile > y->tile;
}

static uint64_t slice_bytes(const struct encoder_budget *budget)
{
	uint64_t slice = REFINE_SLICE_BYTES;

	if (budget->rate_kbps)
		slice = PST_MIN(slice, (uint64_t)budget->rate_kbps * REFINE_SLICE_MS / 8);
	if (budget->bytes)
		slice = PST_MIN(slice, budget->bytes);
	return slice;
}

/* The oldest due tiles that fit the slice, at least one, in reading order. */
static size_t choose_due(const struct encoder *e, uint64_t now_ns, uint64_t slice, struct candidate *list)
{
	size_t n = 0, kept = 0;
	uint64_t spent = 0;

	for (size_t i = 0; i < tile_count(e); i++)
		if (plan_refine_due(&e->tiles.at[i]) <= now_ns)
			list[n++] = (struct candidate){ e->tiles.at[i].changed_ns, i };
	qsort(list, n, sizeof(*list), compare_age);
	for (; kept < n && (spent < slice || kept == 0); kept++) {
		const struct tile *t = &e->tiles.at[list[kept].tile];
		struct rect r = tile_box_rect(e, list[kept].tile, &t->lossy);

		spent += cost_guess(&e->cost, cost_sort_of(t->klass, false), rect_area(&r));
	}
	qsort(list, kept, sizeof(*list), compare_place);
	return kept;
}

int plan_refinement(struct encoder *e, uint64_t now_ns, const struct encoder_budget *budget)
{
	struct candidate *list = pst_zalloc(tile_count(e), sizeof(*list));
	size_t n, len;
	int rc;

	if (!list)
		return PST_ENOMEM;
	n = choose_due(e, now_ns, slice_bytes(budget), list);
	for (size_t i = 0; i < n; i++) {
		struct tile *t = &e->tiles.at[list[i].tile];
		struct rect r = tile_box_rect(e, list[i].tile, &t->lossy);
		struct tile before = *t;
		struct piece *p = &e->pieces[i];

		fill_piece(e, list[i].tile, &r, p);
		t->klass = before.klass; /* looking twice at the same pixels is no second vote */
		t->picture_votes = before.picture_votes;
		p->kind = p->kind == OP_LOSSY ? OP_LOSSLESS : p->kind;
		p->quality = 0;
		p->is_refine = true;
	}
	free(list);
	len = join_pieces(e->pieces, n);
	rc = add_pieces(e, len, OP_FILL);
	return rc < 0 ? rc : add_pieces(e, len, OP_LOSSLESS);
}
