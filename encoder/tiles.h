/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of each 64 × 64 tile of the screen: damage that waits, what the client holds inexactly, how
 * often it changes, and what it looks like. Boxes are in tile coordinates, half open, empty when x0 >= x1.
 */
#pragma once

#include "encoder/op.h"
#include "encoder/rect.h"

#define TILE_SIDE 64
#define TILE_ECHO_MAX 1024 /* pixels of a change that may be a letter */

struct tile_box {
	uint8_t x0, y0, x1, y1;
};

struct tile {
	struct tile_box damage;   /* reported, not yet compared */
	struct tile_box change;   /* of this plan: compared and different */
	struct tile_box lossy;    /* the client's pixels may differ from the sent picture */
	struct tile_box echo;     /* of the damage: what came by itself and is small, as a letter is */
	struct tile_box hot;      /* hull of the changes of the last half to whole second */
	struct tile_box hot_next; /* of the half second that is going on: hot after it */
	bool is_forced;           /* damage is sent even where it compares equal */
	bool is_taken;            /* this plan sends the change */
	bool is_left;             /* the damage is an older plan's, that had no room for it: no new update */
	bool is_video;            /* lies in an active video region */
	uint8_t klass;            /* enum op_class: flat, text or picture */
	int8_t picture_votes;     /* hysteresis of klass: above zero is a picture */
	uint16_t history;         /* updates, one bit per TILE_SLOT_NS, lowest is newest */
	uint64_t history_slot;    /* the slot number of bit 0 */
	uint64_t hot_slot;        /* when hot_next was begun */
	uint64_t changed_ns;      /* when it was last sent because it changed */
};

/* Sixteen slots of 50 ms: the newest ten are the half second in which updates are counted. */
#define TILE_SLOT_NS 50000000ull
#define TILE_RATE_SLOTS 10

struct tiles {
	int32_t width, height; /* of the screen */
	int32_t columns, rows;
	struct tile *at; /* row by row */
};

/* 0 or PST_ENOMEM. */
int tiles_init(struct tiles *t, int32_t width, int32_t height);
/* Accepts a zeroed struct. */
void tiles_finish(struct tiles *t);

/* Columns and rows of the tiles that r touches, as a half-open rectangle. r lies within the screen. */
struct rect tiles_span(const struct rect *r);

static inline struct tile *tiles_at(const struct tiles *t, int32_t column, int32_t row)
{
	return &t->at[(size_t)row * (size_t)t->columns + (size_t)column];
}

bool box_is_empty(const struct tile_box *b);
int64_t box_area(const struct tile_box *b);
void box_add(struct tile_box *b, const struct tile_box *more);
bool box_contains(const struct tile_box *outer, const struct tile_box *inner);
/* The part of r in the tile whose corner is at x, y; empty when there is none. */
struct tile_box box_of(const struct rect *r, int32_t x, int32_t y);
/* Back to screen coordinates. */
struct rect box_rect(const struct tile_box *b, int32_t x, int32_t y);

/* Adds damage; r is clipped to the screen. What is forced counts as lossy until it is sent: nobody knows what
 * the client shows there. */
void tiles_damage(struct tiles *t, const struct rect *r, bool is_forced);

/* The client's pixels in r are now exact, or may differ from the sent picture. r lies within the screen. */
void tiles_mark_exact(struct tiles *t, const struct rect *r);
void tiles_mark_lossy(struct tiles *t, const struct rect *r);

/*
 * A copy carries what its source was. r is the destination, sx and sy where its pixels come from. Both lie
 * within the screen, and may overlap.
 */
void tiles_copy_marks(struct tiles *t, const struct rect *r, int32_t sx, int32_t sy);

/* Notes that the tile's change box is an update, for its rate and age. */
void tile_touch(struct tile *t, uint64_t now_ns);

/* The newest update was only a move of what was there: it counts for no rate. */
void tile_moved(struct tile *t);

/* True when it was updated in several of the last slots, as of its last update; and in half of them, as a film does. */
bool tile_is_moving(const struct tile *t);
bool tile_is_hot(const struct tile *t);

/* In how many of the newest TILE_RATE_SLOTS slots the tile was updated. */
int tile_rate(const struct tile *t, uint64_t now_ns);
