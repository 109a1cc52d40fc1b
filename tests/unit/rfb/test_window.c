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

/* A path of 10 Mbit/s and 40 ms whose client acknowledges each frame when it has come; the frames are 33 ms apart. */
static uint64_t send_over(struct window *w, uint64_t seq, uint64_t bytes, uint64_t at)
{
	const uint64_t rate = 1250000;
	uint64_t back = at + 40 * MS + bytes * 1000000000 / rate;

	window_sent(w, seq, bytes, at);
	window_acked(w, seq, back);
	return back;
}

Test(window, learns_the_path_from_frames_that_do_not_fill_it)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 0, now = MS;
	cr_expect(window_wants_probe(&w, now));
	send_over(&w, ++seq, 17, now);
	cr_expect_not(window_wants_probe(&w, now + 50 * MS));
	for (int i = 0; i < 40; i++) {
		now = send_over(&w, ++seq, 9000, now) + 33 * MS;
		if (i % 10 == 0)
			now = send_over(&w, ++seq, 20, now);
	}
	cr_expect(window_rate_kbps(&w) > 9500 && window_rate_kbps(&w) < 10500, "%u", window_rate_kbps(&w));
	cr_expect(window_rtt_us(&w) >= 40000 && window_rtt_us(&w) < 41000, "a large frame's length is no part of the round trip: %u", window_rtt_us(&w));
	/* One product is 50,000 bytes. */
	cr_expect(window_bytes(&w) > 50000 && window_bytes(&w) < 90000);
	cr_expect_eq(window_backlog_us(&w, now), 0);
	window_sent(&w, ++seq, 12500, now);
	cr_expect(window_backlog_us(&w, now) > 9000 && window_backlog_us(&w, now) < 11000);
}

Test(window, takes_the_clients_own_time_out)
{
	struct window w;
	window_init(&w);
	window_sent(&w, 1, 20, MS);
	window_acked_after(&w, 1, 15 * MS, 26 * MS);
	cr_expect_eq(window_rtt_us(&w), 10000);
	window_sent(&w, 2, 20, 30 * MS);
	cr_expect(window_acked_after(&w, 2, UINT64_MAX, 40 * MS), "a lie of the client's about its time is its own loss");
}

Test(window, a_full_one_has_room_for_an_echo)
{
	struct window w;
	window_init(&w);
	send_over(&w, 1, 17, MS);
	send_over(&w, 2, 100000, 50 * MS);
	uint64_t seq = 3;
	while (window_is_open(&w))
		window_sent(&w, seq++, 20000, 300 * MS);
	cr_expect(window_is_open_small(&w));
	while (window_is_open_small(&w) && seq < 100)
		window_sent(&w, seq++, 2000, 300 * MS);
	cr_expect_lt(seq, 30);
	cr_expect_eq(window_room(&w), 8192);
}

Test(window, quiet_frames_are_few_and_count)
{
	struct window w;
	window_init(&w);
	cr_expect_not(window_may_be_quiet(&w, 30, MS), "nothing is known of the path");
	send_over(&w, 1, 17, MS);
	cr_expect_not(window_may_be_quiet(&w, WINDOW_QUIET + 1, 50 * MS));
	uint64_t seq = 1;
	while (window_may_be_quiet(&w, 30, 50 * MS))
		window_quiet(&w, ++seq, 30);
	cr_expect_eq(seq, 16);
	cr_expect(window_acked(&w, seq, 60 * MS), "an acknowledgement of a quiet frame does no harm");
	window_sent(&w, ++seq, 30, 60 * MS);
	cr_expect_eq(w.in_flight, 16 * 30);
	cr_expect(window_acked(&w, seq, 100 * MS));
	cr_expect_eq(w.in_flight, 0);
	cr_expect_eq(w.frames_sent, 17);
	cr_expect_eq(w.frames_acked, 17);
	while (window_may_be_quiet(&w, 500, 100 * MS))
		window_quiet(&w, ++seq, 500);
	cr_expect_eq(seq, 17 + 8, "4 KB are the other end");
	window_init(&w);
	send_over(&w, 1, 17, MS);
	cr_expect_not(window_may_be_quiet(&w, 30, 2000 * MS), "the round trip is old");
}

