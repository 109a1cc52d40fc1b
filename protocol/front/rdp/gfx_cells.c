/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells of text in the client's bitmap cache; see gfx_cells.h. */
#include "protocol/front/rdp/gfx_cells.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "encoder/dsp/dsp.h"
#include "protocol/front/rdp/gfx_cache.h"
#include "protocol/front/rdp/gfx_wire.h"

#define CELLS_MIN 4 /* of an operation that is looked up, and of a frame that is kept: less is soon sent */

enum state { CELL_OUTSIDE, CELL_PLAIN, CELL_KNOWN, CELL_NEW };

struct cell {
	enum state state; /* for the operation at work */
	uint16_t slot;    /* of a known one */
	bool has_key;
	struct gfx_tile_key key; /* of what stands there in this frame */
	struct rect filled;      /* hull of what this frame's operations drew there */
};

struct gfx_cells {
	struct gfx_cache *cache;
	int32_t width, height, columns, rows;
	struct cell *at; /* columns × rows */
};

static int32_t columns_of(int32_t width)
{
	return (width + GFX_CELL_WIDTH - 1) / GFX_CELL_WIDTH;
}

static int32_t rows_of(int32_t height)
{
	return (height + GFX_CELL_HEIGHT - 1) / GFX_CELL_HEIGHT;
}

uint32_t gfx_cells_count(int32_t width, int32_t height)
{
	return (uint32_t)columns_of(width) * (uint32_t)rows_of(height);
}

struct gfx_cells *gfx_cells_create(uint16_t first, uint16_t len, int32_t width, int32_t height)
{
	struct gfx_cells *c = pst_zalloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->width = width;
	c->height = height;
	c->columns = columns_of(width);
	c->rows = rows_of(height);
	c->cache = gfx_cache_create(first, len);
	c->at = pst_zalloc(gfx_cells_count(width, height), sizeof(*c->at));
	if (!c->cache || !c->at) {
		gfx_cells_destroy(c);
		return NULL;
	}
	return c;
}

void gfx_cells_destroy(struct gfx_cells *c)
{
	if (!c)
		return;
	gfx_cache_destroy(c->cache);
	free(c->at);
	free(c);
}

void gfx_cells_empty(struct gfx_cells *c, struct pst_buf *out)
{
	gfx_cache_empty(c->cache, out);
}

static struct cell *cell_at(const struct gfx_cells *c, int32_t column, int32_t row)
{
	return &c->at[row * c->columns + column];
}

/* Cells at the right and at the bottom are cut by the screen. */
static struct rect rect_of(const struct gfx_cells *c, int32_t column, int32_t row)
{
	int32_t x = column * GFX_CELL_WIDTH, y = row * GFX_CELL_HEIGHT;
	return (struct rect){ x, y, PST_MIN(GFX_CELL_WIDTH, c->width - x), PST_MIN(GFX_CELL_HEIGHT, c->height - y) };
}

/* The cells that r touches, in columns and rows. */
static struct rect span_of(const struct rect *r)
{
	int32_t x = r->x / GFX_CELL_WIDTH, y = r->y / GFX_CELL_HEIGHT;
	return (struct rect){ x, y, (r->x + r->w - 1) / GFX_CELL_WIDTH + 1 - x, (r->y + r->h - 1) / GFX_CELL_HEIGHT + 1 - y };
}

/* An operation has what differs: margins are mostly the same, a strip that scrolls in is no cell. */
static bool covers(const struct rect *r, const struct rect *cell)
{
	struct rect in;
	return rect_intersect(r, cell, &in) && in.w * 2 >= cell->w && in.h * 4 > cell->h * 3;
}

static bool is_plain(const struct pixmap *sent, const struct rect *r)
{
	uint32_t colour = *pixmap_at(sent, r->x, r->y) & DSP_RGB;
	for (int32_t y = r->y; y < r->y + r->h; y++)
		if (!dsp_best()->is_colour(pixmap_at(sent, r->x, y), r->w, colour))
			return false;
	return true;
}

/* The unused byte is zero in a sent picture. Who draws must not know which hashes meet. */
static struct gfx_tile_key key_of(const struct gfx_cells *c, const struct pixmap *sent, const struct rect *r)
{
	XXH3_state_t state = { .seed = 0 }; /* looked at by the reset */
	XXH3_128bits_reset_withSeed(&state, (uint64_t)(uintptr_t)c + (uint32_t)r->w);
	for (int32_t y = r->y; y < r->y + r->h; y++)
		XXH3_128bits_update(&state, pixmap_at(sent, r->x, y), (size_t)r->w * 4);
	XXH128_hash_t h = XXH3_128bits_digest(&state);
	return (struct gfx_tile_key){ h.low64, h.high64 };
}

static uint16_t find(struct gfx_cells *c, const struct pixmap *sent, struct cell *cell, const struct rect *all)
{
	if (!cell->has_key)
		cell->key = key_of(c, sent, all);
	cell->has_key = true;
	return gfx_cache_find(c->cache, &cell->key);
}

static void look_up(struct gfx_cells *c, const struct pixmap *sent, const struct rect *r, int32_t column, int32_t row)
{
	struct cell *cell = cell_at(c, column, row);
	struct rect all = rect_of(c, column, row);
	cell->state = CELL_OUTSIDE;
	if (!covers(r, &all))
		return;
	cell->state = CELL_PLAIN;
	if (is_plain(sent, &all))
		return;
	cell->slot = find(c, sent, cell, &all);
	cell->state = cell->slot ? CELL_KNOWN : CELL_NEW;
}

