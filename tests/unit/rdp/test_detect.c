/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clients are asked of the path, and which answers count. */
#include <criterion/criterion.h>

#include "protocol/front/rdp/detect.h"

#define MS 1000000ull

Test(rdp_detect, a_round_trip_is_measured)
{
	struct detect d = { 0 };
	uint64_t took;
	bool was_idle;
	uint16_t sequence = detect_ask_trip(&d, true, 5 * MS);

	cr_assert_neq(sequence, 0);
	cr_assert(detect_answer_trip(&d, sequence, 45 * MS, &took, &was_idle));
	cr_expect_eq(took, 40 * MS);
	cr_expect(was_idle);
	cr_expect_not(detect_answer_trip(&d, sequence, 46 * MS, &took, &was_idle), "it was answered");
	cr_expect_neq(detect_ask_trip(&d, false, 50 * MS), 0);
}

Test(rdp_detect, a_client_that_does_not_answer_is_asked_once)
{
	struct detect d = { 0 };
	uint64_t took, bytes;
	bool was_idle;

	cr_assert_neq(detect_ask_trip(&d, true, 0), 0);
	cr_assert_neq(detect_start(&d, 0), 0);
	cr_assert_neq(detect_stop(&d, 10000), 0);
	for (uint64_t now = 0; now < 100000 * MS; now += 50 * MS) {
		cr_assert_eq(detect_ask_trip(&d, true, now), 0);
		cr_assert_eq(detect_start(&d, now), 0);
		cr_assert_eq(detect_stop(&d, 10000), 0);
		cr_assert_not(detect_answer_trip(&d, 0, now, &took, &was_idle));
		cr_assert_not(detect_answer_rate(&d, 0, 1, 10000, now, &bytes));
	}
}

Test(rdp_detect, frames_are_measured_ten_times_a_second_at_most)
{
	struct detect d = { 0 };
	uint64_t bytes;
	unsigned asked = 0;

	for (uint64_t now = 0; now < 1000 * MS; now += 10 * MS) {
		uint16_t sequence = detect_start(&d, now);

		if (!sequence)
			continue;
		asked++;
		cr_assert_eq(detect_stop(&d, 20000), sequence);
		cr_assert(detect_answer_rate(&d, sequence, 3, 20100, now + 5 * MS, &bytes));
		cr_expect_eq(bytes, 20000, "what came beside the frame is not counted");
	}
	cr_expect_eq(asked, 10);
}

Test(rdp_detect, answers_that_cannot_be_are_none)
{
	struct detect d = { 0 };
	uint64_t bytes;
	uint16_t sequence = detect_start(&d, 0);

	detect_stop(&d, 20000);
	cr_expect_not(detect_answer_rate(&d, (uint16_t)(sequence + 1), 3, 20000, 5 * MS, &bytes), "another question");
	cr_expect_not(detect_answer_rate(&d, sequence, 500, 20000, 5 * MS, &bytes), "longer than it can have taken");
	sequence = detect_start(&d, 200 * MS);
	detect_stop(&d, 20000);
	cr_expect(detect_answer_rate(&d, sequence, 3, 700, 205 * MS, &bytes));
	cr_expect_eq(bytes, 700, "fewer came");
}

Test(rdp_detect, a_sequence_is_never_none)
{
	struct detect d = { .sequence = UINT16_MAX };

	cr_expect_eq(detect_ask_trip(&d, true, 0), 1);
}
