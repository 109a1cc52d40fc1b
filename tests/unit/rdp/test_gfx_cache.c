/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mirror of the client's bitmap cache: what was used least gives way, and nothing else is forgotten. */
#include "protocol/front/rdp/gfx_cache.h"

#include <criterion/criterion.h>

#define SMALL 1024 /* tiles of 16 KB in 16 MB */

static struct gfx_tile_key key_of(uint32_t i)
{
	return (struct gfx_tile_key){ i % 9, i };
}

Test(gfx_cache, the_least_used_gives_way)
{
	struct gfx_cache *c = gfx_cache_create(true);
	bool had;
	for (uint32_t i = 0; i < SMALL; i++) {
		struct gfx_tile_key key = key_of(i);
		cr_assert_eq(gfx_cache_find(c, &key), 0);
		cr_assert_eq(gfx_cache_add(c, &key, &had), i + 1, "slots count from 1");
		cr_assert_not(had);
	}
	/* The first half is used again: the second half goes. */
	for (uint32_t i = 0; i < SMALL / 2; i++) {
		struct gfx_tile_key key = key_of(i);
		cr_assert_eq(gfx_cache_find(c, &key), i + 1);
	}
	for (uint32_t i = 0; i < SMALL / 2; i++) {
		struct gfx_tile_key key = key_of(SMALL + i), gone = key_of(SMALL / 2 + i);
		cr_assert_eq(gfx_cache_add(c, &key, &had), SMALL / 2 + i + 1);
		cr_assert(had);
		cr_assert_eq(gfx_cache_find(c, &gone), 0);
	}
	for (uint32_t i = 0; i < SMALL / 2; i++) {
		struct gfx_tile_key key = key_of(i);
		cr_assert_eq(gfx_cache_find(c, &key), i + 1);
	}
	gfx_cache_destroy(c);
	gfx_cache_destroy(NULL);
}

Test(gfx_cache, a_large_cache_holds_six_times_as_much)
{
	struct gfx_cache *c = gfx_cache_create(false);
	bool had = false;
	uint32_t n = 0;
	for (; !had; n++) {
		struct gfx_tile_key key = key_of(n);
		gfx_cache_add(c, &key, &had);
	}
	cr_expect_eq(n - 1, 6400, "100 MB of 16 KB each, far below the 25,600 slots");
	gfx_cache_destroy(c);
}

Test(gfx_cache, a_tile_is_its_colours)
{
	static uint32_t screen[128 * 64];
	const struct pixmap pm = { (const uint8_t *)screen, 128, 64, 128 * 4 };
	struct gfx_cache *c = gfx_cache_create(true);
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
