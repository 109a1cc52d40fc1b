/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against a picture whose frames halve with each six steps: rates hold, cheap pictures become fine, and it
 * does not swing. */
#include <criterion/criterion.h>

#include "encoder/quantiser.h"

/* Bytes of a frame that takes `plain` at 24. */
static size_t frame(uint8_t qp, size_t plain)
{
	for (int i = QUANTISER_MIN; i < qp; i++)
		plain = plain * 89 / 100;
	return plain;
}

/* The mean bytes of the last 100 of 300 frames. */
static size_t run(struct quantiser *q, size_t plain, int *ret_moves)
{
	size_t total = 0;
	uint8_t before = 0;

	*ret_moves = 0;
	for (int i = 0; i < 300; i++) {
		uint8_t qp = quantiser_next(q, i == 0);
		size_t bytes = frame(qp, i ? plain : plain * 4);

		cr_assert(qp >= QUANTISER_MIN && qp <= QUANTISER_MAX);
		quantiser_note(q, bytes, i == 0);
		total += i >= 200 ? bytes : 0;
		*ret_moves += i >= 200 && qp != before;
		before = qp;
	}
	return total / 100;
}

Test(quantiser, a_known_rate_is_kept)
{
	const uint32_t rates[] = { 500, 1000, 2000, 5000, 20000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct quantiser q;
		size_t mean;
		int moves;

		quantiser_init(&q, 640, 360, rates[i]);
		mean = run(&q, 20000, &moves);
		cr_assert_leq(mean * 8 * 30, rates[i] * 1000 * 75 / 100, "%u kbit/s: %zu bytes a frame",
			rates[i], mean);
		cr_assert_leq(moves, 30, "%u kbit/s: it moves %d times in 100 frames", rates[i], moves);
	}
}

Test(quantiser, the_picture_decides_where_no_rate_is_known)
{
	struct quantiser cheap, dear;
	int moves;

	quantiser_init(&cheap, 640, 360, 0);
	run(&cheap, 1000, &moves);
	cr_assert(cheap.qp <= QUANTISER_MIN + 2 && moves == 0, "%d, %d moves", cheap.qp, moves);
	quantiser_init(&dear, 640, 360, 0);
	run(&dear, 60000, &moves);
	cr_assert(dear.qp >= 22 && dear.qp <= 36 && moves <= 2, "%d, %d moves", dear.qp, moves);
}

Test(quantiser, a_key_frame_fits_the_bucket_and_a_rate_may_change)
{
	struct quantiser narrow, wide;

	quantiser_init(&narrow, 1280, 720, 1000);
	quantiser_init(&wide, 1280, 720, 0);
	cr_assert_gt(quantiser_next(&narrow, true), quantiser_next(&wide, true) + 6);
	for (int i = 0; i < 30; i++)
		quantiser_note(&wide, 40000, false);
	quantiser_set_rate(&wide, 1000);
	for (int i = 0; i < 30; i++) {
		quantiser_next(&wide, false);
		quantiser_note(&wide, 40000, false);
	}
	cr_assert_eq(quantiser_next(&wide, false), QUANTISER_MAX);
}

Test(quantiser, the_price_of_a_fall_is_no_reason_to_rise)
{
	struct quantiser q;
	uint8_t before = 0;
	int moves = 0;

	quantiser_init(&q, 640, 360, 0);
	for (int i = 0; i < 300; i++) {
		uint8_t qp = quantiser_next(&q, i == 0);
		/* A finer quantiser does all that is still once more. */
		size_t bytes = frame(qp, i ? 4000 : 60000) + (qp < before ? 15000 : 0);

		moves += i >= 100 && qp != before;
		before = qp;
		quantiser_note(&q, bytes, i == 0);
	}
	cr_assert_leq(moves, 2, "it moved %d times in 200 frames", moves);
}
