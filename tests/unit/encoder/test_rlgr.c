/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RLGR3: known bytes, and what does not fit; tests/unit/rdp reads pictures of it with the library's decoder. */
#include "encoder/codec/rlgr.h"

#include <criterion/criterion.h>
#include <string.h>

Test(rlgr, few_coefficients_have_few_bytes)
{
	static int16_t data[4096];
	uint8_t out[64];
	size_t empty = rlgr3_encode(data, 4096, out, sizeof(out));
	cr_expect_leq(empty, 8, "zeros are runs");
	data[0] = 1;
	cr_expect_gt(rlgr3_encode(data, 4096, out, sizeof(out)), 0);
	/* k is 1: a one ends the run of no zeros, whose length takes one bit; the sign; a number less one is a zero bit. */
	static const int16_t one[1] = { 1 };
	cr_expect_eq(rlgr3_encode(one, 1, out, sizeof(out)), 1);
	cr_expect_eq(out[0], 0x80);
	static const int16_t minus[1] = { -1 };
	cr_expect_eq(rlgr3_encode(minus, 1, out, sizeof(out)), 1);
	cr_expect_eq(out[0], 0xa0);
}

Test(rlgr, what_does_not_fit_is_told)
{
	static int16_t data[4096];
	static uint8_t out[20000], guard[8] = { 0 };
	for (int i = 0; i < 4096; i++)
		data[i] = (int16_t)(i * 7919 % 4001 - 2000);
	size_t all = rlgr3_encode(data, 4096, out, sizeof(out) - 8);
	cr_assert_gt(all, 4096);
	for (size_t max = 0; max < all; max += 13) {
		memset(out + max, 0, 8);
		cr_assert_eq(rlgr3_encode(data, 4096, out, max), 0);
		cr_assert_arr_eq(out + max, guard, 8);
	}
	cr_expect_eq(rlgr3_encode(data, 4096, out, all), all);
}
