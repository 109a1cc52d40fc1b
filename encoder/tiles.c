/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grid of tiles and its marks. */
#include "encoder/tiles.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define MOVING_MIN 2 /* slots */
#define HOT_MIN 5

int tiles_init(struct tiles *t, int32_t width, int32_t height)
{
	t->width = width;
	t->height = height;
	t->columns = (width + TILE_SIDE - 1) / TILE_SIDE;
	t->rows = (height + TILE_SIDE - 1) / TILE_SIDE;
	t->at = pst_zalloc((size_t)t->columns * (size_t)t->rows, sizeof(*t->at));
	return t->at ? 0 : PST_ENOMEM;
}

void tiles_finish(struct tiles *t)
{
	free(t->at);
	t->at = NULL;
}

struct rect tiles_span(const struct rect *r)
{
	int32_t c0 = r->x / TILE_SIDE, r0 = r->y / TILE_SIDE;

	return (struct rect){ c0, r0, (r->x + r->w + TILE_SIDE - 1) / TILE_SIDE - c0,
		(r->y + r->h + TILE_SIDE - 1) / TILE_SIDE - r0 };
}

bool box_is_empty(const struct tile_box *b)
{
	return b->x0 >= b->x1;
}

int64_t box_area(const struct tile_box *b)
{
	return box_is_empty(b) ? 0 : (int64_t)(b->x1 - b->x0) * (b->y1 - b->y0);
}

void box_add(struct tile_box *b, const struct tile_box *more)
{
	if (box_is_empty(more))
		return;
	if (box_is_empty(b)) {
		*b = *more;
		return;
	}
	b->x0 = PST_MIN(b->x0, more->x0);
	b->y0 = PST_MIN(b->y0, more->y0);
	b->x1 = PST_MAX(b->x1, more->x1);
	b->y1 = PST_MAX(b->y1, more->y1);
}

bool box_contains(const struct tile_box *outer, const struct tile_box *inner)
{
	return inner->x0 >= outer->x0 && inner->y0 >= outer->y0 && inner->x1 <= outer->x1 &&
	       inner->y1 <= outer->y1;
}

struct tile_box box_of(const struct rect *r, int32_t x, int32_t y)
{
	const struct rect tile = { x, y, TILE_SIDE, TILE_SIDE };
	struct rect in;

	if (!rect_intersect(r, &tile, &in))
		return (struct tile_box){ 0, 0, 0, 0 };
	return (struct tile_box){ (uint8_t)(in.x - x), (uint8_t)(in.y - y), (uint8_t)(in.x - x + in.w),
		(uint8_t)(in.y - y + in.h) };
}

struct rect box_rect(const struct tile_box *b, int32_t x, int32_t y)
{
	return (struct rect){ x + b->x0, y + b->y0, b->x1 - b->x0, b->y1 - b->y0 };
}

/* The newest one alone where two are far apart. */
static void note_echo(struct tile *tile, const struct tile_box *box)
{
	box_add(&tile->echo, box);
	if (box_area(&tile->echo) > TILE_ECHO_MAX)
		tile->echo = *box;
}

void tiles_damage(struct tiles *t, const struct rect *r, bool is_forced)
{
	const struct rect screen = { 0, 0, t->width, t->height };
	struct rect in, span;

	if (!rect_intersect(r, &screen, &in))
		return;
	span = tiles_span(&in);
	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct tile *tile = tiles_at(t, column, row);
			struct tile_box box = box_of(&in, column * TILE_SIDE, row * TILE_SIDE);

			box_add(&tile->damage, &box);
			if (rect_area(&in) <= TILE_ECHO_MAX)
				note_echo(tile, &box);
			tile->is_left = false;
			tile->is_forced |= is_forced;
			if (is_forced)
				box_add(&tile->lossy, &box);
		}
	}
}

static void mark_exact(struct tile *tile, const struct tile_box *box)
{
	/* A box cannot show a hole: what is only partly covered stays marked, and is refined again. */
	if (box_contains(box, &tile->lossy))
		tile->lossy = (struct tile_box){ 0, 0, 0, 0 };
}

void tiles_mark_exact(struct tiles *t, const struct rect *r)
{
	struct rect span = tiles_span(r);

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct tile_box box = box_of(r, column * TILE_SIDE, row * TILE_SIDE);

			mark_exact(tiles_at(t, column, row), &box);
		}
	}
}

void tiles_mark_lossy(struct tiles *t, const struct rect *r)
{
	struct rect span = tiles_span(r);

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			struct tile_box box = box_of(r, column * TILE_SIDE, row * TILE_SIDE);

			box_add(&tiles_at(t, column, row)->lossy, &box);
		}
	}
}

/* The hull of what is lossy in r; empty when all of it is exact. */
static struct rect lossy_within(const struct tiles *t, const struct rect *r)
{
	struct rect span = tiles_span(r), hull = { 0, 0, 0, 0 };

	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			const struct tile *tile = tiles_at(t, column, row);
			struct rect lossy = box_rect(&tile->lossy, column * TILE_SIDE, row * TILE_SIDE);

			if (!box_is_empty(&tile->lossy) && rect_intersect(&lossy, r, &lossy))
				hull = rect_union(&hull, &lossy);
		}
	}
	return hull;
}

void tiles_copy_marks(struct tiles *t, const struct rect *r, int32_t sx, int32_t sy)
{
	const struct rect src = { sx, sy, r->w, r->h };
	struct rect carried = lossy_within(t, &src); /* read before anything is marked: the two may overlap */

	tiles_mark_exact(t, r);
	if (rect_is_empty(&carried))
		return;
	carried.x += r->x - sx;
	carried.y += r->y - sy;
	tiles_mark_lossy(t, &carried);
}

static uint16_t shifted_history(const struct tile *t, uint64_t slot)
{
	uint64_t passed = slot > t->history_slot ? slot - t->history_slot : 0;

	return passed > 15 ? 0 : (uint16_t)(t->history << passed);
}

/* Two hulls by turns, so that what changed here once does not count for ever. */
static void warm(struct tile *t, uint64_t slot)
{
	if (slot - t->hot_slot >= 2 * TILE_RATE_SLOTS)
		t->hot_next = (struct tile_box){ 0, 0, 0, 0 };
	if (slot - t->hot_slot >= TILE_RATE_SLOTS) {
		t->hot = t->hot_next;
		t->hot_next = (struct tile_box){ 0, 0, 0, 0 };
		t->hot_slot = slot;
	}
	box_add(&t->hot, &t->change);
	box_add(&t->hot_next, &t->change);
}

void tile_touch(struct tile *t, uint64_t now_ns)
{
	uint64_t slot = now_ns / TILE_SLOT_NS;

	t->changed_ns = now_ns;
	if (t->is_forced)
		return; /* sent again, not changed */
	warm(t, slot);
	t->history = shifted_history(t, slot) | 1;
	t->history_slot = slot;
}

void tile_moved(struct tile *t)
{
	t->history &= (uint16_t)~1u;
}

static int slots_of(uint16_t history)
{
	return __builtin_popcount(history & ((1u << TILE_RATE_SLOTS) - 1));
}

bool tile_is_moving(const struct tile *t)
{
	return slots_of(t->history) >= MOVING_MIN;
}

bool tile_is_hot(const struct tile *t)
{
	return slots_of(t->history) >= HOT_MIN;
}

int tile_rate(const struct tile *t, uint64_t now_ns)
{
	return slots_of(shifted_history(t, now_ns / TILE_SLOT_NS));
}
