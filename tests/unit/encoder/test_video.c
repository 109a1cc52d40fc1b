/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regions that move: begun, encoded, ended, refined. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

Test(video, a_moving_picture_becomes_a_video_and_ends_exact)
{
	struct rect clip = { 101, 51, 323, 241 };
	struct encoder_stats stats;
	uint32_t region = 0;
	int units = 0, keys = 0;
	struct desk d;

	desk_open(&d, 9, 800, 600, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		struct op_list list = desk_plan(&d, 0);

		for (size_t i = 0; i < list.len; i++) {
			if (list.ops[i].kind != OP_VIDEO)
				continue;
			cr_assert_eq(memcmp(list.ops[i].video.data, "\0\0\0\1", 4), 0, "Annex B");
			cr_assert(rect_contains(&list.ops[i].rect, &clip) || region == 0);
			region = list.ops[i].video.region;
			units++;
			keys += list.ops[i].video.is_key;
		}
	}
	cr_assert_gt(units, 30);
	cr_assert_leq(keys, 2);
	desk_settle(&d, 20000);
	encoder_stats(d.enc, &stats);
	cr_assert_gt(stats.refined_pixels, 0);
	desk_close(&d);
}

Test(video, moving_text_is_no_video)
{
	struct encoder_stats stats;
	struct rect r = { 100, 100, 320, 240 };
	struct desk d;

	desk_open(&d, 9, 800, 600, ALL_OPS);
	for (int frame = 0; frame < 40; frame++, d.now += 33 * MS) {
		draw_fill(&d, &r);
		draw_text(&d, &r);
		encoder_damage(d.enc, &r, 1);
		desk_plan(&d, 0);
	}
	encoder_stats(d.enc, &stats);
	cr_assert_eq(stats.ops[OP_VIDEO], 0u);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(video, a_distrusted_region_begins_again_with_a_key)
{
	struct rect clip = { 64, 64, 320, 240 };
	int keys = 0;
	struct desk d;

	desk_open(&d, 9, 640, 480, ALL_OPS);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		struct op_list list;

		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		if (frame == 40)
			encoder_invalidate(d.enc, &clip);
		list = desk_plan(&d, 0);
		for (size_t i = 0; i < list.len; i++)
			keys += list.ops[i].kind == OP_VIDEO && list.ops[i].video.is_key && frame >= 40;
	}
	cr_assert_eq(keys, 1);
	desk_settle(&d, 0);
	desk_close(&d);
}
