/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lobby's canvas: clipped, blended, smooth at the corners. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/source/lobby/canvas.h"

#define W 20
#define H 10
#define GUARD 0xdeadbeef

static uint32_t pixels[W * (H + 2)];

/* One row of guards above and below. */
static void start(struct canvas *c)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(pixels); i++)
		pixels[i] = i < W || i >= W * (H + 1) ? GUARD : 0xffffff;
	canvas_init(c, pixels + W, W, H);
}

static void check_guards(void)
{
	for (size_t i = 0; i < W; i++)
		cr_assert(pixels[i] == GUARD && pixels[W * (H + 1) + i] == GUARD);
}

Test(canvas, test_nothing_is_drawn_outside)
{
	static const struct rect rects[] = { { -5, -5, 100, 100 }, { 19, 9, 5, 5 }, { -100, -100, 5, 5 }, { 100, 100, 5, 5 }, { 3, 3, 0, -4 }, { 0, 0, INT32_MAX, INT32_MAX } };
	static const uint8_t full[9] = { 255, 255, 255, 255, 255, 255, 255, 255, 255 };

	for (size_t i = 0; i < PST_ARRAY_LEN(rects); i++) {
		struct canvas c;

		start(&c);
		canvas_fill(&c, &rects[i], 0x123456);
		canvas_fill_round(&c, &rects[i], 4, 0x123456);
		canvas_cover(&c, rects[i].x, rects[i].y, 3, 3, full, 3, 0x123456);
		check_guards();
	}
}

Test(canvas, test_clip_bounds_every_drawing)
{
	const struct rect clip = { 5, 2, 4, 3 }, all = { 0, 0, W, H }, far = { 100, 100, 5, 5 };
	struct canvas c;

	start(&c);
	canvas_clip(&c, &clip);
	canvas_fill(&c, &all, 0);
	for (int32_t i = 0; i < W * H; i++) {
		const struct rect here = { i % W, i / W, 1, 1 };

		cr_assert_eq(c.pixels[i], rect_contains(&clip, &here) ? 0 : 0xffffff);
	}
	canvas_clip(&c, &far);
	canvas_fill(&c, &all, 0x111111);
	cr_assert_eq(c.pixels[5 + 2 * W], 0);
}

Test(canvas, test_coverage_mixes_and_corners_are_round)
{
	const struct rect all = { 0, 0, W, H };
	static const uint8_t half[2] = { 128, 0 };
	struct canvas c;

	start(&c);
	canvas_cover(&c, 1, 1, 2, 1, half, 2, 0);
	cr_assert_eq(c.pixels[W + 1], 0x7f7f7f);
	cr_assert_eq(c.pixels[W + 2], 0xffffff);
	canvas_fill_round(&c, &all, 4, 0x0000ff);
	cr_assert_eq(c.pixels[0], 0xffffff);
	cr_assert_eq(c.pixels[W - 1], 0xffffff);
	cr_assert_eq(c.pixels[W * H - 1], 0xffffff);
	cr_assert_eq(c.pixels[W * H / 2 + W / 2], 0x0000ff);
	cr_assert_eq(c.pixels[5], 0x0000ff);
}
