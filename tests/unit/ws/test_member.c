/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who keeps up with a picture's frames, in simulated time. */
#include <criterion/criterion.h>

#include "protocol/front/ws/member.h"

#define MS 1000000ull

static struct ws_member m;
static struct window w;

static void setup(void)
{
	window_init(&w);
	ws_member_init(&m, 0);
	ws_member_join(&m, &w, 1, 3000000, 0);
}

TestSuite(member, .init = setup);

Test(member, a_new_one_waits_for_a_snapshot)
{
	struct ws_member fresh;
	struct window path;

	window_init(&path);
	ws_member_init(&fresh, 5 * MS);
	cr_assert(ws_member_wants_snapshot(&fresh, &path));
	cr_assert_not(ws_member_take(&fresh, &path, 1, 100, false, 6 * MS));
	cr_assert_eq(ws_member_lost_at(&fresh), 5 * MS + WS_MEMBER_LOST_NS);
}

Test(member, a_large_snapshot_on_its_way_is_no_lag)
{
	cr_assert(m.is_in_step);
	for (uint64_t i = 2; i < 30; i++)
		cr_assert(ws_member_take(&m, &w, i, 30000, false, i * 300 * MS), "frame %d", (int)i);
}

Test(member, too_many_bytes_on_the_way_are)
{
	uint64_t i = 2;

	window_acked(&w, 1, 10 * MS);
	while (ws_member_take(&m, &w, i, 100000, false, 20 * MS))
		i++;
	cr_assert_eq(i - 2, WS_MEMBER_FLIGHT_MAX / 100000);
	cr_assert_not(m.is_in_step);
	cr_assert_not(ws_member_wants_snapshot(&m, &w), "first what was sent has to arrive");
	cr_assert_not(ws_member_take(&m, &w, i, 1, false, 21 * MS), "and nothing is sent meanwhile");
	cr_assert_eq(ws_member_lost_at(&m), 20 * MS + WS_MEMBER_LOST_NS);
	window_acked(&w, i - 1, 500 * MS);
	cr_assert(ws_member_wants_snapshot(&m, &w));
}

Test(member, an_old_frame_is_lag_too)
{
	window_acked(&w, 1, 10 * MS);
	cr_assert(ws_member_take(&m, &w, 2, 100, false, 20 * MS));
	cr_assert(ws_member_take(&m, &w, 3, 100, true, 2000 * MS));
	cr_assert_not(ws_member_take(&m, &w, 4, 100, false, 2021 * MS));
}

Test(member, a_still_picture_is_none)
{
	window_acked(&w, 1, 10 * MS);
	cr_assert(ws_member_take(&m, &w, 2, 100, false, 20 * MS));
	window_acked(&w, 2, 30 * MS);
	cr_assert(ws_member_take(&m, &w, 3, 100, false, 3600 * 1000 * MS));
}

Test(member, frames_without_number_are)
{
	uint64_t i = 2;

	window_acked(&w, 1, 10 * MS);
	while (ws_member_take(&m, &w, i, 10, false, 20 * MS))
		i++;
	cr_assert_eq(i - 2, WINDOW_FRAMES_MAX);
}
