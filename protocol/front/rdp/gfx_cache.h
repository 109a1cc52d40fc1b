/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's bitmap cache, [MS-RDPEGFX] 3.3.1.4, as the server knows it: which tile of pixels stands in which slot, the least used one
 * gives way. What is kept is known by 128 bits of hash. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "encoder/pixmap.h"

#define GFX_CACHE_TILE 64 /* side of a tile, in pixels */
#define GFX_CACHE_SLOTS_MAX 25600

struct gfx_tile_key {
	uint64_t low, high;
};

struct gfx_cache;

/* Of the slots from first, 1 or more, to first + len - 1, GFX_CACHE_SLOTS_MAX at most. Returns owned; NULL without memory. */
struct gfx_cache *gfx_cache_create(uint16_t first, uint16_t len);
/* Accepts NULL. */
void gfx_cache_destroy(struct gfx_cache *c);

/* Of the pixels in r, which is a tile or a part of one. */
struct gfx_tile_key gfx_cache_key(struct gfx_cache *c, const struct pixmap *p, const struct rect *r);

/* The slot that holds what has this key, which is the most used one now; 0 when none does. */
uint16_t gfx_cache_find(struct gfx_cache *c, const struct gfx_tile_key *key);

/* Appends what makes the client keep r of a surface, which is not there yet; what was used least is evicted first where no slot is free. */
void gfx_cache_put(struct gfx_cache *c, const struct gfx_tile_key *key, uint16_t surface, const struct rect *r, struct pst_buf *out);

/* Appends what evicts all, and forgets it. */
void gfx_cache_empty(struct gfx_cache *c, struct pst_buf *out);
