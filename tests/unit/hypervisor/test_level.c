/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarms come at once and go a little later. */
#include "broker/hypervisor/disk/level.h"

#include "base/err.h"

#include <criterion/criterion.h>

Test(level, a_datastore_that_fills_and_empties)
{
	static const struct {
		uint64_t used;
		enum level after;
	} steps[] = {
		{ 0, LEVEL_CALM }, { 799, LEVEL_CALM }, { 800, LEVEL_WARNING }, { 780, LEVEL_WARNING }, { 770, LEVEL_WARNING },
		{ 769, LEVEL_CALM }, { 799, LEVEL_CALM }, { 920, LEVEL_CRITICAL }, { 891, LEVEL_CRITICAL },
		{ 890, LEVEL_CRITICAL }, { 889, LEVEL_WARNING }, { 919, LEVEL_WARNING }, { 1000, LEVEL_CRITICAL },
		{ 2000, LEVEL_CRITICAL }, { 100, LEVEL_CALM },
	};
	const struct level_limits limits = LEVEL_LIMITS_DEFAULT;
	enum level now = LEVEL_CALM;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		now = level_next(now, &limits, steps[i].used, 1000);
		cr_assert_eq(now, steps[i].after, "step %zu, %lu used: %s", i, (unsigned long)steps[i].used,
			level_name(now));
	}
	cr_assert_eq(level_next(LEVEL_WARNING, &limits, 5, 0), LEVEL_WARNING, "nothing is known");
	cr_assert_eq(level_next(LEVEL_CALM, &limits, UINT64_MAX, UINT64_MAX), LEVEL_CRITICAL);
	cr_assert_eq(level_next(LEVEL_CALM, &limits, UINT64_MAX / 2, UINT64_MAX), LEVEL_CALM);
}

Test(level, impossible_limits_are_refused)
{
	static const struct {
		struct level_limits limits;
		int code;
	} cases[] = {
		{ LEVEL_LIMITS_DEFAULT, 0 },
		{ { 1, 2, 0 }, 0 },
		{ { 99, 100, 98 }, 0 },
		{ { 0, 90, 0 }, PST_EINVAL },
		{ { 90, 90, 3 }, PST_EINVAL },
		{ { 80, 101, 3 }, PST_EINVAL },
		{ { 80, 90, 80 }, PST_EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(level_limits_check(&cases[i].limits), cases[i].code, "case %zu", i);
}
