/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rare places tell by how much a picture was moved, in both directions, and say nothing about paper. */
#include <criterion/criterion.h>
#include <string.h>

#include "desk.h"
#include "encoder/anchor.h"

/* The screen shows the sent picture moved by 13, 7. */
static void draw_moved(struct desk *d)
{
	const struct pixmap *sent = encoder_sent(d->enc);

	for (int32_t y = 7; y < d->screen.height; y++)
		memcpy(px_at(d, 13, y), pixmap_at(sent, 0, y - 7), (size_t)(d->screen.width - 13) * 4);
}

Test(anchor, two_places_that_agree_give_the_shift)
{
	const struct rect all = { 0, 0, 640, 480 };
	struct vector v = { 0, 0 };
	struct desk d;

	desk_open(&d, 3, 640, 480, ALL_OPS);
	draw_picture(&d, &all);
	desk_settle(&d, 0);
	draw_moved(&d);
	cr_assert(anchor_vote(d.enc, &d.screen, &all, &v));
	cr_assert(v.dx == -13 && v.dy == -7, "%d %d", v.dx, v.dy);
	desk_close(&d);
}

Test(anchor, paper_and_small_areas_have_none)
{
	const struct rect all = { 0, 0, 640, 480 }, narrow = { 0, 0, 100, 480 };
	struct vector v = { 5, 5 };
	struct desk d;

	desk_open(&d, 4, 640, 480, ALL_OPS);
	desk_settle(&d, 0);
	cr_assert_not(anchor_vote(d.enc, &d.screen, &all, &v));
	draw_picture(&d, &all);
	encoder_damage(d.enc, &all, 1);
	desk_settle(&d, 0);
	draw_moved(&d);
	cr_assert_not(anchor_vote(d.enc, &d.screen, &narrow, &v));
	cr_assert(v.dx == 5 && v.dy == 5, "an answer without a shift");
	desk_close(&d);
}
