/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Buffers keep their ceiling and their failure. */
#include "base/buf.h"

#include "base/err.h"

#include <criterion/criterion.h>
#include <string.h>

Test(buf, puts_integers_in_both_orders)
{
	static const uint8_t expected[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 1, 2, 3, 4, 5, 6, 7, 8,
		0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0 };
	struct pst_buf b;

	pst_buf_init(&b, 100);
	pst_buf_put_u8(&b, 1);
	pst_buf_put_be16(&b, 0x0203);
	pst_buf_put_be32(&b, 0x04050607);
	pst_buf_put_be64(&b, 0x0102030405060708);
	pst_buf_put_le16(&b, 0x0203);
	pst_buf_put_le32(&b, 0x04050607);
	pst_buf_put_le64(&b, 0x0102030405060708);
	pst_buf_put_zero(&b, 2);
	cr_assert(!b.failed);
	cr_assert_eq(b.len, sizeof(expected));
	cr_assert_arr_eq(b.data, expected, sizeof(expected));

	pst_buf_poke_be32(&b, 1, 0xaabbccdd);
	cr_assert_eq(b.data[1], 0xaa);
	pst_buf_poke_le32(&b, b.len - 4, 0xaabbccdd);
	cr_assert_eq(b.data[b.len - 1], 0xaa);
	pst_buf_finish(&b);
}

Test(buf, failure_is_sticky_until_reset)
{
	struct pst_buf b;

	pst_buf_init(&b, 4);
	cr_assert_eq(pst_buf_put_be32(&b, 7), 0);
	cr_assert_eq(pst_buf_append(&b, "", 0), 0);
	cr_assert_eq(pst_buf_put_u8(&b, 1), PST_ELIMIT);
	cr_assert(b.failed);
	cr_assert_eq(b.len, 4);
	pst_buf_consume(&b, 4);
	cr_assert_eq(pst_buf_put_u8(&b, 1), PST_ELIMIT);
	cr_assert_null(pst_buf_cstr(&b));
	cr_assert_null(pst_buf_reserve(&b, 1));
	pst_buf_reset(&b);
	cr_assert_eq(pst_buf_put_str(&b, "abcd"), 0);
	cr_assert_str_eq(pst_buf_cstr(&b), "abcd");
	cr_assert_eq(pst_buf_printf(&b, "%d", 5), PST_ELIMIT);
	pst_buf_finish(&b);
}

Test(buf, grows_prints_and_consumes)
{
	struct pst_buf b;

	pst_buf_init(&b, 100000);
	cr_assert_str_eq(pst_buf_cstr(&b), "");
	for (int i = 0; i < 10000; i++)
		pst_buf_printf(&b, "%04d;", i);
	cr_assert(!b.failed);
	cr_assert_eq(b.len, 50000);
	pst_buf_consume(&b, 49990);
	cr_assert_str_eq(pst_buf_cstr(&b), "9998;9999;");

	uint8_t *p = pst_buf_reserve(&b, 3);
	memcpy(p, "xyz", 3);
	pst_buf_commit(&b, 2);
	cr_assert_str_eq(pst_buf_cstr(&b), "9998;9999;xy");
	pst_buf_finish(&b);
	pst_buf_finish(&b);
}

Test(buf, what_is_large_now_and_then_gives_its_memory_back)
{
	struct pst_buf b;

	pst_buf_init(&b, 5000);
	pst_buf_put_zero(&b, 1000);
	pst_buf_reset_to(&b, 1024);
	cr_assert(b.len == 0 && b.cap >= 1000 && b.cap <= 1024);
	pst_buf_put_zero(&b, 5000);
	cr_assert_eq(pst_buf_put_u8(&b, 1), PST_ELIMIT);
	pst_buf_reset_to(&b, 1024);
	cr_assert(b.len == 0 && b.cap == 0 && !b.data && !b.failed && b.max == 5000);
	cr_assert_eq(pst_buf_put_zero(&b, 5000), 0);
	pst_buf_finish(&b);
}

Test(buf, printf_fills_exactly_to_the_ceiling)
{
	struct pst_buf b;

	pst_buf_init(&b, 256);
	cr_assert_eq(pst_buf_printf(&b, "%256s", "x"), 0);
	cr_assert_eq(b.len, 256);
	cr_assert_eq(strlen(pst_buf_cstr(&b)), 256);
	cr_assert_eq(pst_buf_printf(&b, "%s", ""), 0);
	pst_buf_finish(&b);
}
