/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monitor layouts: the primary one counts, impossible ones are refused. */
#include <criterion/criterion.h>

#include "protocol/front/rdp/disp.h"

static int layout(uint32_t count, uint32_t width, uint32_t height, size_t cut, struct disp_layout *ret)
{
	struct pst_buf b;
	struct pst_err err;
	pst_buf_init(&b, 4096);
	pst_buf_put_le32(&b, 2);
	pst_buf_put_le32(&b, 16 + 40 * count);
	pst_buf_put_le32(&b, 40);
	pst_buf_put_le32(&b, count);
	for (uint32_t i = 0; i < count && i < 20; i++) {
		pst_buf_put_le32(&b, i == 0);
		pst_buf_put_zero(&b, 8);
		pst_buf_put_le32(&b, width + i);
		pst_buf_put_le32(&b, height);
		pst_buf_put_zero(&b, 12);
		pst_buf_put_le32(&b, 150);
		pst_buf_put_le32(&b, 100);
	}
	int r = disp_parse(b.data, b.len - cut, ret, &err);
	pst_buf_finish(&b);
	return r;
}

Test(rdp_disp, the_primary_monitor_is_the_wish)
{
	struct disp_layout got = { 0 };
	cr_assert_eq(layout(2, 1280, 720, 0, &got), 1);
	cr_expect_eq(got.width, 1280);
	cr_expect_eq(got.height, 720);
	cr_expect_eq(got.scale_pct, 150);
}

Test(rdp_disp, impossible_layouts_are_refused)
{
	struct disp_layout got = { 0 };
	cr_expect_lt(layout(0, 1280, 720, 0, &got), 0, "no monitor");
	cr_expect_lt(layout(17, 1280, 720, 0, &got), 0, "too many");
	cr_expect_lt(layout(1, 1280, 720, 1, &got), 0, "cut short");
	cr_expect_lt(layout(1, 0, 0, 0, &got), 0, "nothing");
	cr_expect_lt(layout(1, 65535, 65535, 0, &got), 0, "too large");
	cr_expect_lt(layout(1, 0xffffffff, 720, 0, &got), 0, "negative");
}
