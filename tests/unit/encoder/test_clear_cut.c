/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cuts follow lines of text, and cover every row once whatever is there. */
#include "encoder/codec/clear_cut.h"

#include <criterion/criterion.h>

#define W 200
#define H 150

static uint32_t screen[W * H];
static const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };
static const struct rect all = { 0, 0, W, H };

static void draw_lines(int32_t pitch, int32_t ink)
{
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = i / W % pitch < ink && i % 3 ? 0x101010 * (uint32_t)(i % 7) : 0xffffff;
}

Test(clear_cut, lines_of_text_become_bands)
{
	draw_lines(18, 14);
	struct clear_cut cut = { 0 };
	int bands = 0;
	for (int32_t y = 0; y < H; y += cut.h) {
		cut = clear_cut_next(&pm, &all, y);
		cr_assert_eq(cut.y, y);
		cr_expect_eq(cut.is_band, y % 18 == 0);
		cr_expect_eq(cut.h, y % 18 == 0 ? (y + 14 > H ? H - y : 14) : 4, "at row %d", y);
		bands += cut.is_band;
	}
	cr_expect_eq(bands, (H + 17) / 18);
}

Test(clear_cut, rows_without_gaps_are_cut_where_it_is_quiet)
{
	draw_lines(1000, 1000);
	struct clear_cut cut = clear_cut_next(&pm, &all, 0);
	cr_expect(cut.is_band && cut.h <= CLEAR_BAR_MAX && cut.h > 8);
	for (int32_t x = 20; x < W; x++)
		screen[30 * W + x] = 5;
	cut = clear_cut_next(&pm, &all, 0);
	cr_expect_eq(cut.h, 30, "the quiet row begins the next band");
}

Test(clear_cut, every_row_once_for_any_width)
{
	draw_lines(11, 9);
	for (int32_t w = 1; w < W; w++) {
		const struct rect r = { W - w, w % 40, w, H - w % 40 };
		struct clear_cut cut;
		int32_t y = 0;
		for (; y < r.h; y += cut.h) {
			cut = clear_cut_next(&pm, &r, y);
			cr_assert(cut.h > 0 && (!cut.is_band || cut.h <= CLEAR_BAR_MAX));
		}
		cr_assert_eq(y, r.h);
	}
}

Test(clear_cut, a_cut_line_grows_to_its_whole)
{
	static const struct {
		int32_t y, h, want_y, want_h;
	} cases[] = { { 5, 70, 0, 86 },   /* from line 0 into line 4: whole lines */
		      { 0, 68, 0, 68 },   /* whole already */
		      { 15, 57, 15, 57 }, /* both edges are quiet */
		      { 10, 30, 0, 40 },  /* a strip: its upper line */
		      { 5, 12, 0, 17 },   /* a thin one, as a dragged window leaves it: the same */
		      { 5, 3, 5, 3 } };   /* a few rows */
	draw_lines(18, 14);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct rect r = { 0, cases[i].y, W, cases[i].h };
		struct rect grown = clear_cut_grow(&pm, &r);
		cr_expect(grown.y == cases[i].want_y && grown.h == cases[i].want_h && grown.w == W, "case %zu: %d, %d", i, grown.y, grown.h);
	}
	draw_lines(1000, 1000);
	const struct rect all_ink = { 0, 40, W, 60 };
	cr_expect_eq(clear_cut_grow(&pm, &all_ink).h, 60, "without a quiet row near, nothing grows");
}

Test(clear_cut, the_background_is_what_most_pixels_are)
{
	draw_lines(18, 4);
	const struct rect band = { 0, 0, W, 18 };
	cr_expect_eq(clear_cut_background(&pm, &band), 0xffffff);
}
