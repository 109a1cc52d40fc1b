/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guesses become what was measured, by sort, and hostile numbers change nothing for the worse. */
#include <criterion/criterion.h>

#include "encoder/cost.h"

static struct op op_of(enum op_kind kind, enum op_class klass, int32_t w, int32_t h)
{
	struct op op = { .kind = kind, .klass = klass, .rect = { 0, 0, w, h } };

	return op;
}

static bool is_near(uint64_t got, uint64_t want)
{
	return got * 10 >= want * 9 && got * 10 <= want * 11;
}

Test(cost, a_codec_is_learnt_within_a_dozen_frames)
{
	const struct op page = op_of(OP_LOSSLESS, OP_CLASS_TEXT, 1920, 1080);
	struct cost c;

	cost_init(&c);
	cr_assert(is_near(cost_guess(&c, COST_TEXT, 1920 * 1080), 207360));
	for (int i = 0; i < 24; i++) {
		cost_begin(&c);
		cost_add(&c, &page);
		cost_learn(&c, 12000);
	}
	cr_assert(is_near(cost_guess(&c, COST_TEXT, 1920 * 1080), 12000), "%llu",
		(unsigned long long)cost_guess(&c, COST_TEXT, 1920 * 1080));
	cr_assert(is_near(cost_guess(&c, COST_PICTURE, 100000), 200000), "others are as they were");
}

Test(cost, the_first_frame_counts_more_than_the_guess)
{
	const struct op page = op_of(OP_LOSSLESS, OP_CLASS_TEXT, 1280, 800);
	struct cost c;

	cost_init(&c);
	cost_begin(&c);
	cost_add(&c, &page);
	cost_learn(&c, 13000);
	cr_assert(is_near(cost_guess(&c, COST_TEXT, 1280 * 800), 13000));
	for (int i = 0; i < 8; i++) {
		cost_begin(&c);
		cost_add(&c, &page);
		cost_learn(&c, 13000);
	}
	/* One that is dear moves it by a fourth. */
	cost_begin(&c);
	cost_add(&c, &page);
	cost_learn(&c, 53000);
	cr_assert(is_near(cost_guess(&c, COST_TEXT, 1280 * 800), 23000));
}

Test(cost, two_sorts_are_told_apart_by_frames_of_each)
{
	const struct op text = op_of(OP_LOSSLESS, OP_CLASS_TEXT, 640, 480),
			photo = op_of(OP_LOSSY, OP_CLASS_PICTURE, 640, 480);
	struct cost c;

	cost_init(&c);
	for (int i = 0; i < 90; i++) {
		cost_begin(&c);
		if (i % 3)
			cost_add(&c, &text);
		if (i % 3 != 1)
			cost_add(&c, &photo);
		cost_learn(&c, (i % 3 ? 5000u : 0) + (i % 3 != 1 ? 90000u : 0));
	}
	cr_assert(is_near(cost_guess(&c, COST_LOSSY, 640 * 480), 90000));
	cr_assert_leq(cost_guess(&c, COST_TEXT, 640 * 480), 7000u);
}

Test(cost, small_and_empty_frames_say_nothing_and_no_number_breaks_it)
{
	const struct op letter = op_of(OP_LOSSLESS, OP_CLASS_TEXT, 9, 16),
			page = op_of(OP_LOSSLESS, OP_CLASS_TEXT, 8192, 8192);
	struct cost c, before;

	cost_init(&c);
	before = c;
	cost_begin(&c);
	cost_add(&c, &letter);
	cost_learn(&c, 5000);
	cost_learn(&c, 5000);
	cr_assert_eq(c.rate[COST_TEXT], before.rate[COST_TEXT]);
	for (int i = 0; i < 100; i++) {
		cost_begin(&c);
		cost_add(&c, &page);
		cost_learn(&c, i % 2 ? UINT32_MAX : 0);
	}
	cr_assert_gt(cost_guess(&c, COST_TEXT, 8192 * 8192), 16u);
	cr_assert_leq(cost_guess(&c, COST_TEXT, 1024), 16u + 4096);
}

Test(cost, a_sort_can_be_told_to_be_dearer)
{
	struct cost c;

	cost_init(&c);
	uint64_t before = cost_guess(&c, COST_LOSSY, 1 << 20), text = cost_guess(&c, COST_TEXT, 1 << 20);

	cost_scale(&c, COST_LOSSY, 67, 35);
	cr_assert(is_near(cost_guess(&c, COST_LOSSY, 1 << 20), before * 67 / 35));
	cr_assert_eq(cost_guess(&c, COST_TEXT, 1 << 20), text);
	for (int i = 0; i < 100; i++)
		cost_scale(&c, COST_LOSSY, 250, 9);
	cr_assert_leq(cost_guess(&c, COST_LOSSY, 1024), 16u + 4096);
}
