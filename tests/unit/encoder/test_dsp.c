/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels in C: what is expected of every other table is right in the first place. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/dsp/dsp.h"

Test(dsp, colours_land_where_bt709_full_range_has_them)
{
	const struct {
		uint32_t rgb;
		int y, u, v;
	} table[] = { { 0x000000, 0, 128, 128 }, { 0xffffff, 255, 128, 128 }, { 0xff0000, 54, 99, 255 },
		{ 0x00ff00, 182, 30, 12 }, { 0x0000ff, 18, 255, 116 }, { 0x808080, 128, 128, 128 } };
	uint32_t row[8];
	uint8_t y0[8], y1[8], u[4], v[4];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (int k = 0; k < 8; k++)
			row[k] = table[i].rgb;
		dsp_best()->i420_rows(row, row, 8, y0, y1, u, v);
		cr_assert(abs(y0[0] - table[i].y) <= 1 && abs(u[0] - table[i].u) <= 1 &&
				  abs(v[3] - table[i].v) <= 1,
			"%06x gives %d %d %d", table[i].rgb, y0[0], u[0], v[0]);
	}
}

Test(dsp, the_unused_byte_never_counts)
{
	const uint32_t a[5] = { 1, 2, 3, 4, 5 }, b[5] = { 0xff000001, 2, 0xaa000003, 4, 7 };
	int32_t first, last;
	uint32_t out[5];

	cr_assert(dsp_c.same_row(a, b, 4) && !dsp_c.same_row(a, b, 5));
	cr_assert(dsp_c.diff_row(a, b, 5, &first, &last) && first == 4 && last == 4);
	cr_assert(!dsp_c.diff_row(a, b, 4, &first, &last));
	cr_assert_eq(dsp_c.hash_row(a, 4), dsp_c.hash_row(b, 4));
	cr_assert_neq(dsp_c.hash_row(a, 5), dsp_c.hash_row(b, 5));
	dsp_c.copy_row(out, b, 5);
	cr_assert_eq(memcmp(out, a, 16), 0);
}

Test(dsp, rows_of_one_colour_have_no_hash_and_places_count)
{
	const uint32_t plain[11] = { 7, 7, 0xff000007, 7, 7, 7, 7, 7, 7, 7, 7 };
	uint32_t left[11], right[11];

	memcpy(left, plain, sizeof(plain));
	memcpy(right, plain, sizeof(plain));
	left[2] = right[10] = 9;
	for (int32_t n = 1; n <= 11; n++)
		cr_assert_eq(dsp_c.hash_row(plain, n), 0);
	cr_assert_neq(dsp_c.hash_row(left, 11), 0);
	cr_assert_neq(dsp_c.hash_row(left, 11), dsp_c.hash_row(right, 11));
	cr_assert_neq(dsp_c.hash_row(left, 10), dsp_c.hash_row(left, 11));
}