Test(window, acknowledgements_in_a_bunch_do_not_make_the_path_look_wide)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 1, now = 50 * MS, free_at = 0, acked = 1, back[400] = { 0 };
	send_over(&w, 1, 17, MS);
	/* 10 Mbit/s kept busy; the client is away for 60 ms of each 100 and answers all at once. */
	for (; now < 2000 * MS; now += MS) {
		while (window_is_open(&w) && window_backlog_us(&w, now) < 10000) {
			window_sent(&w, ++seq, 10000, now);
			free_at = (free_at > now ? free_at : now) + 8 * MS;
			back[seq % 400] = free_at + 40 * MS;
		}
		for (; acked < seq && back[(acked + 1) % 400] <= now && now / MS % 100 >= 60; acked++)
			window_acked(&w, acked + 1, now);
		if (now > 500 * MS)
			cr_assert_lt(window_rate_kbps(&w), 20000, "at %d ms", (int)(now / MS));
	}
	cr_expect_gt(window_rate_kbps(&w), 5000);
}

Test(window, a_low_rate_is_left_by_small_frames)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 0, now = MS;
	send_over(&w, ++seq, 17, now);
	/* The client was away: ten frames took a second each. */
	for (int i = 0; i < 16; i++, now += 2000 * MS) {
		window_sent(&w, ++seq, 9000, now);
		window_acked(&w, seq, now + 1000 * MS);
	}
	cr_expect_lt(window_rate_kbps(&w), 100);
	for (int i = 0; i < 20; i++)
		now = send_over(&w, ++seq, 1500, now) + 33 * MS;
	cr_expect_gt(window_rate_kbps(&w), 1500, "%u", window_rate_kbps(&w));
}

Test(window, a_long_video_without_a_small_frame_keeps_the_rate)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 0, now = MS;
	send_over(&w, ++seq, 17, now);
	for (int i = 0; i < 30 * 60; i++)
		now = send_over(&w, ++seq, 9000, now) + 33 * MS;
	cr_expect_gt(window_rate_kbps(&w), 9500);
	cr_expect_lt(window_rtt_us(&w), 41000);
}

Test(window, a_busy_machine_does_not_make_a_long_path_look_narrow)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 1, now = MS, acked = 1;
	uint32_t noise = 1;
	uint64_t back[64];
	/* 200 ms and no limit; each acknowledgement is late by up to 60 ms, and never before the one ahead of it. Thirty frames a second of 9 KB. */
	window_sent(&w, 1, 17, now);
	window_acked(&w, 1, now + 200 * MS);
	for (int i = 0; i < 300; i++, now += 33 * MS) {
		for (; acked < seq && back[(acked + 1) % 64] <= now; acked++)
			window_acked(&w, acked + 1, back[(acked + 1) % 64]);
		cr_assert(window_is_open(&w), "frame %d", i);
		window_sent(&w, ++seq, 9000, now);
		noise = noise * 1664525 + 1013904223;
		back[seq % 64] = now + 200 * MS + (noise >> 24) * 60 * MS / 255;
		if (back[seq % 64] < back[(seq - 1) % 64] && seq > 2)
			back[seq % 64] = back[(seq - 1) % 64];
	}
	cr_expect_gt(window_rate_kbps(&w), 2 * 9 * 8 * 30, "more than twice of what is sent: %u", window_rate_kbps(&w));
}

Test(window, a_way_that_becomes_longer_is_believed_after_two_lone_frames)
{
	struct window w;
	window_init(&w);
	uint64_t seq = 0, now = MS;
	for (int i = 0; i < 5; i++, now += 100 * MS) {
		window_sent(&w, ++seq, 40, now);
		window_acked(&w, seq, now + MS);
	}
	cr_expect_eq(window_rtt_us(&w), 1000);
	window_sent(&w, ++seq, 40, now);
	window_acked(&w, seq, now + 200 * MS);
	cr_expect_eq(window_rtt_us(&w), 1000, "once may be chance");
	now += 300 * MS;
	window_sent(&w, ++seq, 40, now);
	window_acked(&w, seq, now + 201 * MS);
	cr_expect_eq(window_rtt_us(&w), 200000);
	/* One that waits behind a large frame says nothing of the way. */
	for (int i = 0; i < 4; i++) {
		now += 2000 * MS;
		window_sent(&w, ++seq, 100000, now);
		window_sent(&w, ++seq, 40, now);
		window_acked(&w, seq - 1, now + 900 * MS);
		window_acked(&w, seq, now + 901 * MS);
	}
	cr_expect_eq(window_rtt_us(&w), 200000);
}

