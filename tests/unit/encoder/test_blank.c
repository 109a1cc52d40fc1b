/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paper where repeats follow, the sent picture elsewhere, and nothing beyond a ceiling. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "encoder/blank.h"

#define W 40
#define H 30

Test(blank, paper_stands_where_repeats_follow)
{
	static uint32_t px[W * H];
	const struct op_repeat repeats[] = { { { 10, 8, 5, 4 }, 0, 0 }, { { 29, 19, 1, 1 }, 3, 3 } };
	const struct op op = { .kind = OP_LOSSLESS, .rect = { 6, 5, 24, 15 }, .lossless = { repeats, 2, 0xffffff } };
	const struct pixmap sent = { (const uint8_t *)px, W, H, W * 4 };
	struct pixmap got;
	struct pst_buf buf;

	for (uint32_t i = 0; i < W * H; i++)
		px[i] = i;
	pst_buf_init(&buf, 24 * 15 * 4);
	cr_assert_eq(blank_repeats(&op, &sent, &buf, &got), 0);
	cr_assert(got.width == 24 && got.height == 15);
	for (int32_t y = 5; y < 20; y++)
		for (int32_t x = 6; x < 30; x++) {
			bool is_blank = (x >= 10 && x < 15 && y >= 8 && y < 12) || (x == 29 && y == 19);

			cr_assert_eq(*pixmap_at(&got, x - 6, y - 5), is_blank ? 0xffffffu : (uint32_t)(y * W + x), "%d, %d", x, y);
		}
	pst_buf_finish(&buf);
	pst_buf_init(&buf, 24 * 15 * 4 - 1);
	cr_assert_eq(blank_repeats(&op, &sent, &buf, &got), PST_ELIMIT);
	pst_buf_finish(&buf);
}
