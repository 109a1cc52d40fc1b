/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damage against change: what is equal is not sent, and what differs is sent as the box that differs. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

Test(refine, nothing_is_sent_for_damage_without_change)
{
	struct rect all = { 0, 0, 300, 200 };
	struct desk d;

	desk_open(&d, 3, 300, 200, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	encoder_damage(d.enc, &all, 1);
	cr_assert(encoder_has_work(d.enc, d.now));
	cr_assert_eq(desk_plan(&d, 0).len, 0);
	encoder_invalidate(d.enc, &all);
	cr_assert_gt(desk_plan(&d, 0).len, 0, "what is invalidated is sent again");
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(refine, a_change_is_sent_as_its_exact_box)
{
	const struct rect boxes[] = { { 0, 0, 1, 1 }, { 70, 70, 9, 16 }, { 299, 199, 1, 1 },
		{ 60, 100, 3, 2 } };
	struct rect all = { 0, 0, 300, 200 };
	struct desk d;

	desk_open(&d, 3, 300, 200, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		struct op_list list;

		for (int32_t y = boxes[i].y; y < boxes[i].y + boxes[i].h; y++)
			for (int32_t x = boxes[i].x; x < boxes[i].x + boxes[i].w; x++)
				*px_at(&d, x, y) ^= 0x00123456;
		encoder_damage(d.enc, &all, 1);
		list = desk_plan(&d, 0);
		cr_assert_eq(list.len, 1u);
		cr_assert_eq(memcmp(&list.ops[0].rect, &boxes[i], sizeof(boxes[i])), 0, "case %zu", i);
	}
	desk_close(&d);
}
