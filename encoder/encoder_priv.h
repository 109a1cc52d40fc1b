/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder's body, shared by the files of its pipeline. One thread; no locks. */
#pragma once

#include "encoder/cost.h"
#include "encoder/dsp/dsp.h"
#include "encoder/encoder.h"
#include "encoder/join.h"
#include "encoder/quality.h"
#include "encoder/tiles.h"

struct motion;
struct words;
struct video;

struct encoder {
	struct encoder_params params;
	const struct dsp *dsp;
	struct tiles tiles;
	uint32_t *sent;          /* what the client shows, except for what tiles mark as lossy; X is zero */
	struct pixmap sent_view; /* the same as a pixmap */
	struct motion *motion;
	struct video *video;
	struct words *words; /* NULL where the front makes no use of repeats */
	struct piece *pieces; /* of this plan, at most one per tile */
	struct op *ops;       /* of this plan */
	size_t ops_len, ops_cap;
	size_t starts[3]; /* the tile at which the next plan begins each of its turns (select.c), so that a small budget reaches every tile */
	struct quality quality; /* of lossy operations */
	struct rect film;       /* columns and rows of tiles, see film.h */
	struct cost cost; /* of this viewer's wire */
	uint64_t sequence;
	struct encoder_stats stats;
};

/* Whether pixels of this class go out by the lossy codec. */
static inline bool encoder_is_lossy(const struct encoder *e, uint8_t klass)
{
	return klass == OP_CLASS_PICTURE && (e->params.ops & OP_BIT(OP_LOSSY));
}

/* Whether a tile is a film's (film.h). */
static inline bool encoder_is_film(const struct encoder *e, const struct tile *t, int32_t column, int32_t row)
{
	const struct rect tile = { column, row, 1, 1 };

	return tile_is_hot(t) && !t->is_video && rect_contains(&e->film, &tile);
}

/* The row of the sent picture from column x. */
static inline uint32_t *encoder_row(const struct encoder *e, int32_t x, int32_t y)
{
	return e->sent + (size_t)y * (e->sent_view.stride / 4) + (size_t)x;
}

/* refine.c: compares the tile's damage with the sent picture; what differs becomes its change. Damage is
 * cleared. */
void refine_tile(struct encoder *e, const struct pixmap *screen, int32_t column, int32_t row);
/* The part of a box of a tile, which is not empty, that differs from the sent picture. */
struct tile_box refine_box(const struct encoder *e, const struct pixmap *screen, const struct tile_box *box, int32_t column, int32_t row);
/* The same for all tiles with damage; returns the changed pixels (of boxes). */
int64_t refine_all(struct encoder *e, const struct pixmap *screen);

/* classify.c: what the sent picture shows in box, which lies in tile t; keeps t's hysteresis, writes class
 * and paper. */
void classify_tile(struct encoder *e, struct tile *t, const struct rect *box, struct piece *ret);

/* Appends an operation to the plan and does its book-keeping; NULL when memory is out. */
struct op *encoder_add_op(struct encoder *e, enum op_kind kind, enum op_class klass, const struct rect *r);

/* Copies r from the screen into the sent picture. */
void encoder_take(struct encoder *e, const struct pixmap *screen, const struct rect *r);
