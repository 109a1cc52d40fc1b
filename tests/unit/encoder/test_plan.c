/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Selection and order: a budget is kept, everybody has a turn, text goes before pictures, refinement waits.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

Test(plan, a_budget_cuts_a_frame_and_the_rest_follows)
{
	struct op_list list;
	int frames = 0;
	struct desk d;

	desk_open(&d, 5, 1024, 768, OP_BIT(OP_LOSSLESS));
	draw_page(&d, 0);
	do {
		list = desk_plan(&d, 2000);
		cr_assert_gt(list.len, 0u, "at least one operation is always given");
	} while (++frames < 1000 && list.more);
	cr_assert_gt(frames, 5);
	cr_assert_lt(frames, 1000);
	cr_assert(list.is_exact);
	desk_close(&d);
}

Test(plan, operations_come_as_copies_fills_text_pictures)
{
	static const int place[OP_KINDS] = {
		[OP_COPY] = 0, [OP_FILL] = 1, [OP_LOSSLESS] = 2, [OP_LOSSY] = 3, [OP_VIDEO] = 4
	};
	struct desk d;

	desk_open(&d, 21, 900, 700, ALL_OPS);
	for (int i = 0; i < 60; i++, d.now += 40 * MS) {
		struct rect r = random_rect(&d);
		struct op_list list;

		draw_something(&d, &r);
		list = desk_plan(&d, 0);
		for (size_t k = 1; k < list.len; k++)
			cr_assert_leq(place[list.ops[k - 1].kind], place[list.ops[k].kind]);
	}
	desk_close(&d);
}

Test(plan, a_picture_is_lossy_first_and_exact_when_it_is_still)
{
	struct rect r = { 100, 100, 300, 200 };
	struct op_list list;
	uint64_t drawn;
	struct desk d;

	desk_open(&d, 2, 640, 480, ALL_OPS & ~OP_BIT(OP_COPY));
	desk_settle(&d, 0);
	draw_picture(&d, &r);
	encoder_damage(d.enc, &r, 1);
	drawn = d.now;
	list = desk_plan(&d, 0);
	cr_assert(!list.is_exact);
	cr_assert(!encoder_has_work(d.enc, d.now + 100 * MS));
	cr_assert_eq(encoder_next_due(d.enc), drawn + 150 * MS);
	d.now = drawn + 150 * MS;
	cr_assert(encoder_has_work(d.enc, d.now));
	do {
		list = desk_plan(&d, 0);
		for (size_t i = 0; i < list.len; i++)
			cr_assert(list.ops[i].is_refine && list.ops[i].kind == OP_LOSSLESS);
	} while (list.more);
	cr_assert(list.is_exact);
	cr_assert_eq(encoder_next_due(d.enc), UINT64_MAX);
	desk_close(&d);
}
