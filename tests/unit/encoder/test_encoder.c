/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoder against a reference client: whatever is drawn, damaged, scrolled, resized or cut off by a
 * budget, exact means exact, and when the screen is still the client's picture becomes the screen. A failure
 * names its seed, which repeats the run.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

/* A clip that plays all the time, in two seeds of three where the screen has room for it. */
static bool choose_clip(struct desk *d, struct rect *ret)
{
	int32_t w = d->screen.width, h = d->screen.height;

	if (w < 140 || h < 120 || d->seed % 3 == 0)
		return false;
	ret->w = 110 + model_below(&d->seed, w - 120);
	ret->h = 100 + model_below(&d->seed, h - 110);
	ret->x = model_below(&d->seed, w - ret->w + 1);
	ret->y = model_below(&d->seed, h - ret->h + 1);
	return true;
}

static void draw_step(struct desk *d, const struct rect *clip)
{
	struct rect r = random_rect(d);

	for (int n = model_below(&d->seed, 3); n >= 0; n--, r = random_rect(d))
		draw_something(d, &r);
	if (clip) {
		draw_picture(d, clip);
		encoder_damage(d->enc, clip, 1);
	}
	if (model_below(&d->seed, 20) == 0)
		encoder_invalidate(d->enc, &r);
}

static void add_stats(const struct desk *d, uint64_t totals[OP_KINDS])
{
	struct encoder_stats stats;

	encoder_stats(d->enc, &stats);
	for (int i = 0; i < OP_KINDS; i++)
		totals[i] += stats.ops[i];
}

static void run_seed(uint32_t seed, int32_t w, int32_t h, int steps, uint64_t totals[OP_KINDS])
{
	const uint32_t masks[] = { ALL_OPS, ALL_OPS, ALL_OPS & ~OP_BIT(OP_VIDEO), OP_BIT(OP_LOSSLESS),
		OP_BIT(OP_LOSSLESS) | OP_BIT(OP_COPY) };
	const uint64_t budgets[] = { 0, 0, 1, 3000, 50000 };
	struct rect clip;
	struct desk d;
	bool has_clip;

	desk_open(&d, seed, w, h, masks[seed % 5]);
	has_clip = choose_clip(&d, &clip);
	for (int i = 0; i < steps; i++) {
		draw_step(&d, has_clip ? &clip : NULL);
		if (model_below(&d.seed, 60) == 0) {
			desk_screen(&d, 1 + model_below(&d.seed, 700), 1 + model_below(&d.seed, 500));
			cr_assert_eq(encoder_resize(d.enc, d.params.width, d.params.height, NULL), 0);
			has_clip = choose_clip(&d, &clip);
		}
		d.now += (uint64_t)model_below(&d.seed, 60) * MS;
		desk_plan(&d, budgets[model_below(&d.seed, 5)]);
		if (model_below(&d.seed, 25) == 0)
			desk_settle(&d, budgets[model_below(&d.seed, 5)]);
	}
	desk_settle(&d, 0);
	add_stats(&d, totals);
	desk_close(&d);
}

Test(encoder, client_ends_with_the_screen_whatever_is_drawn)
{
	const char *count = getenv("ENCODER_SEEDS"), *only = getenv("ENCODER_SEED");
	uint32_t n = count ? (uint32_t)atoi(count) : 150;
	uint64_t totals[OP_KINDS] = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		uint32_t seed = only ? (uint32_t)atoi(only) : 1000 + i, s = seed * 747796405u + 1;
		int32_t w = 1 + model_below(&s, i % 10 == 0 ? 1400 : 600), h = 1 + model_below(&s, 400);

		run_seed(seed, w, h, 40, totals);
		if (only)
			return;
	}
	for (int i = 0; i < OP_KINDS && n >= 150; i++)
		cr_assert_gt(totals[i], 100, "operations of kind %d were hardly tried: %llu", i,
			(unsigned long long)totals[i]);
}

Test(encoder, odd_and_extreme_sizes)
{
	const int32_t sizes[][2] = { { 1, 1 }, { 1, 500 }, { 500, 1 }, { 63, 65 }, { 64, 64 }, { 65, 63 },
		{ 8192, 3 }, { 3, 8192 } };

	uint64_t totals[OP_KINDS] = { 0 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run_seed((uint32_t)(5 * i + 10), sizes[i][0], sizes[i][1], 30, totals);
}

Test(encoder, sizes_and_capabilities_are_checked)
{
	const struct encoder_params good = { .width = 10, .height = 10, .ops = ALL_OPS, .video_align = 2 };
	struct encoder_params p = good;
	struct pst_err err = PST_ERR_INIT;
	struct encoder *e;

	p.width = 0;
	cr_assert_null(encoder_create(&p, &err));
	cr_assert_neq(err.text[0], 0);
	p = good;
	p.height = SCREEN_SIDE_MAX + 1;
	cr_assert_null(encoder_create(&p, &err));
	p = good;
	p.ops = OP_BIT(OP_COPY);
	cr_assert_null(encoder_create(&p, &err));
	p = good;
	p.video_align = 3;
	cr_assert_null(encoder_create(&p, &err));
	e = encoder_create(&good, &err);
	cr_assert_not_null(e);
	cr_assert_lt(encoder_resize(e, 65535, 10, &err), 0);
	cr_assert(encoder_has_work(e, 0), "a refused resize leaves the encoder as it was");
	encoder_destroy(e);
	encoder_destroy(NULL);
}