/* Letters come back in 20 ms and pictures of 12 KB after 28: the client decodes, and the path is not narrow. */
static uint32_t rate_of_slow_client(uint64_t client_ns)
{
	struct window w;
	uint64_t now = MS;

	window_init(&w);
	w.client_ns = client_ns;
	for (uint64_t i = 1; i < 100; i++, now += 33 * MS) {
		bool is_small = i % 10 == 1;

		window_sent(&w, i, is_small ? 60 : 12000, now);
		cr_assert(window_acked(&w, i, now + (is_small ? 20 : 28) * MS));
	}
	return window_rate_kbps(&w);
}

/* A viewer on the same network that takes 40 ms for each picture: coarser ones would not help it. */
Test(window, behind_a_short_way_it_is_the_client_that_is_slow)
{
	struct window w;
	uint64_t seq = 0, now = MS;

	window_init(&w);
	for (int i = 0; i < 300; i++, now += 50 * MS) {
		window_sent(&w, ++seq, i % 10 ? 20000 : 60, now);
		window_acked(&w, seq, now + (i % 10 ? 40 : 1) * MS);
	}
	cr_expect_geq(window_rate_kbps(&w), 500000, "%u", window_rate_kbps(&w));
	window_sent(&w, ++seq, 20000, now);
	cr_expect_lt(window_backlog_us(&w, now + 10 * MS), 1000);
}

Test(window, a_clients_own_time_is_not_the_paths)
{
	cr_assert_lt(rate_of_slow_client(0), 20000u);
	cr_assert_gt(rate_of_slow_client(8 * MS), 30000u);
}

Test(window, a_burst_that_passes_at_once_does_not_make_the_path_look_wide)
{
	struct window w;
	uint64_t seq = 0, now = MS;

	window_init(&w);
	send_over(&w, ++seq, 17, now);
	now = send_over(&w, ++seq, 60000, now + 50 * MS);
	/* 10 Mbit/s, of which 3 KB pass at any speed; the round trip is seen 2 ms too long. */
	for (int i = 0; i < 100; i++, now += 33 * MS) {
		uint64_t bytes = i % 7 ? 5000 : 12000;

		window_sent(&w, ++seq, bytes, now);
		window_acked(&w, seq, now + 38 * MS + (bytes - 3000) * 1000000000 / 1250000);
	}
	cr_expect(window_rate_kbps(&w) > 8000 && window_rate_kbps(&w) < 20000, "%u", window_rate_kbps(&w));
}

Test(window, a_path_that_becomes_narrow_is_believed_after_one_large_frame)
{
	struct window w;
	uint64_t seq = 0, now = MS;

	window_init(&w);
	window_sent(&w, ++seq, 17, now);
	window_acked(&w, seq, now + MS);
	window_sent(&w, ++seq, 500000, now + 10 * MS);
	window_acked(&w, seq, now + 15 * MS);
	cr_expect_gt(window_rate_kbps(&w), 500000);
	now = send_over(&w, ++seq, 400000, 1000 * MS);
	cr_expect_lt(window_rate_kbps(&w), 12000, "%u", window_rate_kbps(&w));
}

Test(window, late_frames_among_others_do_not_make_a_wide_path_look_narrow)
{
	struct window w;
	uint64_t seq = 0, now = MS;

	window_init(&w);
	window_sent(&w, ++seq, 17, now);
	window_acked(&w, seq, now + MS);
	for (int i = 0; i < 300; i++, now += 33 * MS) {
		window_sent(&w, ++seq, i ? 14000 : 300000, now);
		window_acked(&w, seq, now + (i % 3 == 2 ? 25 : 2) * MS);
	}
	cr_expect_gt(window_rate_kbps(&w), 40000, "%u", window_rate_kbps(&w));
}

