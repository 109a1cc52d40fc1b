/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rectangles, regions and the marks of tiles: tables of cases, with hostile numbers. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "encoder/pixmap.h"
#include "encoder/region.h"
#include "encoder/tiles.h"
#include "model.h"

#define BIG 2147483647

static bool same(const struct rect *a, const struct rect *b)
{
	return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

Test(rect, intersections_and_hulls)
{
	const struct {
		struct rect a, b, common, hull;
	} table[] = {
		{ { 0, 0, 10, 10 }, { 5, 5, 10, 10 }, { 5, 5, 5, 5 }, { 0, 0, 15, 15 } },
		{ { 0, 0, 10, 10 }, { 10, 0, 5, 5 }, { 0, 0, 0, 0 }, { 0, 0, 15, 10 } },
		{ { 0, 0, 10, 10 }, { 3, 3, 0, 5 }, { 0, 0, 0, 0 }, { 0, 0, 10, 10 } },
		{ { 0, 0, -4, 10 }, { 3, 3, 2, 5 }, { 0, 0, 0, 0 }, { 3, 3, 2, 5 } },
		{ { -5, -5, 10, 10 }, { 0, 0, 8, 8 }, { 0, 0, 5, 5 }, { -5, -5, 13, 13 } },
		{ { BIG, BIG, BIG, BIG }, { 0, 0, 8, 8 }, { 0, 0, 0, 0 }, { 0, 0, BIG, BIG } },
		{ { 100, 0, BIG, 1 }, { 0, 0, 200, 1 }, { 100, 0, 100, 1 }, { 0, 0, BIG, 1 } },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		struct rect common, hull = rect_union(&table[i].a, &table[i].b);
		bool meets = rect_intersect(&table[i].a, &table[i].b, &common);

		cr_assert(same(&common, &table[i].common), "case %zu", i);
		cr_assert_eq(meets, !rect_is_empty(&table[i].common), "case %zu", i);
		cr_assert(same(&hull, &table[i].hull), "case %zu", i);
	}
}

Test(rect, containment_and_area)
{
	const struct rect screen = { 0, 0, 100, 100 }, inside = { 99, 99, 1, 1 }, over = { 99, 99, 2, 1 },
			  wrap = { 50, 50, BIG, BIG };
	const struct rect largest = { 0, 0, BIG, BIG };

	cr_assert(rect_contains(&screen, &inside));
	cr_assert(!rect_contains(&screen, &over));
	cr_assert(!rect_contains(&screen, &wrap));
	cr_assert_eq(rect_area(&largest), (int64_t)BIG * BIG);
	cr_assert_eq(rect_area(&(struct rect){ 0, 0, -3, -3 }), 0);
}

Test(rect, a_pixmap_must_lie_in_its_memory)
{
	static const uint32_t px[16];
	const struct {
		struct pixmap p;
		uint64_t bytes;
		bool ok;
	} table[] = {
		{ { (const uint8_t *)px, 4, 4, 16 }, 64, true },
		{ { (const uint8_t *)px, 4, 4, 16 }, 63, false },
		{ { (const uint8_t *)px, 3, 4, 16 }, 60, true },
		{ { (const uint8_t *)px, 4, 4, 12 }, 64, false },
		{ { (const uint8_t *)px, 0, 4, 16 }, 64, false },
		{ { (const uint8_t *)px, 4, 65535, 16 }, 64, false },
		{ { (const uint8_t *)px, 8192, 8192, 4294967292u }, 64, false },
		{ { (const uint8_t *)px, 4, 4, 17 }, 100, false },
		{ { (const uint8_t *)px + 1, 3, 3, 16 }, 60, false },
		{ { NULL, 4, 4, 16 }, 64, false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++)
		cr_assert_eq(pixmap_is_valid(&table[i].p, table[i].bytes), table[i].ok, "case %zu", i);
}

static bool covers(const struct region *g, const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			if (!region_touches(g, &(struct rect){ x, y, 1, 1 }))
				return false;
	return true;
}

Test(region, covers_whatever_was_added_within_its_ceiling)
{
	uint32_t seed = 4;

	for (int round = 0; round < 20; round++) {
		struct rect added[100];
		struct region g;

		region_clear(&g);
		for (int i = 0; i < 100; i++) {
			added[i] = (struct rect){ model_below(&seed, 300), model_below(&seed, 300),
				model_below(&seed, 30), model_below(&seed, 30) };
			region_add(&g, &added[i]);
			cr_assert_leq(g.len, (size_t)REGION_RECTS_MAX);
		}
		region_limit(&g, 3);
		cr_assert_leq(g.len, 3u);
		for (int i = 0; i < 100; i++)
			cr_assert(covers(&g, &added[i]));
	}
}

Test(tiles, a_copy_carries_the_marks_of_its_source)
{
	const struct rect lossy = { 10, 10, 20, 20 }, exact = { 0, 0, 200, 200 }, copy = { 100, 100, 50, 50 };
	struct tiles t;

	cr_assert_eq(tiles_init(&t, 200, 200), 0);
	tiles_mark_lossy(&t, &lossy);
	tiles_copy_marks(&t, &copy, 15, 5);
	cr_assert(!box_is_empty(&tiles_at(&t, 1, 1)->lossy), "15,5 to 65,55 holds lossy pixels");
	cr_assert(!box_is_empty(&tiles_at(&t, 0, 0)->lossy), "the source stays as it was");
	tiles_copy_marks(&t, &copy, 120, 0);
	cr_assert(box_is_empty(&tiles_at(&t, 1, 1)->lossy), "an exact source makes it exact");
	tiles_mark_exact(&t, &(struct rect){ 0, 0, 15, 200 });
	cr_assert(!box_is_empty(&tiles_at(&t, 0, 0)->lossy), "half of it is not enough");
	tiles_mark_exact(&t, &exact);
	cr_assert(box_is_empty(&tiles_at(&t, 0, 0)->lossy));
	tiles_finish(&t);
	tiles_finish(&t);
}

Test(tiles, the_rate_counts_half_a_second)
{
	struct tile t = { .change = { 0, 0, 64, 64 } };
	const uint64_t ms = 1000000;

	for (uint64_t at = 1000; at < 1500; at += 33)
		tile_touch(&t, at * ms);
	cr_assert_eq(tile_rate(&t, 1499 * ms), 10);
	cr_assert_eq(tile_rate(&t, 1750 * ms), 4);
	cr_assert_eq(tile_rate(&t, 2000 * ms), 0);
	cr_assert_eq(tile_rate(&t, 1000000 * ms), 0);
	t.is_forced = true;
	tile_touch(&t, 2000 * ms);
	cr_assert_eq(tile_rate(&t, 2000 * ms), 0, "sent again is not changed");
}

Test(tiles, hostile_damage_is_clipped)
{
	const struct rect bad[] = { { -BIG, -BIG, BIG, BIG }, { BIG, BIG, BIG, BIG }, { -5, -5, BIG, BIG },
		{ 3, 3, -1, 5 }, { 0, 0, 0, 0 } };
	struct tiles t;

	cr_assert_eq(tiles_init(&t, 65, 1), 0);
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		tiles_damage(&t, &bad[i], false);
	cr_assert_eq(tiles_at(&t, 0, 0)->damage.x1, 64);
	cr_assert_eq(tiles_at(&t, 1, 0)->damage.x1, 1);
	cr_assert_eq(tiles_at(&t, 1, 0)->damage.y1, 1);
	tiles_finish(&t);
}
