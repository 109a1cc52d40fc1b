/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was only moved is copied, whole and once. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "desk.h"

Test(motion, a_scroll_is_one_copy_and_a_strip)
{
	struct rect all = { 0, 0, 1024, 768 };
	struct op_list list;
	struct desk d;
	int64_t pixels = 0;
	int copies = 0;

	desk_open(&d, 7, 1024, 768, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	draw_page(&d, 48);
	encoder_damage(d.enc, &all, 1);
	list = desk_plan(&d, 0);
	for (size_t i = 0; i < list.len; i++) {
		copies += list.ops[i].kind == OP_COPY;
		pixels += list.ops[i].kind == OP_COPY ? 0 : rect_area(&list.ops[i].rect);
	}
	cr_assert_eq(copies, 1);
	cr_assert_leq(pixels, 1024 * 64);
	desk_close(&d);
}

Test(motion, a_dragged_window_is_a_copy)
{
	const struct rect old = { 200, 150, 400, 300 }, now = { 213, 157, 400, 300 },
			  both = { 200, 150, 413, 307 };
	struct encoder_stats stats;
	struct op_list list;
	uint32_t *window;
	struct desk d;

	desk_open(&d, 11, 1024, 768, ALL_OPS);
	draw_page(&d, 0);
	draw_text(&d, &old);
	draw_text(&d, &old);
	desk_settle(&d, 0);
	window = malloc(400 * 300 * 4);
	for (int32_t y = 0; y < 300; y++)
		memcpy(window + y * 400, px_at(&d, old.x, old.y + y), 1600);
	draw_page(&d, 0);
	for (int32_t y = 0; y < 300; y++)
		memcpy(px_at(&d, now.x, now.y + y), window + y * 400, 1600);
	encoder_damage(d.enc, &both, 1);
	list = desk_plan(&d, 0);
	cr_assert_gt(list.len, 0u);
	cr_assert_eq(list.ops[0].kind, OP_COPY);
	encoder_stats(d.enc, &stats);
	cr_assert_gt(stats.pixels[OP_COPY], 400u * 300 * 8 / 10);
	desk_settle(&d, 0);
	free(window);
	desk_close(&d);
}

static void draw_paragraphs(struct desk *d)
{
	draw_page(d, 0);
	for (int32_t y = 0; y < 768; y += 60)
		for (int32_t i = 0; i < 30 * 1024; i++)
			*px_at(d, i % 1024, PST_MIN(y + i / 1024, 767)) = 0xffffff;
}

/* Where paper stands beside it, some rows match farther out than the rest: what they begin must not cut the window. */
Test(motion, a_window_with_a_title_is_one_copy_wherever_it_stands)
{
	enum { WIDTH = 420, HEIGHT = 300, TITLE = 24, STEPS = 15 };
	static uint32_t window[WIDTH * HEIGHT];
	struct rect all = { 0, 0, 1024, 768 }, at = { 200, 150, WIDTH, HEIGHT }, title = { 200, 150, WIDTH, TITLE };
	struct encoder_stats stats;
	struct desk d;

	desk_open(&d, 11, 1024, 768, ALL_OPS);
	draw_paragraphs(&d);
	draw_text(&d, &at);
	draw_fill(&d, &title);
	for (int32_t y = 0; y < HEIGHT; y++)
		memcpy(window + y * WIDTH, px_at(&d, at.x, at.y + y), sizeof(*window) * WIDTH);
	desk_settle(&d, 0);
	for (int step = 0; step < STEPS; step++) {
		at.x += 13;
		at.y += 7;
		draw_paragraphs(&d);
		for (int32_t y = 0; y < HEIGHT; y++)
			memcpy(px_at(&d, at.x, at.y + y), window + y * WIDTH, sizeof(*window) * WIDTH);
		encoder_damage(d.enc, &all, 1);
		desk_settle(&d, 0);
	}
	encoder_stats(d.enc, &stats);
	cr_assert_gt(stats.pixels[OP_COPY], (uint64_t)STEPS * WIDTH * HEIGHT * 95 / 100);
	desk_close(&d);
}

Test(motion, nothing_is_copied_by_a_front_that_cannot)
{
	struct rect all = { 0, 0, 512, 512 };
	struct encoder_stats stats;
	struct desk d;

	desk_open(&d, 7, 512, 512, OP_BIT(OP_LOSSLESS));
	draw_page(&d, 0);
	desk_settle(&d, 0);
	draw_page(&d, 48);
	encoder_damage(d.enc, &all, 1);
	desk_settle(&d, 0);
	encoder_stats(d.enc, &stats);
	cr_assert_eq(stats.ops[OP_COPY], 0u);
	desk_close(&d);
}
