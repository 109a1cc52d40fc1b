/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoder against a reference client: whatever is drawn, damaged, scrolled, resized or cut off by a
 * budget, exact means exact, and when the screen is still the client's picture becomes the screen. Seeds are
 * printed; a seed repeats its run.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/encoder.h"
#include "model.h"

#define ALL_OPS \
	(OP_BIT(OP_COPY) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO))
#define MS 1000000ull

/* Named by every failure: ENCODER_SEED=n repeats the run. */
static uint32_t current_seed;

struct desk {
	struct encoder_params params;
	struct encoder *enc;
	struct model *model;
	uint32_t *px;
	struct pixmap screen;
	uint64_t now;
	uint32_t seed;
};

static void desk_screen(struct desk *d, int32_t w, int32_t h)
{
	int32_t pad = model_below(&d->seed, 5);

	free(d->px);
	d->px = malloc((size_t)(w + pad) * (size_t)h * 4);
	for (size_t i = 0; i < (size_t)(w + pad) * (size_t)h; i++)
		d->px[i] = 0xffeeeeee;
	d->screen = (struct pixmap){ (uint8_t *)d->px, w, h, (uint32_t)(w + pad) * 4 };
	model_destroy(d->model);
	d->model = model_create(w, h, d->seed);
	d->params.width = w;
	d->params.height = h;
}

static void desk_open(struct desk *d, uint32_t seed, int32_t w, int32_t h, uint32_t ops)
{
	struct pst_err err = PST_ERR_INIT;

	*d = (struct desk){ .seed = seed * 2654435761u | 1, .now = 1000 * MS };
	d->params = (struct encoder_params){
		.ops = ops, .video_align = model_below(&d->seed, 2) ? 16 : 2, .max_video_regions = 2
	};
	desk_screen(d, w, h);
	d->enc = encoder_create(&d->params, &err);
	cr_assert_not_null(d->enc, "%s", err.text);
}

static void desk_close(struct desk *d)
{
	encoder_destroy(d->enc);
	model_destroy(d->model);
	free(d->px);
}

static uint32_t *px_at(struct desk *d, int32_t x, int32_t y)
{
	return d->px + (size_t)y * (d->screen.stride / 4) + (size_t)x;
}

static struct rect random_rect(struct desk *d)
{
	struct rect r = { model_below(&d->seed, d->screen.width), model_below(&d->seed, d->screen.height), 0,
		0 };
	int32_t max = model_below(&d->seed, 4) ? 200 : 10000;

	r.w = 1 + model_below(&d->seed, d->screen.width - r.x < max ? d->screen.width - r.x : max);
	r.h = 1 + model_below(&d->seed, d->screen.height - r.y < max ? d->screen.height - r.y : max);
	return r;
}

static void draw_fill(struct desk *d, const struct rect *r)
{
	uint32_t colour = model_random(&d->seed);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = colour;
}

static void draw_text(struct desk *d, const struct rect *r)
{
	uint32_t ink = model_random(&d->seed);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			if (y % 16 < 12 && model_random(&d->seed) % 4 == 0)
				*px_at(d, x, y) = ink + (model_random(&d->seed) % 8) * 0x010101;
}

static void draw_picture(struct desk *d, const struct rect *r)
{
	uint32_t phase = model_random(&d->seed) % 997;

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = ((uint32_t)(x * 3 + (int32_t)phase) & 255) << 16 |
					  ((uint32_t)(y * 2 + x) & 255) << 8 | (model_random(&d->seed) & 15) |
					  0xff000000;
}

/* Moves a part by dx, dy: a scroll or a dragged window. */
static void draw_move(struct desk *d, const struct rect *r)
{
	int32_t dx = model_below(&d->seed, 3) ? 0 : model_below(&d->seed, 41) - 20,
		dy = model_below(&d->seed, 97) - 48;
	struct rect src = { r->x + dx, r->y + dy, r->w, r->h },
		    all = { 0, 0, d->screen.width, d->screen.height }, in;
	uint32_t *copy;

	if (!rect_intersect(&src, &all, &in))
		return;
	copy = malloc((size_t)in.w * (size_t)in.h * 4);
	for (int32_t y = 0; y < in.h; y++)
		memcpy(copy + (size_t)y * (size_t)in.w, px_at(d, in.x, in.y + y), (size_t)in.w * 4);
	for (int32_t y = 0; y < in.h; y++)
		memcpy(px_at(d, in.x - dx, in.y - dy + y), copy + (size_t)y * (size_t)in.w, (size_t)in.w * 4);
	free(copy);
}

static void draw_something(struct desk *d, const struct rect *r)
{
	static void (*const draws[])(struct desk *, const struct rect *) = { draw_fill, draw_text, draw_text,
		draw_picture, draw_move, draw_move };

	draws[model_below(&d->seed, 6)](d, r);
	encoder_damage(d->enc, r, 1);
}

static struct op_list desk_plan(struct desk *d, uint64_t bytes)
{
	struct encoder_budget budget = { .bytes = bytes, .rate_kbps = model_below(&d->seed, 2) ? 20000 : 0 };
	struct rect all = { 0, 0, d->screen.width, d->screen.height };
	struct pst_err err = PST_ERR_INIT;
	struct op_list list;

