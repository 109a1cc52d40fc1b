/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The marks of tiles: lossy, rate, and damage with hostile numbers. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "encoder/tiles.h"

#define BIG 2147483647

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
	cr_assert(tile_is_moving(&t), "as of its last update");
	tile_touch(&t, 9000 * ms);
	cr_assert_not(tile_is_moving(&t));
	tile_touch(&t, 9100 * ms);
	cr_assert(tile_is_moving(&t));
	tile_moved(&t);
	cr_assert_not(tile_is_moving(&t), "the newest was a move");
	cr_assert_eq(tile_rate(&t, 9100 * ms), 1);
	t.is_forced = true;
	tile_touch(&t, 20000 * ms);
	cr_assert_eq(tile_rate(&t, 20000 * ms), 0, "sent again is not changed");
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

Test(tiles, small_damage_of_its_own_may_be_an_echo)
{
	const struct rect large = { 0, 0, 200, 100 }, letter = { 70, 70, 9, 13 }, next = { 79, 70, 9, 13 }, far = { 64, 120, 60, 8 };
	struct tiles t;

	cr_assert_eq(tiles_init(&t, 200, 200), 0);
	tiles_damage(&t, &large, false);
	cr_assert(box_is_empty(&tiles_at(&t, 1, 1)->echo));
	tiles_damage(&t, &letter, false);
	tiles_damage(&t, &next, false);
	cr_assert_eq(box_area(&tiles_at(&t, 1, 1)->echo), 18 * 13);
	tiles_damage(&t, &far, false);
	cr_assert_eq(box_area(&tiles_at(&t, 1, 1)->echo), 60 * 8, "two that are far apart are no letter: the newest is");
	tiles_finish(&t);
}

Test(tiles, half_of_the_slots_make_a_film)
{
	struct tile t = { .change = { 0, 0, 64, 64 } };

	for (uint64_t at = 1000; at < 1200; at += 50)
		tile_touch(&t, at * 1000000);
	cr_assert(tile_is_moving(&t) && !tile_is_hot(&t));
	tile_touch(&t, UINT64_C(1200000000));
	cr_assert(tile_is_hot(&t));
}
