/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Selection and order: a budget is kept, everybody has a turn, text goes before pictures, refinement waits.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

Test(plan, a_budget_cuts_a_frame_and_the_rest_follows)
{
	struct op_list list;
	int frames = 0;
	struct desk d;

	desk_open(&d, 5, 1024, 768, OP_BIT(OP_LOSSLESS));
	draw_page(&d, 0);
	do {
		list = desk_plan(&d, 2000);
		cr_assert_gt(list.len, 0u, "at least one operation is always given");
	} while (++frames < 1000 && list.more);
	cr_assert_gt(frames, 5);
	cr_assert_lt(frames, 1000);
	cr_assert(list.is_exact);
	desk_close(&d);
}

Test(plan, operations_come_as_copies_fills_text_pictures)
{
	static const int place[OP_KINDS] = {
		[OP_COPY] = 0, [OP_FILL] = 1, [OP_LOSSLESS] = 2, [OP_LOSSY] = 3, [OP_VIDEO] = 4
	};
	struct desk d;

	desk_open(&d, 21, 900, 700, ALL_OPS);
	for (int i = 0; i < 60; i++, d.now += 40 * MS) {
		struct rect r = random_rect(&d);
		struct op_list list;

		draw_something(&d, &r);
		list = desk_plan(&d, 0);
		for (size_t k = 1; k < list.len; k++)
			cr_assert_leq(place[list.ops[k - 1].kind], place[list.ops[k].kind]);
	}
	desk_close(&d);
}

/* The quality of a frame's lossy operations; 0 without any. */
static int lossy_quality(const struct op_list *list)
{
	int quality = 0;

	for (size_t i = 0; i < list->len; i++)
		if (list->ops[i].kind == OP_LOSSY)
			quality = list->ops[i].quality;
	return quality;
}

Test(plan, a_first_picture_is_coarser_than_later_ones)
{
	struct rect all = { 0, 0, 640, 480 }, part = { 100, 100, 300, 200 };
	struct op_list list;
	struct desk d;
	int first;

	desk_open(&d, 2, 640, 480, ALL_OPS & ~OP_BIT(OP_COPY));
	draw_picture(&d, &all);
	list = desk_plan(&d, 0);
	first = lossy_quality(&list);
	cr_assert_gt(first, 0);
	desk_settle(&d, 0);
	draw_picture(&d, &part);
	encoder_damage(d.enc, &part, 1);
	list = desk_plan(&d, 0);
	cr_assert_gt(lossy_quality(&list), first);
	desk_close(&d);
}

Test(plan, a_picture_is_lossy_first_and_exact_when_it_is_still)
{
	struct rect r = { 100, 100, 300, 200 };
	struct op_list list;
	uint64_t drawn;
	struct desk d;

	desk_open(&d, 2, 640, 480, ALL_OPS & ~OP_BIT(OP_COPY));
	desk_settle(&d, 0);
	draw_picture(&d, &r);
	encoder_damage(d.enc, &r, 1);
	drawn = d.now;
	list = desk_plan(&d, 0);
	cr_assert(!list.is_exact);
	cr_assert(!encoder_has_work(d.enc, d.now + 100 * MS));
	cr_assert_eq(encoder_next_due(d.enc), drawn + 150 * MS);
	d.now = drawn + 150 * MS;
	cr_assert(encoder_has_work(d.enc, d.now));
	do {
		list = desk_plan(&d, 0);
		for (size_t i = 0; i < list.len; i++)
			cr_assert(list.ops[i].is_refine && list.ops[i].kind == OP_LOSSLESS);
	} while (list.more);
	cr_assert(list.is_exact);
	cr_assert_eq(encoder_next_due(d.enc), UINT64_MAX);
	desk_close(&d);
}

/* Kinds of the operations of a plan at a rate, as bits. */
static uint32_t kinds_at(struct desk *d, const struct rect *r, uint32_t rate_kbps)
{
	struct encoder_budget budget = { .rate_kbps = rate_kbps };
	struct op_list list;
	uint32_t kinds = 0;

	draw_picture(d, r);
	encoder_damage(d->enc, r, 1);
	cr_assert_eq(encoder_plan(d->enc, &d->screen, d->now, &budget, &list, NULL), 0);
	cr_assert(model_apply(d->model, &list, encoder_sent(d->enc), &d->params));
	for (size_t i = 0; i < list.len; i++)
		kinds |= OP_BIT(list.ops[i].kind);
	return kinds;
}