static void note_filled(struct gfx_cells *c, const struct rect *r, const struct rect *span)
{
	for (int32_t row = span->y; row < span->y + span->h; row++) {
		for (int32_t column = span->x; column < span->x + span->w; column++) {
			struct rect all = rect_of(c, column, row), in;
			struct cell *cell = cell_at(c, column, row);
			if (rect_intersect(r, &all, &in))
				cell->filled = rect_union(&cell->filled, &in);
		}
	}
}

bool gfx_cells_know(struct gfx_cells *c, const struct pixmap *sent, const struct rect *r)
{
	struct rect span = span_of(r);
	int32_t known = 0, fresh = 0;
	note_filled(c, r, &span);
	if (span.w * span.h < CELLS_MIN)
		return false;
	for (int32_t row = span.y; row < span.y + span.h; row++) {
		for (int32_t column = span.x; column < span.x + span.w; column++) {
			look_up(c, sent, r, column, row);
			known += cell_at(c, column, row)->state == CELL_KNOWN;
			fresh += cell_at(c, column, row)->state == CELL_NEW;
		}
	}
	return known >= CELLS_MIN && known >= 3 * fresh;
}

struct walk {
	const struct rect *r;
	int (*put)(void *arg, const struct rect *rest, struct pst_err *err);
	void *arg;
	struct rect open; /* of the rest, not yet handed over */
};

static int flush_rest(struct walk *w, struct pst_err *err)
{
	struct rect rest;
	bool is_any = rect_intersect(&w->open, w->r, &rest);
	w->open = (struct rect){ 0, 0, 0, 0 };
	return is_any ? w->put(w->arg, &rest, err) : 0;
}

static bool has_known(const struct gfx_cells *c, const struct rect *span, int32_t row)
{
	for (int32_t column = span->x; column < span->x + span->w; column++)
		if (cell_at(c, column, row)->state == CELL_KNOWN)
			return true;
	return false;
}

static int put_row(struct gfx_cells *c, uint16_t surface, const struct rect *span, int32_t row, struct walk *w, struct pst_buf *out, struct pst_err *err)
{
	int rc = flush_rest(w, err);
	for (int32_t column = span->x; rc == 0 && column < span->x + span->w; column++) {
		const struct cell *cell = cell_at(c, column, row);
		struct rect all = rect_of(c, column, row);
		if (cell->state != CELL_KNOWN) {
			w->open = rect_union(&w->open, &all);
			continue;
		}
		rc = flush_rest(w, err);
		gfx_wire_from_cache(out, cell->slot, surface, all.x, all.y);
	}
	return rc < 0 ? rc : flush_rest(w, err);
}

int gfx_cells_put(struct gfx_cells *c, uint16_t surface, const struct rect *r, struct pst_buf *out,
		  int (*put)(void *arg, const struct rect *rest, struct pst_err *err), void *arg, struct pst_err *err)
{
	struct rect span = span_of(r);
	struct walk w = { .r = r, .put = put, .arg = arg };
	int rc = 0;
	for (int32_t row = span.y; rc == 0 && row < span.y + span.h; row++) {
		const struct rect line = { r->x, row * GFX_CELL_HEIGHT, r->w, GFX_CELL_HEIGHT };
		if (has_known(c, &span, row))
			rc = put_row(c, surface, &span, row, &w, out, err);
		else /* rows without any stay together: lines of text are not cut */
			w.open = rect_union(&w.open, &line);
	}
	return rc < 0 ? rc : flush_rest(&w, err);
}

/* Full and not plain. */
static bool is_worth(const struct gfx_cells *c, const struct pixmap *sent, int32_t column, int32_t row)
{
	const struct cell *cell = cell_at(c, column, row);
	struct rect all = rect_of(c, column, row);
	return !rect_is_empty(&cell->filled) && covers(&cell->filled, &all) && !is_plain(sent, &all);
}

static int32_t count_worth(const struct gfx_cells *c, const struct pixmap *sent)
{
	int32_t n = 0;
	for (int32_t row = 0; row < c->rows; row++)
		for (int32_t column = 0; column < c->columns; column++)
			n += is_worth(c, sent, column, row);
	return n;
}

static void keep_one(struct gfx_cells *c, const struct pixmap *sent, uint16_t surface, int32_t column, int32_t row, struct pst_buf *out)
{
	struct cell *cell = cell_at(c, column, row);
	struct rect all = rect_of(c, column, row);
	if (is_worth(c, sent, column, row) && !find(c, sent, cell, &all))
		gfx_cache_put(c->cache, &cell->key, surface, &all, out);
}

static void forget_frame(struct gfx_cells *c)
{
	for (int32_t i = 0; i < c->columns * c->rows; i++) {
		c->at[i].filled = (struct rect){ 0, 0, 0, 0 };
		c->at[i].has_key = false;
	}
}

void gfx_cells_keep(struct gfx_cells *c, const struct pixmap *sent, bool is_exact, uint16_t surface, struct pst_buf *out)
{
	if (is_exact && count_worth(c, sent) >= CELLS_MIN)
		for (int32_t row = 0; row < c->rows; row++)
			for (int32_t column = 0; column < c->columns; column++)
				keep_one(c, sent, surface, column, row, out);
	forget_frame(c);
}
