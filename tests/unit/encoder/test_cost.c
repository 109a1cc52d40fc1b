/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guesses become what was measured, by sort, and hostile numbers change nothing for the worse. */
#include <criterion/criterion.h>
#include <string.h>

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
		cost_learn(&c, 12000, 0);
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
	cost_learn(&c, 13000, 0);
	cr_assert(is_near(cost_guess(&c, COST_TEXT, 1280 * 800), 13000));
	for (int i = 0; i < 8; i++) {
		cost_begin(&c);
		cost_add(&c, &page);
		cost_learn(&c, 13000, 0);
	}
	/* One that is dear moves it by a fourth. */
	cost_begin(&c);
	cost_add(&c, &page);
	cost_learn(&c, 53000, 0);
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
		cost_learn(&c, (i % 3 ? 5000u : 0) + (i % 3 != 1 ? 90000u : 0), 0);
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
	cost_learn(&c, 5000, 0);
	cost_learn(&c, 5000, 0);
	cr_assert_eq(c.rate[COST_TEXT][COST_PLAIN], before.rate[COST_TEXT][COST_PLAIN]);
	for (int i = 0; i < 100; i++) {
		cost_begin(&c);
		cost_add(&c, &page);
		cost_learn(&c, i % 2 ? UINT32_MAX : 0, i % 3 ? UINT32_MAX : 1);
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

/* A machine and a wire: what a frame of pictures takes in each manner. */
struct machine {
	uint64_t plain_bytes, plain_ns, thrifty_bytes, thrifty_ns;
};

static const struct machine usual = { 46000, 2000000, 34000, 4500000 }, slow = { 46000, 8000000, 34000, 18000000 };

/* Frames of a film over a path; returns how many of the last hundred were thrifty. */
static int film_of(struct cost *c, const struct machine *m, uint32_t rate_kbps, bool has_clock, uint32_t noise)
{
	const struct op picture = op_of(OP_LOSSY, OP_CLASS_PICTURE, 1280, 720);
	int thrifty = 0;

	for (int i = 0; i < 1600; i++) {
		/* Some pictures are nearly three times as dear as others. */
		uint64_t dear = noise ? 60 + ((noise = noise * 1664525u + 1013904223u) >> 16) % 100 : 100;

		cost_begin(c);
		cost_add(c, &picture);
		cost_choose(c, rate_kbps);
		bool is_thrifty = c->manner[COST_LOSSY] == COST_THRIFTY;

		thrifty += is_thrifty && i >= 1500;
		cost_learn(c, (is_thrifty ? m->thrifty_bytes : m->plain_bytes) * dear / 100, !has_clock ? 0 : (is_thrifty ? m->thrifty_ns : m->plain_ns) * dear / 100);
	}
	return thrifty;
}

static int film(struct cost *c, const struct machine *m, uint32_t rate_kbps, bool has_clock)
{
	return film_of(c, m, rate_kbps, has_clock, 0);
}

Test(cost, a_slow_path_takes_fewer_bytes_and_a_fast_one_less_time)
{
	const struct {
		const struct machine *machine;
		uint32_t rate_kbps;
		bool is_thrifty;
	} cases[] = {
		{ &usual, 2000, true }, { &usual, 10000, true }, { &usual, 15000, true }, { &usual, 30000, false }, { &usual, 1000000, false },
		{ &slow, 2000, true }, { &slow, 10000, false }, { &usual, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cost c;

		cost_init(&c);
		int n = film(&c, cases[i].machine, cases[i].rate_kbps, true);

		cr_expect(cases[i].is_thrifty ? n >= 80 : n <= 20, "case %zu: %d of 100", i, n);
		cr_expect(is_near(cost_guess(&c, COST_LOSSY, 1280 * 720), cases[i].is_thrifty ? 34000 : 46000));
		cr_expect(is_near(cost_guess_ns(&c, COST_LOSSY, 1280 * 720), cases[i].is_thrifty ? cases[i].machine->thrifty_ns : cases[i].machine->plain_ns));
	}
}

Test(cost, what_is_worth_it_is_found_out_again_when_machine_or_path_change)
{
	struct cost c;

	cost_init(&c);
	cr_expect_geq(film(&c, &usual, 10000, true), 80);
	cr_expect_leq(film(&c, &slow, 10000, true), 20);
	cr_expect_geq(film(&c, &usual, 10000, true), 80);
	cr_expect_leq(film(&c, &usual, 100000, true), 20);
}

Test(cost, pictures_that_differ_do_not_hide_what_a_manner_saves)
{
	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct cost c;

		cost_init(&c);
		cr_expect_geq(film_of(&c, &usual, 8000, true, seed * 7919), 80, "seed %u", seed);
		cost_init(&c);
		cr_expect_leq(film_of(&c, &usual, 60000, true, seed * 7919), 20, "seed %u", seed);
	}
}

Test(cost, a_frame_that_would_be_late_is_coded_quickly)
{
	const struct machine late = { 46000, 9000000, 10000, 30000000 };
	struct cost c;

	cost_init(&c);
	cr_expect_leq(film(&c, &late, 1000, true), 20);
}

Test(cost, without_a_clock_the_guesses_decide_the_same_each_time)
{
	struct cost a, b;

	cost_init(&a);
	cost_init(&b);
	cr_assert_eq(film(&a, &usual, 10000, false), film(&b, &usual, 10000, false));
	cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
	cr_expect_eq(a.time[COST_LOSSY][COST_PLAIN], 3072u);
}
