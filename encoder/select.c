/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three turns over the tiles, within one budget. */
#include "encoder/select.h"

#include "base/mem.h"

#define SMALL_BYTES 2048 /* of small changes in a frame, as guessed */
#define SMALL_AREA 4096
#define PIECE_MS 10         /* of the path's rate, for what moves: a letter waits behind it */
#define PIECE_BYTES_MIN 4096 /* …but no less, or headers dominate */

enum turn { TURN_SMALL, TURN_STILL, TURN_MOVING };

/* What is left of the frame. */
struct room {
	uint64_t ceiling, spent; /* guessed bytes; no ceiling is 0 */
	int64_t area_max, area;  /* pixels; no maximum is 0 */
};

static size_t tile_count(const struct encoder *e)
{
	return (size_t)e->tiles.columns * (size_t)e->tiles.rows;
}

static void leave(struct tile *t)
{
	box_add(&t->damage, &t->change);
	t->change = (struct tile_box){ 0, 0, 0, 0 };
	t->is_left = true;
}

static bool is_in_film(const struct encoder *e, size_t i)
{
	const struct rect tile = { (int32_t)(i % (size_t)e->tiles.columns), (int32_t)(i / (size_t)e->tiles.columns), 1, 1 };

	return rect_contains(&e->film, &tile);
}

/* Pictures, and what changes as films do. */
static bool is_moving(const struct encoder *e, size_t i)
{
	const struct tile *t = &e->tiles.at[i];

	return t->klass == OP_CLASS_PICTURE || tile_is_hot(t) || is_in_film(e, i);
}

/* Small as letters are, and no piece of something larger, which would trickle out tile by tile. */
static bool is_small(const struct encoder *e, size_t i)
{
	const struct tile *t = &e->tiles.at[i];

	return box_area(&t->change) <= TILE_ECHO_MAX && !tile_is_hot(t) && !is_in_film(e, i) &&
		!(t->klass == OP_CLASS_PICTURE && tile_is_moving(t));
}

/*
 * A letter beside a film, in the same tile: what was damaged by itself goes alone, and the rest is damage again. False when nothing small is in it.
 */
static bool part_echo(struct encoder *e, const struct pixmap *screen, size_t i)
{
	int32_t column = (int32_t)(i % (size_t)e->tiles.columns), row = (int32_t)(i / (size_t)e->tiles.columns);
	struct tile *t = &e->tiles.at[i];
	struct tile_box echo, all = t->change;

	if (box_is_empty(&t->echo) || t->is_forced)
		return false;
	echo = refine_box(e, screen, &t->echo, column, row);
	t->echo = echo;
	if (box_is_empty(&echo) || box_contains(&echo, &all))
		return !box_is_empty(&echo);
	leave(t);
	t->change = echo;
	return true;
}

static bool is_for(struct encoder *e, const struct pixmap *screen, size_t i, enum turn turn)
{
	struct tile *t = &e->tiles.at[i];

	if (box_is_empty(&t->change) || t->is_taken)
		return false;
	if (turn != TURN_SMALL)
		return is_moving(e, i) == (turn == TURN_MOVING);
	return is_small(e, i) || part_echo(e, screen, i);
}

static bool is_full(const struct room *r, uint64_t guess, int64_t area)
{
	if (r->area_max)
		return r->area + area > r->area_max || r->spent + guess > r->ceiling;
	return r->ceiling && r->spent >= r->ceiling;
}

/* From where the last frame stopped. */
static void take_turn(struct encoder *e, const struct pixmap *screen, enum turn turn, struct room *room)
{
	size_t n = tile_count(e), start = e->starts[turn], first_left = n;

	for (size_t k = 0; k < n; k++) {
		size_t i = (start + k) % n;
		struct tile *t = &e->tiles.at[i];

		if (!is_for(e, screen, i, turn))
			continue;
		int64_t area = box_area(&t->change);
		bool is_film = encoder_is_film(e, t, (int32_t)(i % (size_t)e->tiles.columns), (int32_t)(i / (size_t)e->tiles.columns));
		uint64_t guess = cost_guess(&e->cost, cost_sort_of(t->klass, is_film || encoder_is_lossy(e, t->klass)), area);

		if (is_full(room, guess, area)) {
			first_left = first_left == n ? i : first_left;
			continue;
		}
		t->is_taken = true;
		room->spent += guess;
		room->area += area;
	}
	e->starts[turn] = first_left == n ? 0 : first_left;
}

static void leave_rest(struct encoder *e)
{
	for (size_t i = 0; i < tile_count(e); i++) {
		struct tile *t = &e->tiles.at[i];

		if (!box_is_empty(&t->change) && !t->is_taken)
			leave(t);
		else
			t->echo = (struct tile_box){ 0, 0, 0, 0 };
		t->is_taken = false;
	}
}

/* Bytes of what moves in one frame. A narrow path takes the least of it for longer than the piece's time, and must be free. */
static uint64_t moving_ceiling(const struct encoder_budget *budget, bool *ret_waits)
{
	uint64_t piece = budget->rate_kbps * UINT64_C(125) * PIECE_MS / 1000;

	*ret_waits = budget->rate_kbps && piece < PIECE_BYTES_MIN && budget->hold_video;
	return budget->rate_kbps && budget->bytes ? PST_MIN(budget->bytes, PST_MAX(piece, (uint64_t)PIECE_BYTES_MIN)) : budget->bytes;
}

void select_changes(struct encoder *e, const struct pixmap *screen, const struct encoder_budget *budget)
{
	struct room small = { .ceiling = SMALL_BYTES, .area_max = SMALL_AREA }, room = { .ceiling = budget->bytes };
	bool waits;

	if (budget->is_small || budget->bytes)
		take_turn(e, screen, TURN_SMALL, &small);
	if (!budget->is_small) {
		room.spent = small.spent;
		take_turn(e, screen, TURN_STILL, &room);
		room.ceiling = moving_ceiling(budget, &waits);
		if (!waits)
			take_turn(e, screen, TURN_MOVING, &room);
	}
	leave_rest(e);
}
