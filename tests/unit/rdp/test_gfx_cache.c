/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mirror of the client's bitmap cache: what was used least gives way, and nothing else is forgotten. */
#include "protocol/front/rdp/gfx_cache.h"

#include <criterion/criterion.h>

#define FIRST 11
#define LEN 1024
#define TO_CACHE_LEN 28u
#define EVICT_LEN 10u

static struct gfx_tile_key key_of(uint32_t i)
{
	return (struct gfx_tile_key){ i % 9, i };
}

static const struct rect tile = { 64, 0, 64, 64 };

/* Puts one that is not there, and tells how many bytes that took. */
static size_t put(struct gfx_cache *c, uint32_t i)
{
	struct gfx_tile_key key = key_of(i);
	struct pst_buf out;
	pst_buf_init(&out, 1024);
	cr_assert_eq(gfx_cache_find(c, &key), 0);
	gfx_cache_put(c, &key, 1, &tile, &out);
	size_t len = out.len;
	pst_buf_finish(&out);
	return len;
}

static uint16_t slot(struct gfx_cache *c, uint32_t i)
{
	struct gfx_tile_key key = key_of(i);
	return gfx_cache_find(c, &key);
}

Test(gfx_cache, the_least_used_gives_way)
{
	struct gfx_cache *c = gfx_cache_create(FIRST, LEN);
	struct pst_buf out;
	for (uint32_t i = 0; i < LEN; i++) {
		cr_assert_eq(put(c, i), TO_CACHE_LEN);
		cr_assert_eq(slot(c, i), FIRST + i, "slots count from the first");
	}
	/* The first half is used again: the second half goes. */
	for (uint32_t i = 0; i < LEN / 2; i++)
		cr_assert_eq(slot(c, i), FIRST + i);
	for (uint32_t i = 0; i < LEN / 2; i++) {
		cr_assert_eq(put(c, LEN + i), EVICT_LEN + TO_CACHE_LEN);
		cr_assert_eq(slot(c, LEN + i), FIRST + LEN / 2 + i);
		cr_assert_eq(slot(c, LEN / 2 + i), 0);
	}
	for (uint32_t i = 0; i < LEN / 2; i++)
		cr_assert_eq(slot(c, i), FIRST + i);
	pst_buf_init(&out, 1 << 20);
	gfx_cache_empty(c, &out);
	cr_expect_eq(out.len, LEN * EVICT_LEN);
	cr_expect_eq(slot(c, 0), 0);
	cr_expect_eq(put(c, 0), TO_CACHE_LEN);
	pst_buf_finish(&out);
	gfx_cache_destroy(c);
	gfx_cache_destroy(NULL);
}

Test(gfx_cache, the_key_for_the_client_is_the_slots)
{
	struct gfx_cache *c = gfx_cache_create(FIRST, LEN);
	struct gfx_tile_key key = key_of(5);
	struct pst_buf out;
	const uint8_t want[] = { 6, 0, 0, 0, 28, 0, 0, 0, 1, 0, 'o', 't', 's', 'e', 'u', 'P', FIRST, 0, FIRST, 0, 64, 0, 0, 0, 128, 0, 64, 0 };
	pst_buf_init(&out, 1024);
	gfx_cache_put(c, &key, 1, &tile, &out);
	cr_assert_eq(out.len, sizeof(want));
	cr_expect_arr_eq(out.data, want, sizeof(want));
	pst_buf_finish(&out);
	gfx_cache_destroy(c);
}

Test(gfx_cache, a_tile_is_its_colours)
{
	static uint32_t screen[128 * 64];
	const struct pixmap pm = { (const uint8_t *)screen, 128, 64, 128 * 4 };
	struct gfx_cache *c = gfx_cache_create(1, 8);
	for (uint32_t y = 0; y < 64; y++)
		for (uint32_t x = 0; x < 128; x++)
			screen[y * 128 + x] = (y * 64 + x % 64) * 77 | x << 24;
	const struct rect left = { 0, 0, 64, 64 }, right = { 64, 0, 64, 64 }, low = { 0, 0, 64, 32 }, narrow = { 0, 0, 32, 64 };
	struct gfx_tile_key a = gfx_cache_key(c, &pm, &left), b = gfx_cache_key(c, &pm, &right);
	cr_expect(a.low == b.low && a.high == b.high, "the unused byte says nothing");
	screen[63 * 128 + 127] ^= 1;
	b = gfx_cache_key(c, &pm, &right);
	cr_expect(a.low != b.low || a.high != b.high);
	for (size_t i = 0; i < 128 * 64; i++)
		screen[i] = 5;
	a = gfx_cache_key(c, &pm, &low);
	b = gfx_cache_key(c, &pm, &narrow);
	cr_expect(a.low != b.low || a.high != b.high, "the shape counts");
	gfx_cache_destroy(c);
}
