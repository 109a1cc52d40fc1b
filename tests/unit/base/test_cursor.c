/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short data fails once and for ever. */
#include "base/cursor.h"

#include <criterion/criterion.h>
#include <string.h>

Test(cursor, reads_integers_in_both_orders)
{
	uint8_t d[31];
	struct pst_cursor c;

	for (size_t i = 0; i < sizeof(d); i++)
		d[i] = (uint8_t)i;
	pst_cursor_init(&c, d, sizeof(d));
	cr_assert_eq(pst_cursor_u8(&c), 0);
	cr_assert_eq(pst_cursor_be16(&c), 0x0102);
	cr_assert_eq(pst_cursor_be32(&c), 0x03040506);
	cr_assert_eq(pst_cursor_be64(&c), 0x0708090a0b0c0d0e);
	cr_assert_eq(pst_cursor_le16(&c), 0x100f);
	cr_assert_eq(pst_cursor_le32(&c), 0x14131211);
	cr_assert_eq(pst_cursor_le64(&c), 0x1c1b1a1918171615);
	cr_assert_eq(pst_cursor_left(&c), 2);
	cr_assert(pst_cursor_ok(&c));
}

Test(cursor, every_truncation_fails_and_stays_failed)
{
	const uint8_t d[14] = { 1, 2, 3 };

	for (size_t len = 0; len <= sizeof(d); len++) {
		struct pst_cursor c;

		pst_cursor_init(&c, d, len);
		pst_cursor_be16(&c);
		pst_cursor_le64(&c);
		pst_cursor_le32(&c);
		cr_assert_eq(pst_cursor_ok(&c), len == sizeof(d), "%zu", len);
		cr_assert_eq(pst_cursor_left(&c), 0);
		cr_assert_eq(pst_cursor_u8(&c), 0);
		cr_assert(!pst_cursor_ok(&c));
	}
}

Test(cursor, borrows_copies_and_skips)
{
	struct pst_cursor c;
	char out[4] = "zzz";

	pst_cursor_init(&c, "abcdef", 6);
	cr_assert_eq(memcmp(pst_cursor_bytes(&c, 2), "ab", 2), 0);
	pst_cursor_skip(&c, 1);
	cr_assert(pst_cursor_copy(&c, out, 3));
	cr_assert_str_eq(out, "def");
	cr_assert_not_null(pst_cursor_bytes(&c, 0));
	cr_assert(!pst_cursor_copy(&c, out, 3));
	cr_assert_eq(out[0], 0);
	cr_assert_null(pst_cursor_bytes(&c, 0));

	pst_cursor_init(&c, NULL, 0);
	cr_assert_not_null(pst_cursor_bytes(&c, 0));
	pst_cursor_skip(&c, SIZE_MAX);
	cr_assert(!pst_cursor_ok(&c));
	pst_cursor_init(&c, "x", 1);
	pst_cursor_fail(&c);
	cr_assert_eq(pst_cursor_u8(&c), 0);
}
