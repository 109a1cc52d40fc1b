/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk of the encoder's tests. */
#include "desk.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

void desk_screen(struct desk *d, int32_t w, int32_t h)
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

void desk_open(struct desk *d, uint32_t seed, int32_t w, int32_t h, uint32_t ops)
{
	struct pst_err err = PST_ERR_INIT;

	*d = (struct desk){ .seed = seed * 2654435761u | 1, .now = 1000 * MS, .first_seed = seed };
	d->params = (struct encoder_params){ .ops = ops,
		.video_align = model_below(&d->seed, 2) ? 16 : 2,
		.max_video_regions = 2 };
	desk_screen(d, w, h);
	d->enc = encoder_create(&d->params, &err);
	cr_assert_not_null(d->enc, "%s", err.text);
}

void desk_close(struct desk *d)
{
	encoder_destroy(d->enc);
	model_destroy(d->model);
	free(d->px);
}

uint32_t *px_at(struct desk *d, int32_t x, int32_t y)
{
	return d->px + (size_t)y * (d->screen.stride / 4) + (size_t)x;
}

struct rect random_rect(struct desk *d)
{
	struct rect r = { model_below(&d->seed, d->screen.width), model_below(&d->seed, d->screen.height), 0,
		0 };
	int32_t max = model_below(&d->seed, 4) ? 200 : 10000;

	r.w = 1 + model_below(&d->seed, d->screen.width - r.x < max ? d->screen.width - r.x : max);
	r.h = 1 + model_below(&d->seed, d->screen.height - r.y < max ? d->screen.height - r.y : max);
	return r;
}

void draw_fill(struct desk *d, const struct rect *r)
{
	uint32_t colour = model_random(&d->seed);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = colour;
}

void draw_text(struct desk *d, const struct rect *r)
{
	uint32_t ink = model_random(&d->seed);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			if (y % 16 < 12 && model_random(&d->seed) % 4 == 0)
				*px_at(d, x, y) = ink + (model_random(&d->seed) % 8) * 0x010101;
}

void draw_picture(struct desk *d, const struct rect *r)
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

void draw_something(struct desk *d, const struct rect *r)
{
	static void (*const draws[])(struct desk *, const struct rect *) = { draw_fill, draw_text, draw_text,
		draw_picture, draw_move, draw_move };

	draws[model_below(&d->seed, 6)](d, r);
	encoder_damage(d->enc, r, 1);
}

struct op_list desk_plan(struct desk *d, uint64_t bytes)
{
	const struct encoder_budget budget = { .bytes = bytes, .rate_kbps = model_below(&d->seed, 2) ? 20000 : 0 };

	return desk_plan_for(d, &budget);
}

struct op_list desk_plan_for(struct desk *d, const struct encoder_budget *budget)
{
	struct rect all = { 0, 0, d->screen.width, d->screen.height };
	struct pst_err err = PST_ERR_INIT;
	struct op_list list;

	cr_assert_eq(encoder_plan(d->enc, &d->screen, d->now, budget, &list, &err), 0, "%s", err.text);
	cr_assert(model_apply(d->model, &list, encoder_sent(d->enc), &d->params), "seed %u", d->first_seed);
	if (list.is_exact)
		cr_assert_eq(model_differs(d->model, encoder_sent(d->enc), &all), 0,
			"seed %u: exact is not exact", d->first_seed);
	return list;
}

void desk_settle(struct desk *d, uint64_t bytes)
{
	struct rect all = { 0, 0, d->screen.width, d->screen.height };
	struct op_list list = { 0 };
	int rounds = 0;

	while (encoder_has_work(d->enc, d->now) || encoder_next_due(d->enc) != UINT64_MAX) {
		uint64_t due = encoder_next_due(d->enc);

		if (!encoder_has_work(d->enc, d->now))
			d->now = due;
		list = desk_plan(d, bytes);
		cr_assert_lt(++rounds, 200000, "seed %u: the encoder never comes to rest", d->first_seed);
	}
	list = desk_plan(d, bytes);
	cr_assert_eq(list.len, 0, "seed %u: something is sent though nothing is due", d->first_seed);
	cr_assert(list.is_exact && !list.more);
	cr_assert_eq(model_differs(d->model, &d->screen, &all), 0,
		"seed %u: the client does not show the screen", d->first_seed);
}

void draw_page(struct desk *d, int32_t top)
{
	for (int32_t y = 0; y < d->screen.height; y++) {
		uint32_t line = (uint32_t)(y + top) * 2654435761u | 1;

		for (int32_t x = 0; x < d->screen.width; x++)
			*px_at(d, x, y) = (y + top) % 16 < 11 && model_random(&line) % 3 == 0
						  ? 0x202020 + line % 64
						  : 0xffffff;
	}
}

void draw_clip(struct desk *d, const struct rect *r, int frame)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = ((uint32_t)(x * 2 + frame * 3) & 255) << 16 |
					  ((uint32_t)(y + x + frame) & 255) << 8 |
					  ((uint32_t)(x * y / 64 + frame) & 255);
}
