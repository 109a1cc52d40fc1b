/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks that are as they were, over odd sides; what is still is left as it was compared. */
#include <criterion/criterion.h>
#include <string.h>

#include "desk.h"
#include "encoder/still.h"

static const struct rect region = { 5, 7, 83, 50 }; /* 6 × 4 blocks */

static int count(const uint8_t *still)
{
	int n = 0;

	for (size_t i = 0; i < still_count(region.w, region.h); i++)
		n += still[i];
	return n;
}

Test(still, blocks_with_a_difference_are_found)
{
	const struct {
		int32_t x, y, block;
	} table[] = { { 5, 7, 0 }, { 20, 22, 0 }, { 21, 22, 1 }, { 87, 7, 5 }, { 87, 56, 23 },
		{ 5, 56, 18 } };
	uint8_t still[24];
	struct desk d;

	desk_open(&d, 5, 200, 100, ALL_OPS);
	desk_settle(&d, 0);
	cr_assert_eq(still_count(region.w, region.h), sizeof(still));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t *px = px_at(&d, table[i].x, table[i].y);

		*px ^= 0xff000000;
		still_find(d.enc, &d.screen, &region, still);
		cr_assert_eq(count(still), 24, "the unused byte never counts");
		*px ^= 0x000100;
		still_find(d.enc, &d.screen, &region, still);
		cr_assert(count(still) == 23 && !still[table[i].block], "%d,%d", table[i].x, table[i].y);
		*px ^= 0x000100;
	}
	desk_close(&d);
}

Test(still, touched_blocks_are_not_still)
{
	const struct rect two = { 20, 8, 2, 1 }, outside = { 88, 7, 10, 10 }, all = { 0, 0, 200, 100 };
	uint8_t still[24];

	memset(still, 1, sizeof(still));
	still_clear(still, &region, &outside);
	cr_assert_eq(count(still), 24);
	still_clear(still, &region, &two);
	cr_assert(count(still) == 22 && !still[0] && !still[1]);
	still_clear(still, &region, &all);
	cr_assert_eq(count(still), 0);
}

Test(still, only_what_is_not_still_is_taken)
{
	uint8_t still[24];
	struct desk d;

	desk_open(&d, 5, 200, 100, ALL_OPS);
	desk_settle(&d, 0);
	*px_at(&d, 5, 7) = 0x123456;
	still_find(d.enc, &d.screen, &region, still);
	*px_at(&d, 5, 7) = *px_at(&d, 87, 56) = *px_at(&d, 40, 40) = 0x654321;
	still_take(d.enc, &d.screen, &region, still);
	cr_assert_eq(*encoder_row(d.enc, 5, 7), 0x654321u);
	cr_assert_neq(*encoder_row(d.enc, 87, 56), 0x654321u);
	cr_assert_neq(*encoder_row(d.enc, 40, 40), 0x654321u);
	desk_close(&d);
}