Test(window, an_echo_shows_the_round_trip_before_any_frame)
{
	struct window w;

	window_init(&w);
	cr_expect(window_is_idle(&w));
	window_echo(&w, 40 * MS, true, 100 * MS);
	cr_expect_eq(window_rtt_us(&w), 40000);
	cr_expect_not(window_wants_probe(&w, 200 * MS));
	/* The first frame then shows the rate: 100,000 bytes in 80 ms beyond the round trip. */
	window_sent(&w, 1, 100000, 200 * MS);
	window_acked(&w, 1, 320 * MS);
	cr_expect(window_rate_kbps(&w) > 9500 && window_rate_kbps(&w) < 10500, "%u", window_rate_kbps(&w));
}

/* 10 Mbit/s and 40 ms; the client needs 27 ms more until it acknowledges, which are no part of what it measures. */
Test(window, what_the_client_measures_counts_and_its_own_time_does_not)
{
	struct window w;
	uint64_t now = 100 * MS;

	window_init(&w);
	w.client_ns = 30 * MS;
	window_echo(&w, 40 * MS, true, now);
	for (uint64_t i = 1; i < 40; i++, now += 33 * MS) {
		window_sent(&w, i, 12500, now);
		if (i > 4 && i % 3 == 0)
			window_measured(&w, 12500, 10 * MS);
		window_acked(&w, i, now + (40 + 10 + 27) * MS);
		cr_expect(i < 6 || (window_rate_kbps(&w) > 8500 && window_rate_kbps(&w) < 10500), "%u", window_rate_kbps(&w));
	}
	/* It becomes narrow, and wide: short times say that it is fast at least. */
	for (int i = 0; i < 9; i++)
		window_measured(&w, 12500, 50 * MS);
	cr_expect(window_rate_kbps(&w) < 2100, "%u", window_rate_kbps(&w));
	for (int i = 0; i < 9; i++)
		window_measured(&w, 12500, 1 * MS);
	cr_expect(window_rate_kbps(&w) > 40000, "%u", window_rate_kbps(&w));
	for (int i = 0; i < 9; i++)
		window_measured(&w, 2500, 1 * MS);
	cr_expect(window_rate_kbps(&w) > 40000, "what comes at once is no sign of a narrow path");
	window_measured(&w, 100, 900 * MS);
	cr_expect(window_rate_kbps(&w) > 40000, "too little to tell");
}

/* A gigabit, and a client that is held up for 8 ms now and then while 16 KB come. */
Test(window, a_client_that_is_held_up_does_not_make_the_path_narrow)
{
	struct window w;

	window_init(&w);
	window_measured(&w, 130000, 1 * MS);
	for (int i = 0; i < 200; i++) {
		window_measured(&w, 16000, i % 3 == 1 ? 8 * MS : i % 2 * MS);
		cr_assert(window_rate_kbps(&w) > 40000, "%u after %d", window_rate_kbps(&w), i);
	}
}

Test(window, frames_that_nobody_acknowledges_say_nothing_of_the_path)
{
	struct window w;

	window_init(&w);
	window_echo(&w, 40 * MS, true, 0);
	window_measured(&w, 125000, 100 * MS);
	for (uint64_t i = 1; i < 100; i++) {
		cr_assert(window_is_open(&w));
		window_unasked(&w, i, i % 2 ? 20 : 12500, 1000 * MS);
		cr_assert(window_acked(&w, i, 1000 * MS));
	}
	cr_expect_eq(window_rtt_us(&w), 40000);
	cr_expect(window_rate_kbps(&w) > 9500 && window_rate_kbps(&w) < 10500, "%u", window_rate_kbps(&w));
	cr_expect_gt(window_backlog_us(&w, 1000 * MS), 400000, "what was sent is on its way all the same");
	cr_expect_eq(w.frames_sent, w.frames_acked);
}

