/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spare keycodes: the least recently used goes first, none that is down, none that was just used. */
#include <criterion/criterion.h>

#include "agent/inject/spare.h"

static void three(struct spare *s)
{
	spare_reset(s);
	for (uint8_t code = 100; code < 103; code++)
		spare_add(s, code);
}

Test(spare, least_recently_used_goes_first)
{
	struct spare s;
	uint64_t wait;

	three(&s);
	cr_assert_eq(spare_take(&s, 'a', 1000, true, &wait), 100);
	cr_assert_eq(spare_take(&s, 'b', 1001, true, &wait), 101);
	cr_assert_eq(spare_take(&s, 'c', 1002, true, &wait), 102);
	spare_touch(&s, 100, 1003);
	cr_assert_eq(spare_take(&s, 'd', 1010, true, &wait), 0);
	cr_assert_eq(wait, 1001 + SPARE_REST_MS - 1010);
	cr_assert_eq(spare_take(&s, 'd', 1001 + SPARE_REST_MS, true, &wait), 101);
	cr_assert_eq(spare_take(&s, 'e', 1001 + SPARE_REST_MS, false, &wait), 102);
	cr_assert(spare_is_bound(&s, 'a') && !spare_is_bound(&s, 'b') && !spare_is_bound(&s, 'c'));
}

Test(spare, keys_that_are_down_keep_their_meaning)
{
	struct spare s;
	uint64_t wait;

	three(&s);
	for (uint8_t code = 100; code < 103; code++)
		spare_set_down(&s, code, true);
	cr_assert_eq(spare_take(&s, 'a', 5000, true, &wait), 0);
	cr_assert_eq(wait, 0);
	spare_set_down(&s, 101, false);
	cr_assert_eq(spare_take(&s, 'a', 5000, true, &wait), 101);
	spare_drop(&s, 101);
	cr_assert(!spare_has(&s, 101) && spare_has(&s, 102) && !spare_is_bound(&s, 'a'));
	spare_set_down(&s, 9, true);
}

Test(spare, new_bindings_settle_before_their_first_press)
{
	struct spare s;
	uint64_t wait;

	three(&s);
	uint8_t code = spare_take(&s, 'a', 1000, true, &wait);
	cr_assert_eq(spare_settle(&s, code, 1000), SPARE_SETTLE_MS);
	cr_assert_eq(spare_settle(&s, code, 1000 + SPARE_SETTLE_MS), 0);
	cr_assert_eq(spare_settle(&s, 50, 1000), 0);
	spare_unbind(&s, code);
	cr_assert_eq(spare_settle(&s, code, 1000), 0);
}

Test(spare, more_codes_than_room_are_ignored)
{
	struct spare s;

	spare_reset(&s);
	for (unsigned i = 0; i < 200; i++)
		spare_add(&s, (uint8_t)(8 + i));
	cr_assert_eq(s.n, (size_t)SPARE_MAX);
}
