/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slots in order of use, with a chained hash over them; see gfx_cache.h. Slot 0 is none, and the head of the order. */
#include "protocol/front/rdp/gfx_cache.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/err.h"
#include "base/mem.h"
#include "encoder/dsp/dsp.h"
#include "protocol/front/rdp/gfx_wire.h"

#define CHAINS 4096
/* A key for caches that outlive a connection ("Puesto", and the slot): ours end with it, and a hash would be eight bytes that nothing shortens. */
#define CACHE_KEY 0x000050756573746full

struct slot {
	struct gfx_tile_key key;
	uint16_t newer, older; /* a ring through slot 0 */
	uint16_t next;         /* of the same chain; 0 ends it */
};

struct gfx_cache {
	struct slot *slots;
	uint16_t chains[CHAINS];
	uint16_t first, len, used; /* 1 … used hold something; the client's slots count from first */
	uint32_t px[GFX_CACHE_TILE * GFX_CACHE_TILE]; /* of a tile at work, in one piece */
};

struct gfx_cache *gfx_cache_create(uint16_t first, uint16_t len)
{
	PRE(first > 0 && len > 0 && first + len - 1 <= GFX_CACHE_SLOTS_MAX);
	struct gfx_cache *c = pst_zalloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->first = first;
	c->len = len;
	c->slots = pst_zalloc((size_t)c->len + 1, sizeof(*c->slots));
	if (!c->slots) {
		gfx_cache_destroy(c);
		return NULL;
	}
	return c;
}

void gfx_cache_destroy(struct gfx_cache *c)
{
	if (!c)
		return;
	free(c->slots);
	free(c);
}

/* Who draws must not know which hashes meet. */
struct gfx_tile_key gfx_cache_key(struct gfx_cache *c, const struct pixmap *p, const struct rect *r)
{
	PRE(r->w > 0 && r->w <= GFX_CACHE_TILE && r->h > 0 && r->h <= GFX_CACHE_TILE);
	const struct dsp *dsp = dsp_best();
	for (int32_t y = 0; y < r->h; y++)
		dsp->copy_row(c->px + (ptrdiff_t)y * r->w, pixmap_at(p, r->x, r->y + y), r->w);
	XXH128_hash_t h = XXH3_128bits_withSeed(c->px, (size_t)r->w * (size_t)r->h * 4, (uint64_t)(uintptr_t)c + (uint32_t)r->w);
	return (struct gfx_tile_key){ h.low64, h.high64 };
}

static void unlink_use(struct gfx_cache *c, uint16_t i)
{
	c->slots[c->slots[i].newer].older = c->slots[i].older;
	c->slots[c->slots[i].older].newer = c->slots[i].newer;
}

/* The order goes from slot 0 by `older` to the newest first. */
static void link_newest(struct gfx_cache *c, uint16_t i)
{
	uint16_t newest = c->slots[0].older;
	c->slots[i].newer = 0;
	c->slots[i].older = newest;
	c->slots[newest].newer = i;
	c->slots[0].older = i;
}

static uint16_t *chain_of(struct gfx_cache *c, const struct gfx_tile_key *key)
{
	return &c->chains[key->low % CHAINS];
}

/* The client's number of one of ours. */
static uint16_t slot_of(const struct gfx_cache *c, uint16_t i)
{
	return (uint16_t)(c->first + i - 1);
}

uint16_t gfx_cache_find(struct gfx_cache *c, const struct gfx_tile_key *key)
{
	uint16_t i = *chain_of(c, key);
	while (i && (c->slots[i].key.low != key->low || c->slots[i].key.high != key->high))
		i = c->slots[i].next;
	if (i) {
		unlink_use(c, i);
		link_newest(c, i);
	}
	return i ? slot_of(c, i) : 0;
}

static void forget(struct gfx_cache *c, uint16_t i)
{
	uint16_t *link = chain_of(c, &c->slots[i].key);
	while (*link != i)
		link = &c->slots[*link].next;
	*link = c->slots[i].next;
	unlink_use(c, i);
}

/* Ours for a new key: a free one, or the least used one, which is evicted. */
static uint16_t take_slot(struct gfx_cache *c, struct pst_buf *out)
{
	if (c->used < c->len)
		return ++c->used;
	uint16_t i = c->slots[0].newer;
	forget(c, i);
	gfx_wire_evict(out, slot_of(c, i));
	return i;
}

void gfx_cache_put(struct gfx_cache *c, const struct gfx_tile_key *key, uint16_t surface, const struct rect *r, struct pst_buf *out)
{
	uint16_t i = take_slot(c, out), *chain = chain_of(c, key);
	c->slots[i].key = *key;
	c->slots[i].next = *chain;
	*chain = i;
	link_newest(c, i);
	gfx_wire_to_cache(out, surface, (uint64_t)slot_of(c, i) << 48 | CACHE_KEY, slot_of(c, i), r);
}

void gfx_cache_empty(struct gfx_cache *c, struct pst_buf *out)
{
	for (uint16_t i = 1; i <= c->used; i++)
		gfx_wire_evict(out, slot_of(c, i));
	memset(c->chains, 0, sizeof(c->chains));
	c->slots[0] = (struct slot){ 0 };
	c->used = 0;
}
