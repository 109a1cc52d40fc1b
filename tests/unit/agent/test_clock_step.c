/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps of the wall clock. That the kernel tells of them is seen in test_suspended.py, in a machine whose clock may be set. */
#include "agent/clock_step.h"

#include <criterion/criterion.h>

Test(clock_step, a_correction_is_no_step)
{
	static const struct {
		int64_t real, mono, real_now, mono_now;
		bool is_large;
	} cases[] = {
		{ 1000, 50, 2000, 1050, false },
		{ 1000, 50, 3500, 1050, false },
		{ 1000, 50, 4600, 1050, true },
		{ 1000, 50, 1000 + 36000000, 60, true },
		{ 90000, 50, 80000, 60, true },
		{ 1000, 50, 3601000, 3600050, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_eq(clock_step_is_large(cases[i].real, cases[i].mono, cases[i].real_now, cases[i].mono_now), cases[i].is_large, "case %zu", i);
}

static void never(void *arg)
{
	cr_assert_fail("nobody has set the clock");
}

Test(clock_step, it_holds_the_loop_no_longer_than_it_is_there)
{
	uv_loop_t loop;
	struct clock_step *s;

	uv_loop_init(&loop);
	s = clock_step_create(&loop, never, NULL);
	cr_assert_not_null(s);
	uv_run(&loop, UV_RUN_NOWAIT);
	clock_step_destroy(s);
	clock_step_destroy(NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&loop), 0);
}
