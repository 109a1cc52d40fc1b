/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damage lists: every damaged pixel stays covered, and the list stays short. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capture/merge.h"
#include "base/mem.h"

#define SIDE 300

static void paint(uint8_t *map, const struct rect *r)
{
	for (int y = PST_MAX(r->y, 0); y < PST_MIN(r->y + r->h, SIDE); y++)
		for (int x = PST_MAX(r->x, 0); x < PST_MIN(r->x + r->w, SIDE); x++)
			map[y * SIDE + x] = 1;
}

Test(merge, nothing_is_lost_whatever_the_list)
{
	static uint8_t want[SIDE * SIDE], have[SIDE * SIDE];
	struct rect rects[600];

	srand(42);
	for (int round = 0; round < 60; round++) {
		size_t n = (size_t)(rand() % 600), max = 1 + (size_t)(rand() % 64);
		memset(want, 0, sizeof(want));
		memset(have, 0, sizeof(have));
		for (size_t i = 0; i < n; i++) {
			rects[i] = (struct rect){ rand() % 400 - 50, rand() % 400 - 50, rand() % 60 - 5,
				rand() % 20 - 2 };
			paint(want, &rects[i]);
		}
		n = merge_rects(rects, n, SIDE, SIDE, max);
		cr_assert(n <= max);
		for (size_t i = 0; i < n; i++) {
			cr_assert(rects[i].x >= 0 && rects[i].y >= 0 && rects[i].w > 0 && rects[i].h > 0);
			cr_assert(rects[i].x + rects[i].w <= SIDE && rects[i].y + rects[i].h <= SIDE);
			paint(have, &rects[i]);
		}
		for (size_t i = 0; i < sizeof(want); i++)
			cr_assert(!want[i] || have[i], "round %d pixel %zu", round, i);
	}
}

Test(merge, far_apart_stays_apart_and_close_becomes_one)
{
	struct rect far[] = { { 0, 0, 10, 10 }, { 200, 200, 10, 10 } };
	struct rect close[] = { { 0, 0, 8, 16 }, { 10, 0, 8, 16 }, { 20, 0, 8, 16 } };
	struct rect outside[] = { { 300, 0, 5, 5 }, { -5, 0, 5, 5 }, { 5, 5, 0, 5 } };

	cr_assert_eq(merge_rects(far, 2, SIDE, SIDE, 256), 2u);
	cr_assert_eq(merge_rects(close, 3, SIDE, SIDE, 256), 1u);
	cr_assert(close[0].w == 28 && close[0].h == 16);
	cr_assert_eq(merge_rects(outside, 3, SIDE, SIDE, 256), 0u);
}
