/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wheel steps are counted to notches, and a turn forgets what was left. */
#include <criterion/criterion.h>

#include "agent/inject/pointer.h"
#include "base/mem.h"

Test(pointer, notches_gather_and_turns_forget)
{
	static const int steps[][3] = { /* delta, notches, rest */
		{ 30, 0, 30 }, { 30, 0, 60 }, { 60, 1, 0 }, { 250, 2, 10 }, { -20, 0, -20 }, { -100, -1, 0 },
		{ 0, 0, 0 }, { 119, 0, 119 }, { -1, 0, -1 }, { 32767, WHEEL_NOTCHES_MAX, 32767 % 120 }
	};
	int rest = 0;

	for (size_t i = 0; i < PST_ARRAY_LEN(steps); i++) {
		cr_assert_eq(pointer_notches(&rest, steps[i][0]), steps[i][1], "step %zu", i);
		cr_assert_eq(rest, steps[i][2], "step %zu: %d", i, rest);
	}
}
