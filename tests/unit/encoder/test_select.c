/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who goes first where not everything fits: a letter before a film, also in its tile, and every part of the film in its turn. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

#define OPS (ALL_OPS & ~OP_BIT(OP_VIDEO))
#define RATE 10000

static const struct rect film = { 0, 0, 640, 400 }; /* ends within a row of tiles */

/* A second of the film before a path that takes all. */
static void play(struct desk *d)
{
	desk_settle(d, 0);
	for (int i = 0; i < 30; i++, d->now += 33 * MS) {
		draw_clip(d, &film, i);
		encoder_damage(d->enc, &film, 1);
		desk_plan(d, 0);
	}
}

static bool has(const struct op_list *list, const struct rect *r)
{
	for (size_t i = 0; i < list->len; i++)
		if (rect_contains(&list->ops[i].rect, r))
			return true;
	return false;
}

static struct op_list press(struct desk *d, const struct encoder_budget *budget, const struct rect *letter, int frame)
{
	draw_clip(d, &film, frame);
	draw_fill(d, letter);
	encoder_damage(d->enc, &film, 1);
	encoder_damage(d->enc, letter, 1);
	return desk_plan_for(d, budget);
}

Test(select, a_letter_in_a_films_tile_goes_alone_before_a_full_path)
{
	const struct rect letter = { 300, 420, 9, 13 }, inside = { 301, 421, 2, 2 };
	const struct encoder_budget small = { .is_small = true, .rate_kbps = RATE };
	struct desk d;

	desk_open(&d, 5, 640, 480, OPS);
	play(&d);
	struct op_list list = press(&d, &small, &letter, 40);

	cr_assert_eq(list.len, 1u);
	cr_assert(rect_contains(&letter, &list.ops[0].rect) && has(&list, &inside));
	cr_assert(list.more, "the film waits");
	cr_assert_eq(desk_plan_for(&d, &small).len, 0u);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(select, a_letter_goes_with_the_first_piece_of_a_film)
{
	const struct rect letter = { 300, 420, 9, 13 }, inside = { 301, 421, 2, 2 };
	const struct encoder_budget budget = { .bytes = 8000, .rate_kbps = RATE };
	struct desk d;

	desk_open(&d, 6, 640, 480, OPS);
	play(&d);
	struct op_list list = press(&d, &budget, &letter, 41);

	cr_assert(has(&list, &inside));
	cr_assert_gt(list.len, 1u);
	cr_assert(list.more);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(select, every_part_of_a_film_has_its_turn)
{
	const struct encoder_budget budget = { .bytes = 4096, .rate_kbps = 2000 }, small = { .is_small = true, .rate_kbps = 2000 };
	int seen[480 / 64 + 1] = { 0 };
	struct desk d;

	desk_open(&d, 7, 640, 480, OPS);
	play(&d);
	for (int i = 0; i < 200; i++, d.now += 16 * MS) {
		draw_clip(&d, &film, 60 + i);
		encoder_damage(d.enc, &film, 1);
		desk_plan_for(&d, &small);
		struct op_list list = desk_plan_for(&d, &budget);

		for (size_t k = 0; k < list.len; k++)
			seen[list.ops[k].rect.y / 64]++;
		encoder_note_cost(d.enc, 4096, 0);
	}
	for (int row = 0; row < 7; row++)
		cr_expect_gt(seen[row], 5, "row %d", row);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(select, a_film_waits_for_a_free_path_where_its_least_piece_is_long)
{
	const struct encoder_budget held = { .bytes = 16384, .rate_kbps = 2000, .hold_video = true },
				    wide = { .bytes = 16384, .rate_kbps = RATE, .hold_video = true };
	struct desk d;

	desk_open(&d, 8, 640, 480, OPS);
	play(&d);
	draw_clip(&d, &film, 80);
	encoder_damage(d.enc, &film, 1);
	cr_assert_eq(desk_plan_for(&d, &held).len, 0u);
	cr_assert_gt(desk_plan_for(&d, &wide).len, 0u);
	desk_settle(&d, 0);
	desk_close(&d);
}
