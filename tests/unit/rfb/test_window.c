/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of frames in flight: opens and closes by acknowledgements, learns round trip and rate. */
#include <criterion/criterion.h>

#include "protocol/front/window.h"

#define MS 1000000ull

Test(window, closes_when_full_and_opens_by_an_acknowledgement)
{
	struct window w;
	window_init(&w);
	cr_assert(window_is_open(&w));
	window_sent(&w, 1, 10 << 20, 0);
	cr_expect_not(window_is_open(&w));
	cr_expect(window_acked(&w, 1, 20 * MS));
	cr_expect(window_is_open(&w));
	cr_expect_eq(window_rtt_us(&w), 20000);
}

Test(window, grows_to_the_path_and_shrinks_again)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 0, now = 0;
	/* 1 MB each 10 ms with a round trip of 40 ms is 100 MB/s: the window becomes about 5 MB. */
	for (int i = 0; i < 100; i++, now += 10 * MS) {
		window_sent(&w, ++seq, 1000000, now);
		if (seq > 4)
			window_acked(&w, seq - 4, now);
	}
	cr_expect_gt(window_bytes(&w), 3000000);
	cr_expect_lt(window_bytes(&w), 8000000);
}

Test(window, an_acknowledgement_of_the_future_is_a_lie)
{
	struct window w;
	window_init(&w);
	window_sent(&w, 5, 100, 0);
	cr_expect_not(window_acked(&w, 6, MS));
	cr_expect(window_acked(&w, 4, MS));
	cr_expect_eq(w.in_flight, 100);
}

Test(window, never_holds_more_frames_than_its_ring)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 0;
	while (window_is_open(&w))
		window_sent(&w, ++seq, 1, 0);
	cr_expect_eq(seq, WINDOW_FRAMES_MAX);
}
