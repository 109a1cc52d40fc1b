/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing delays: hours pass here in a microsecond. */
#include "broker/auth/penalty.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct penalty_rule rule = {.free_failures = 2, .base_ms = 1000, .max_ms = 8000, .fade_ms = 60000};

Test(penalty, delays_double_up_to_the_ceiling)
{
	static const uint64_t want[] = {0, 0, 1000, 2000, 4000, 8000, 8000, 8000};
	struct penalty *p = penalty_create(&rule, 64);

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_expect_eq(penalty_fail(p, "ana", 5000), want[i]);
	cr_expect_eq(penalty_wait_ms(p, "ana", 5000), 8000);
	cr_expect_eq(penalty_wait_ms(p, "ana", 12999), 1);
	cr_expect_eq(penalty_wait_ms(p, "ana", 13000), 0);
	cr_expect_eq(penalty_wait_ms(p, "eva", 5000), 0);
	penalty_destroy(p);
}

Test(penalty, a_success_forgets_and_time_fades)
{
	struct penalty *p = penalty_create(&rule, 64);

	for (int i = 0; i < 5; i++)
		penalty_fail(p, "ana", 0);
	penalty_clear(p, "ana");
	cr_expect_eq(penalty_wait_ms(p, "ana", 0), 0);
	cr_expect_eq(penalty_count(p), 0);
	for (int i = 0; i < 5; i++)
		penalty_fail(p, "eva", 0);
	cr_expect_eq(penalty_fail(p, "eva", 3 * 60000), 1000, "two of five are left, this is the third");
	penalty_destroy(p);
	penalty_destroy(NULL);
}

Test(penalty, a_million_names_fill_no_memory)
{
	struct penalty *p = penalty_create(&rule, 128);
	char name[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		penalty_fail(p, name, (uint64_t)i);
	}
	cr_expect_leq(penalty_count(p), 128);
	penalty_destroy(p);
}

Test(penalty, so_many_failures_close_the_door_until_it_is_opened)
{
	struct penalty_rule hard = rule;
	struct penalty *p;

	hard.block_failures = 4;
	p = penalty_create(&hard, 64);
	for (int i = 0; i < 3; i++)
		cr_expect_neq(penalty_fail(p, "ana", 0), PENALTY_BLOCKED);
	cr_expect_eq(penalty_fail(p, "ana", 0), PENALTY_BLOCKED);
	cr_expect_eq(penalty_wait_ms(p, "ana", UINT64_MAX - 1), PENALTY_BLOCKED);
	penalty_clear(p, "ana");
	cr_expect_eq(penalty_wait_ms(p, "ana", 0), 0);
	penalty_destroy(p);
}

Test(penalty, a_clock_that_was_set_back_makes_no_wait_longer)
{
	struct penalty_state s = {.failures = 3, .last_ms = 1000000, .until_ms = 1001000};

	cr_expect_eq(penalty_state_wait_ms(&rule, &s, 5), rule.max_ms);
}
