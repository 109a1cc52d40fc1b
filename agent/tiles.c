/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks the rectangles in tiles. A tile may be newer than the report it is part of: its change is then
 * reported again. */
#include "agent/tiles.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/mem.h"

#define QUEUE_LOW (2 * 1024 * 1024) /* bytes in the link's queue above which we wait */
#define ZSTD_LEVEL 1

struct tiles {
	struct link_channel *link;
	ZSTD_CCtx *zstd;
	struct pixmap screen;
	struct link_message damage; /* what is being sent */
	size_t at;                  /* rectangle */
	int32_t x, y;               /* next tile within it */
	bool is_active;
	uint32_t raw[LINK_TILE_SIDE * LINK_TILE_SIDE];
	uint8_t packed[LINK_PIXELS_MAX];
};

struct tiles *tiles_create(struct link_channel *link)
{
	struct tiles *t = pst_zalloc(1, sizeof(*t));
	if (!t)
		return NULL;

	t->link = link;
	t->zstd = ZSTD_createCCtx();
	if (!t->zstd) {
		free(t);
		return NULL;
	}
	return t;
}

void tiles_destroy(struct tiles *t)
{
	if (!t)
		return;
	ZSTD_freeCCtx(t->zstd);
	free(t);
}

static bool tile_send(struct tiles *t, const struct rect *tile)
{
	struct link_message m = { .type = LINK_PIXELS };

	for (int32_t y = 0; y < tile->h; y++)
		memcpy(t->raw + (size_t)y * (size_t)tile->w, pixmap_at(&t->screen, tile->x, tile->y + y),
			(size_t)tile->w * 4);
	size_t size = (size_t)tile->w * (size_t)tile->h * 4;
	size_t n = ZSTD_compressCCtx(t->zstd, t->packed, sizeof(t->packed), t->raw, size, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return false;
	m.pixels.tile = *tile;
	m.pixels.data = t->packed;
	m.pixels.len = n;
	return link_channel_send(t->link, &m, -1) == 0;
}

/* The next tile of the present rectangle; false at its end. */
static bool tile_next(struct tiles *t, struct rect *ret)
{
	const struct rect *r = &t->damage.damage.rects[t->at];

	if (t->y >= r->h)
		return false;
	*ret = (struct rect){ r->x + t->x, r->y + t->y, PST_MIN(r->w - t->x, LINK_TILE_SIDE),
		PST_MIN(r->h - t->y, LINK_TILE_SIDE) };
	t->x += LINK_TILE_SIDE;
	if (t->x >= r->w) {
		t->x = 0;
		t->y += LINK_TILE_SIDE;
	}
	return true;
}

void tiles_pump(struct tiles *t)
{
	struct rect tile;

	while (t->is_active && link_channel_queued(t->link) < QUEUE_LOW) {
		if (tile_next(t, &tile)) {
			t->is_active = tile_send(t, &tile);
		} else if (++t->at == t->damage.damage.n) {
			t->is_active = false;
			link_channel_send(t->link, &t->damage, -1);
		} else {
			t->x = t->y = 0;
		}
	}
}

void tiles_begin(
	struct tiles *t, const struct pixmap *screen, const struct rect *rects, size_t n, uint32_t sequence)
{
	t->screen = *screen;
	t->damage.type = LINK_DAMAGE;
	t->damage.damage.sequence = sequence;
	t->damage.damage.n = (uint16_t)n;
	memcpy(t->damage.damage.rects, rects, n * sizeof(*rects));
	t->at = 0;
	t->x = t->y = 0;
	t->is_active = n > 0;
	tiles_pump(t);
}