Test(plan, a_picture_that_stands_is_exact_at_once_where_the_path_takes_it)
{
	const struct rect small = { 70, 70, 150, 100 }, large = { 0, 0, 600, 400 };
	struct desk d;

	desk_open(&d, 2, 640, 480, ALL_OPS & ~OP_BIT(OP_COPY) & ~OP_BIT(OP_VIDEO));
	desk_settle(&d, 0);
	d.now += 5000 * MS;
	cr_assert_eq(kinds_at(&d, &small, 20000), OP_BIT(OP_LOSSLESS));
	d.now += 100 * MS;
	cr_assert_eq(kinds_at(&d, &small, 20000), OP_BIT(OP_LOSSY), "it moves");
	d.now += 5000 * MS;
	cr_assert_eq(kinds_at(&d, &small, 1000), OP_BIT(OP_LOSSY), "the path is narrow");
	d.now += 5000 * MS;
	cr_assert_eq(kinds_at(&d, &large, 20000), OP_BIT(OP_LOSSY), "it is large");
	d.now += 5000 * MS;
	cr_assert_eq(kinds_at(&d, &small, 0), OP_BIT(OP_LOSSY), "the path is not known");
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(plan, a_small_frame_takes_letters_and_no_piece_of_a_page)
{
	const struct rect page = { 0, 0, 640, 256 }, letter = { 300, 400, 9, 13 };
	const struct encoder_budget small = { .is_small = true };
	struct op_list list;
	struct desk d;

	desk_open(&d, 4, 640, 480, ALL_OPS);
	desk_settle(&d, 0);
	draw_text(&d, &page);
	draw_text(&d, &letter);
	encoder_damage(d.enc, &page, 1);
	encoder_damage(d.enc, &letter, 1);
	list = desk_plan_for(&d, &small);
	cr_assert_geq(list.len, 1u);
	for (size_t i = 0; i < list.len; i++)
		cr_assert(rect_contains(&letter, &list.ops[i].rect));
	cr_assert(list.more);
	cr_assert_eq(desk_plan_for(&d, &small).len, 0u);
	desk_settle(&d, 0);
	desk_close(&d);
}

static int frames_for_a_page(struct desk *d, int top, uint64_t bytes_of_each)
{
	const struct rect all = { 0, 0, 1024, 768 };
	struct op_list list;
	int frames = 0;

	draw_page(d, top);
	encoder_damage(d->enc, &all, 1);
	do {
		list = desk_plan(d, 8000);
		encoder_note_cost(d->enc, bytes_of_each, 0);
	} while (++frames < 1000 && list.more);
	return frames;
}

Test(plan, what_the_wire_made_tells_how_much_fits)
{
	struct desk d;
	int first, later = 0;

	desk_open(&d, 5, 1024, 768, OP_BIT(OP_LOSSLESS));
	first = frames_for_a_page(&d, 0, 300);
	for (int i = 1; i < 5; i++)
		later = frames_for_a_page(&d, 7777 * i, 300);
	cr_assert_lt(later * 2, first, "%d frames, then %d", first, later);
	desk_close(&d);
}

Test(plan, what_waits_for_room_does_not_become_a_video)
{
	const struct rect photo = { 0, 0, 640, 448 };
	struct encoder_stats stats;
	struct desk d;

	desk_open(&d, 4, 640, 480, ALL_OPS);
	for (int i = 0; i < 4; i++) {
		draw_picture(&d, &photo); /* the last one stays before the narrow path */
		encoder_damage(d.enc, &photo, 1);
		if (i < 3)
			desk_settle(&d, 0);
	}
	/* A narrow path takes a second for it. */
	for (int i = 0; i < 70; i++, d.now += 15 * MS)
		desk_plan(&d, 100);
	encoder_stats(d.enc, &stats);
	cr_assert_eq(stats.ops[OP_VIDEO], 0u);
	cr_assert_gt(stats.ops[OP_LOSSY], 20u);
	desk_settle(&d, 0);
	desk_close(&d);
}