Test(window, a_path_that_became_much_narrower_is_noticed_at_once)
{
	struct window w;
	uint64_t seq = 0, now = MS;

	window_init(&w);
	for (int i = 0; i < 20; i++, now += 33 * MS) {
		window_sent(&w, ++seq, i ? 100000 : 20, now);
		window_acked(&w, seq, now + MS / 2 + (i ? MS : 0));
	}
	cr_assert_gt(window_rate_kbps(&w), 300000);
	window_sent(&w, ++seq, 300000, now);
	window_acked(&w, seq, now + 1200 * MS);
	cr_expect_lt(window_rate_kbps(&w), 2500);
	now += 1300 * MS;
	window_sent(&w, ++seq, 100000, now);
	window_acked(&w, seq, now + MS + MS / 2);
	cr_expect_gt(window_rate_kbps(&w), 300000, "had it been the client, the next frame says so");
}

/* A path of 2 Mbit/s and 40 ms that lets 3000 bytes through at once after a rest, and pieces of 4 KB as soon as the window believes that it is free. */
Test(window, a_limiters_bursts_do_not_make_the_path_look_wide)
{
	struct window w;
	uint64_t seq = 0, acked = 0, free_at = 0, queued = 0, back[1024];

	window_init(&w);
	for (uint64_t now = 100 * MS; now < 5000 * MS; now += MS) {
		for (; acked < seq && back[(acked + 1) % 1024] <= now; acked++)
			window_acked(&w, acked + 1, now);
		if (!window_is_open(&w) || window_backlog_us(&w, now) > 2000)
			continue;
		uint64_t bytes = seq ? 4096 : 20, rested = now - 12 * MS;

		window_sent(&w, ++seq, bytes, now);
		free_at = (free_at > rested ? free_at : rested) + bytes * 4000;
		back[seq % 1024] = (free_at > now ? free_at : now) + 40 * MS;
		if (now > 1000 * MS)
			queued = free_at > now && free_at - now > queued ? free_at - now : queued;
	}
	cr_expect(window_rate_kbps(&w) > 1500 && window_rate_kbps(&w) < 2600, "%u", window_rate_kbps(&w));
	cr_expect_lt(queued, 30 * MS, "a letter waits for %d ms", (int)(queued / MS));
}

/* Callers read clocks of different fineness: a frame may seem to leave before the acknowledgement that it follows. */
Test(window, a_clock_that_is_a_little_behind_changes_nothing)
{
	struct window w;

	window_init(&w);
	window_sent(&w, 1, 20, 100 * MS);
	window_acked(&w, 1, 101 * MS + 900);
	cr_expect(window_may_be_quiet(&w, 20, 101 * MS));
	cr_expect_not(window_wants_probe(&w, 101 * MS));
}

Test(window, a_late_answer_asks_for_a_probe_of_the_way)
{
	struct window w;
	uint64_t now = 100 * MS;

	window_init(&w);
	window_sent(&w, 1, 20, now);
	window_acked(&w, 1, now + MS);
	cr_assert_not(window_wants_probe(&w, now + 2 * MS));
	window_sent(&w, 2, 10000, now + 2 * MS);
	window_acked(&w, 2, now + 60 * MS);
	cr_expect(window_wants_probe(&w, now + 61 * MS));
	window_sent(&w, 3, 20, now + 61 * MS);
	cr_expect_not(window_wants_probe(&w, now + 62 * MS), "it is on its way");
	window_acked(&w, 3, now + 63 * MS);
	cr_expect_not(window_wants_probe(&w, now + 64 * MS));
}

Test(window, a_way_that_becomes_longer_under_a_film_is_noticed_within_two_seconds)
{
	struct window w;
	uint64_t seq = 0, acked = 0, now = 100 * MS, free_at = 0, back[64];

	window_init(&w);
	window_sent(&w, ++seq, 20, now);
	window_acked(&w, ++acked, now + MS);
	for (now += 50 * MS; now < 2500 * MS; now += MS) {
		for (; acked < seq && back[(acked + 1) % 64] <= now; acked++)
			window_acked(&w, acked + 1, now);
		if (seq - acked >= 5)
			continue;
		window_sent(&w, ++seq, 10000, now);
		free_at = (free_at > now ? free_at : now) + 8 * MS;
		back[seq % 64] = free_at + 40 * MS;
	}
	cr_expect(window_rtt_us(&w) > 40000 && window_rtt_us(&w) < 52000, "%u", window_rtt_us(&w));
	cr_expect(window_rate_kbps(&w) > 8000 && window_rate_kbps(&w) < 14000, "%u", window_rate_kbps(&w));
}
