/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A region covers what was added, within its ceiling. */
#include <criterion/criterion.h>

#include "encoder/region.h"
#include "model.h"

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