	cr_assert_eq(encoder_plan(d->enc, &d->screen, d->now, &budget, &list, &err), 0, "%s", err.text);
	cr_assert(model_apply(d->model, &list, encoder_sent(d->enc), &d->params), "seed %u", current_seed);
	if (list.is_exact)
		cr_assert_eq(model_differs(d->model, encoder_sent(d->enc), &all), 0,
			"seed %u: exact is not exact", current_seed);
	return list;
}

/* Lets time pass without drawing until nothing is due; the client must then show the screen. */
static void desk_settle(struct desk *d, uint64_t bytes)
{
	struct rect all = { 0, 0, d->screen.width, d->screen.height };
	struct op_list list = { 0 };
	int rounds = 0;

	while (encoder_has_work(d->enc, d->now) || encoder_next_due(d->enc) != UINT64_MAX) {
		uint64_t due = encoder_next_due(d->enc);

		if (!encoder_has_work(d->enc, d->now))
			d->now = due;
		list = desk_plan(d, bytes);
		cr_assert_lt(++rounds, 200000, "seed %u: the encoder never comes to rest", current_seed);
	}
	list = desk_plan(d, bytes);
	cr_assert_eq(list.len, 0, "seed %u: something is sent though nothing is due", current_seed);
	cr_assert(list.is_exact && !list.more);
	cr_assert_eq(model_differs(d->model, &d->screen, &all), 0,
		"seed %u: the client does not show the screen", current_seed);
}

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

		current_seed = seed;
		run_seed(seed, w, h, 40, totals);
		if (only)
			return;
	}
	for (int i = 0; i < OP_KINDS && n >= 150; i++)
		cr_assert_gt(totals[i], 150, "operations of kind %d were hardly tried: %llu", i,
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

static void draw_page(struct desk *d, int32_t top)
{
	for (int32_t y = 0; y < d->screen.height; y++) {
		uint32_t line = (uint32_t)(y + top) * 2654435761u | 1;

		for (int32_t x = 0; x < d->screen.width; x++)
			*px_at(d, x, y) = (y + top) % 16 < 11 && model_random(&line) % 3 == 0
						  ? 0x202020 + line % 64
						  : 0xffffff;
	}
}

Test(encoder, a_scroll_is_one_copy_and_a_strip)
{
	struct rect all = { 0, 0, 1024, 768 };
	struct op_list list;
	struct desk d;
	int64_t pixels = 0;
	int copies = 0;

	desk_open(&d, 7, 1024, 768, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	draw_page(&d, 48);
	encoder_damage(d.enc, &all, 1);
	list = desk_plan(&d, 0);
	for (size_t i = 0; i < list.len; i++) {
		copies += list.ops[i].kind == OP_COPY;
		pixels += list.ops[i].kind == OP_COPY ? 0 : rect_area(&list.ops[i].rect);
	}
	cr_assert_eq(copies, 1);
	cr_assert_leq(pixels, 1024 * 64);
	desk_close(&d);
}

Test(encoder, nothing_is_sent_for_damage_without_change)
{
	struct rect all = { 0, 0, 300, 200 };
	struct desk d;

	desk_open(&d, 3, 300, 200, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	encoder_damage(d.enc, &all, 1);
	cr_assert(encoder_has_work(d.enc, d.now));
	cr_assert_eq(desk_plan(&d, 0).len, 0);
	encoder_invalidate(d.enc, &all);
	cr_assert_gt(desk_plan(&d, 0).len, 0, "what is invalidated is sent again");
	desk_settle(&d, 0);
	desk_close(&d);
}

static void draw_clip(struct desk *d, const struct rect *r, int frame)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = ((uint32_t)(x * 2 + frame * 3) & 255) << 16 |
					  ((uint32_t)(y + x + frame) & 255) << 8 |
					  ((uint32_t)(x * y / 64 + frame) & 255);
}

Test(encoder, a_moving_picture_becomes_a_video_and_ends_exact)
{
	struct rect clip = { 101, 51, 323, 241 };
	struct encoder_stats stats;
	uint32_t region = 0;
	int units = 0, keys = 0;
	struct desk d;

	desk_open(&d, 9, 800, 600, ALL_OPS);
	draw_page(&d, 0);
	desk_settle(&d, 0);
	for (int frame = 0; frame < 60; frame++, d.now += 33 * MS) {
		draw_clip(&d, &clip, frame);
		encoder_damage(d.enc, &clip, 1);
		struct op_list list = desk_plan(&d, 0);

		for (size_t i = 0; i < list.len; i++) {
			if (list.ops[i].kind != OP_VIDEO)
				continue;
			cr_assert_eq(memcmp(list.ops[i].video.data, "\0\0\0\1", 4), 0, "Annex B");
			cr_assert(rect_contains(&list.ops[i].rect, &clip) || region == 0);
			region = list.ops[i].video.region;
			units++;
			keys += list.ops[i].video.is_key;
		}
	}
	cr_assert_gt(units, 30);
	cr_assert_leq(keys, 2);
	desk_settle(&d, 20000);
	encoder_stats(d.enc, &stats);
	cr_assert_gt(stats.refined_pixels, 0);
	desk_close(&d);
}
