/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rectangles: tables of cases, with hostile numbers. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "encoder/rect.h"

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
