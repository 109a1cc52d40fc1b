/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets compare in constant time and wipe themselves. */
#include "base/secret.h"

#include "base/err.h"

#include <criterion/criterion.h>

Test(secret, holds_wipes_and_refuses_too_much)
{
	struct pst_secret s;

	cr_assert_eq(pst_secret_init_str(&s, "hunter2"), 0);
	cr_assert_eq(s.len, 7);
	cr_assert_str_eq(pst_secret_str(&s), "hunter2");
	pst_secret_finish(&s);
	pst_secret_finish(&s);
	cr_assert_str_eq(pst_secret_str(&s), "");

	cr_assert_eq(pst_secret_init_copy(&s, NULL, 0), 0);
	cr_assert_str_eq(pst_secret_str(&s), "");
	pst_secret_finish(&s);
	cr_assert_eq(pst_secret_init_copy(&s, "x", PST_SECRET_MAX + 1), PST_ELIMIT);
	cr_assert_null(s.data);
	cr_assert_eq(pst_secret_init_random(&s, 32), 0);
	cr_assert_eq(s.len, 32);
	pst_secret_finish(&s);

	char bytes[] = "abc";
	pst_wipe(bytes, 3);
	cr_assert_eq(bytes[0] | bytes[1] | bytes[2], 0);
	pst_wipe(NULL, 0);
}

Test(secret, compares_bytes_and_texts)
{
	cr_assert(pst_equal_ct("abc", "abc", 3));
	cr_assert(!pst_equal_ct("abc", "abd", 3));
	cr_assert(pst_equal_ct("a", "b", 0));
	cr_assert(pst_str_equal_ct("token", "token"));
	cr_assert(!pst_str_equal_ct("token", "token2"));
	cr_assert(!pst_str_equal_ct("token", ""));
}
