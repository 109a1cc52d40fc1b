/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of people and things: what is data and what is refused. */
#include "broker/auth/names.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

Test(names, any_readable_text_is_a_name_and_nothing_hidden_is)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{"ana", true}, {"ñandú", true}, {"日本語", true}, {"<b>'\";--", true}, {"a b", true}, {"..", true}, {"%n%s", true},
		{"", false}, {" a", false}, {"a ", false}, {"a\tb", false}, {"a\x7f", false}, {"\xc2\x85x", false},
		{"a\xe2\x80\xae", false}, {"a\xe2\x80\x8b", false}, {"\xff", false}, {"a\xc0\x80", false}, {"\xc2\xa0x", false},
		{"\xef\xbb\xbfx", false},
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_expect_eq(name_check("name", cases[i].name, &err) == 0, cases[i].ok, "case %zu: %s", i, err.text);
	}
}

Test(names, length_is_counted_in_characters)
{
	char name[65 * 2 + 1] = "";

	for (int i = 0; i < 64; i++)
		strcat(name, "ñ");
	cr_expect_eq(name_check("name", name, NULL), 0);
	strcat(name, "ñ");
	cr_expect_eq(name_check("name", name, NULL), PST_EINVAL);
}

Test(names, a_slug_is_safe_in_paths_and_urls)
{
	cr_expect_eq(slug_check("name", "pool-1.a_B", NULL), 0);
	static const char *const bad[] = {"", "-a", ".a", "a b", "a/b", "ñ", "a%"};
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_expect_eq(slug_check("name", bad[i], NULL), PST_EINVAL, "%s", bad[i]);
}

Test(names, user_and_pool_are_parted_at_the_first_hash)
{
	char user[16], pool[16];

	cr_expect_eq(username_split("ana#pool", user, sizeof(user), pool, sizeof(pool)), 0);
	cr_expect_str_eq(user, "ana");
	cr_expect_str_eq(pool, "pool");
	cr_expect_eq(username_split("ana", user, sizeof(user), pool, sizeof(pool)), 0);
	cr_expect_str_eq(pool, "");
	cr_expect_eq(username_split("#pool", user, sizeof(user), pool, sizeof(pool)), PST_EINVAL);
	cr_expect_eq(username_split("an_over_long_user", user, sizeof(user), pool, sizeof(pool)), PST_EINVAL);
	cr_expect_eq(username_check("a#b", NULL), PST_EINVAL);
}
