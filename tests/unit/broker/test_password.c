/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Password hashes: PHC strings, costs, and the same work for nobody. */
#include "broker/auth/password.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

Test(password, a_hash_is_salted_argon2id_and_fits_only_its_password)
{
	char a[PASSWORD_PHC_SIZE], b[PASSWORD_PHC_SIZE];
	bool rehash = true;

	cr_assert_eq(password_hash("a long one", a), 0);
	cr_assert_eq(password_hash("a long one", b), 0);
	cr_expect(strncmp(a, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
	cr_expect_str_neq(a, b);
	cr_expect(password_verify(a, "a long one", &rehash));
	cr_expect_not(rehash);
	cr_expect_not(password_verify(a, "a long onE", NULL));
	cr_expect_not(password_verify(a, "", NULL));
}

Test(password, strings_that_are_no_hash_or_cost_too_much_are_refused)
{
	static const char *const bad[] = {"", "x", "$argon2id$v=19$m=4000000,t=2,p=1$AAAAAAAAAAA$AAAA",
		"$argon2id$v=19$m=19456,t=999,p=1$AAAAAAAAAAA$AAAA", "$argon2i$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(password_verify(bad[i], "a long one", NULL));
	cr_expect_not(password_verify(NULL, "a long one", NULL));
}

static double cost(const char *phc)
{
	clock_t begin = clock();

	password_verify(phc, "a wrong one", NULL);
	return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

Test(password, nobody_costs_as_much_as_somebody)
{
	char phc[PASSWORD_PHC_SIZE];
	double known = 0, unknown = 0;

	cr_assert_eq(password_hash("a long one", phc), 0);
	for (int i = 0; i < 5; i++) {
		known += cost(phc);
		unknown += cost(NULL);
	}
	cr_expect_gt(unknown, known * 0.5);
	cr_expect_lt(unknown, known * 2);
}

Test(password, rules_are_length_and_readable_characters)
{
	char longest[PASSWORD_MAX_BYTES + 2];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_eq(password_check("12345678", NULL), 0);
	cr_expect_eq(password_check("ññññññññ", NULL), 0);
	cr_expect_eq(password_check("ñññññññ", NULL), PST_EINVAL);
	cr_expect_eq(password_check("1234567\t", NULL), PST_EINVAL);
	cr_expect_eq(password_check(longest, NULL), PST_EINVAL);
	cr_expect_eq(password_hash(longest, (char[PASSWORD_PHC_SIZE]){0}), PST_ELIMIT);
}
