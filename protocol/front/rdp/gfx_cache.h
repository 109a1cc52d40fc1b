/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's bitmap cache, [MS-RDPEGFX] 3.3.1.4, as the server knows it: which tile of pixels stands in which slot, the least used one
 * gives way. Tiles are known by 128 bits of hash. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "encoder/pixmap.h"

#define GFX_CACHE_TILE 64 /* side of a tile, in pixels */

struct gfx_tile_key {
	uint64_t low, high;
};

struct gfx_cache;

/* A cache of 16 MB for clients that say so, else of 100 MB. Returns owned; NULL without memory. */
struct gfx_cache *gfx_cache_create(bool is_small);
/* Accepts NULL. */
void gfx_cache_destroy(struct gfx_cache *c);

/* Of the pixels in r, which is a tile or a part of one. */
struct gfx_tile_key gfx_cache_key(struct gfx_cache *c, const struct pixmap *p, const struct rect *r);

/* The slot that holds the tile, which is the most used one now; 0 when none does. */
uint16_t gfx_cache_find(struct gfx_cache *c, const struct gfx_tile_key *key);

/* A slot for a tile that is not there. *ret_had is true when it held another one, which must be evicted first. */
uint16_t gfx_cache_add(struct gfx_cache *c, const struct gfx_tile_key *key, bool *ret_had);

/* Slots 1 to this one hold something. */
uint16_t gfx_cache_used(const struct gfx_cache *c);

/* Nothing is held any more: all used slots were evicted. */
void gfx_cache_clear(struct gfx_cache *c);
