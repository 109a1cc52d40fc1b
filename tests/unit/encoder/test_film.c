/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is a film and what is not: its hull, its sky of few colours, and a page of text that only scrolls. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "encoder/film.h"

#define OPS (ALL_OPS & ~OP_BIT(OP_VIDEO))

static const struct rect film = { 0, 0, 640, 384 }, sky = { 128, 64, 128, 128 };

/* Frames of a film; the sky in it has few colours, which change too. */
static struct op_list play(struct desk *d, int frames)
{
	struct op_list list = { 0 };

	for (int i = 0; i < frames; i++, d->now += 33 * MS) {
		draw_clip(d, &film, i);
		for (int32_t y = sky.y; y < sky.y + sky.h; y++)
			for (int32_t x = sky.x; x < sky.x + sky.w; x++)
				*px_at(d, x, y) = 0x6090c0 + (uint32_t)((x * 7 + y * 13 + i) % 40);
		encoder_damage(d->enc, &film, 1);
		list = desk_plan(d, 0);
	}
	return list;
}

Test(film, what_moves_at_its_rate_is_one)
{
	struct desk d;

	desk_open(&d, 5, 640, 480, OPS);
	desk_settle(&d, 0);
	cr_assert_eq(film_find(d.enc, d.now), 0u);
	play(&d, 30);
	cr_assert_gt(film_find(d.enc, d.now), 640u * 384 * 20);
	cr_assert(d.enc->film.w == 10 && d.enc->film.h == 6, "%d by %d tiles", d.enc->film.w, d.enc->film.h);
	cr_assert_eq(film_find(d.enc, d.now + 2000 * MS), 0u, "it has ended");
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(film, its_sky_goes_with_it)
{
	struct desk d;
	struct op_list list;

	desk_open(&d, 6, 640, 480, OPS);
	desk_settle(&d, 0);
	list = play(&d, 30);
	for (size_t i = 0; i < list.len; i++)
		cr_expect(list.ops[i].kind == OP_LOSSY, "operation %zu is of kind %d", i, list.ops[i].kind);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(film, text_that_moves_is_none)
{
	const struct rect all = { 0, 0, 640, 480 };
	struct desk d;

	desk_open(&d, 7, 640, 480, OPS & ~OP_BIT(OP_COPY));
	desk_settle(&d, 0);
	for (int i = 0; i < 30; i++, d.now += 33 * MS) {
		draw_page(&d, i * 7);
		encoder_damage(d.enc, &all, 1);
		struct op_list list = desk_plan(&d, 0);

		for (size_t k = 0; k < list.len; k++)
			cr_assert_neq(list.ops[k].kind, OP_LOSSY);
	}
	cr_assert_eq(film_find(d.enc, d.now), 0u);
	desk_settle(&d, 0);
	desk_close(&d);
}
