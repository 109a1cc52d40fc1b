/* SPDX-License-Identifier: GPL-3.0-or-later */
/* V-Bars and the mirrors of the client's storages; see clear_bars.h. Pixels are turned by 90 degrees first, so that columns lie in one piece. */
#include "encoder/codec/clear_bars.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/err.h"
#include "base/mem.h"
#include "encoder/codec/slot_ring.h"

#define BARS 32768
#define SHORT_BARS 16384
#define GROUP 16 /* columns that are turned at once: a cache line of each row */
#define RGB 0x00ffffffu

enum { HIT = 0x8000, SHORT_HIT = 0x4000 };

struct clear_bars {
	struct slot_ring *whole, *trimmed;
	uint64_t seed;
	uint32_t columns[2][GROUP][CLEAR_BAR_MAX]; /* groups take turns: the last column is still there */
	const uint32_t *last; /* NULL for the first of a band */
	int32_t last_slot;
};

struct clear_bars *clear_bars_create(void)
{
	struct clear_bars *b = pst_zalloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->whole = slot_ring_create(BARS);
	b->trimmed = slot_ring_create(SHORT_BARS);
	/* Who draws must not know which hashes meet. */
	b->seed = (uint64_t)(uintptr_t)b;
	if (!b->whole || !b->trimmed) {
		clear_bars_destroy(b);
		return NULL;
	}
	return b;
}

void clear_bars_destroy(struct clear_bars *b)
{
	if (!b)
		return;
	slot_ring_destroy(b->whole);
	slot_ring_destroy(b->trimmed);
	free(b);
}

static struct slot_key key_of(const struct clear_bars *b, const uint32_t *px, int32_t n)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(px, (size_t)n * sizeof(*px), b->seed);
	return (struct slot_key){ h.low64, h.high64 };
}

static void put_short(struct clear_bars *b, const uint32_t *px, int32_t n, uint32_t background, struct pst_buf *out)
{
	int32_t on = 0, off = n;
	while (on < off - 1 && px[on] == background)
		on++;
	while (off > on + 1 && px[off - 1] == background)
		off--;
	struct slot_key key = key_of(b, px + on, off - on);
	int32_t slot = slot_ring_find(b->trimmed, &key);
	if (slot != SLOT_NONE) {
		pst_buf_put_le16(out, (uint16_t)(SHORT_HIT | slot));
		pst_buf_put_u8(out, (uint8_t)on);
		return;
	}
	slot_ring_add(b->trimmed, &key);
	pst_buf_put_le16(out, (uint16_t)(on | off << 8));
	for (; on < off; on++) {
		const uint8_t bgr[3] = { (uint8_t)px[on], (uint8_t)(px[on] >> 8), (uint8_t)(px[on] >> 16) };
		pst_buf_append(out, bgr, sizeof(bgr));
	}
}

static void put_bar(struct clear_bars *b, const uint32_t *px, int32_t n, uint32_t background, struct pst_buf *out)
{
	if (!b->last || memcmp(px, b->last, (size_t)n * sizeof(*px)) != 0) {
		struct slot_key key = key_of(b, px, n);
		b->last = px;
		b->last_slot = slot_ring_find(b->whole, &key);
		if (b->last_slot == SLOT_NONE) {
			put_short(b, px, n, background, out);
			b->last_slot = slot_ring_add(b->whole, &key);
			return;
		}
	}
	b->last = px;
	pst_buf_put_le16(out, (uint16_t)(HIT | b->last_slot));
}

static void turn(uint32_t (*columns)[CLEAR_BAR_MAX], const struct pixmap *p, int32_t x, int32_t y, int32_t w, int32_t h)
{
	for (int32_t j = 0; j < h; j++) {
		const uint32_t *row = pixmap_at(p, x, y + j);
		for (int32_t i = 0; i < w; i++)
			columns[i][j] = row[i] & RGB;
	}
}

void clear_bars_put(struct clear_bars *b, const struct pixmap *p, int32_t x, int32_t y, const struct rect *r, uint32_t background, struct pst_buf *out)
{
	PRE(r->h > 0 && r->h <= CLEAR_BAR_MAX && r->w > 0);
	pst_buf_put_le16(out, (uint16_t)r->x);
	pst_buf_put_le16(out, (uint16_t)(r->x + r->w - 1));
	pst_buf_put_le16(out, (uint16_t)r->y);
	pst_buf_put_le16(out, (uint16_t)(r->y + r->h - 1));
	const uint8_t bgr[3] = { (uint8_t)background, (uint8_t)(background >> 8), (uint8_t)(background >> 16) };
	pst_buf_append(out, bgr, sizeof(bgr));
	b->last = NULL;
	for (int32_t i = 0; i < r->w; i += GROUP) {
		int32_t n = PST_MIN(GROUP, r->w - i);
		uint32_t (*columns)[CLEAR_BAR_MAX] = b->columns[i / GROUP % 2];
		turn(columns, p, x + r->x + i, y + r->y, n, r->h);
		for (int32_t k = 0; k < n; k++)
			put_bar(b, columns[k], r->h, background, out);
	}
}
