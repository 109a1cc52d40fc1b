/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A letter that stands in the text already is copied from there. */
#include <criterion/criterion.h>

#include "desk.h"

#define LETTER_W 9
#define LETTER_H 13

/* A letter of grey strokes on white: the same for the same number. */
static void draw_letter(struct desk *d, int32_t x, int32_t y, uint32_t letter)
{
	uint32_t seed = letter * 2654435761u | 1;

	for (int32_t j = 0; j < LETTER_H; j++)
		for (int32_t i = 0; i < LETTER_W; i++)
			*px_at(d, x + i, y + j) =
				model_random(&seed) % 3 ? 0xffffff : model_random(&seed) % 256 * 0x010101;
}

static void draw_box(struct desk *d, int32_t x, int32_t y, int32_t w, int32_t h, uint32_t colour)
{
	for (int32_t j = 0; j < h; j++)
		for (int32_t i = 0; i < w; i++)
			*px_at(d, x + i, y + j) = colour;
}

static struct op_list type_at(struct desk *d, int32_t x, int32_t y, uint32_t letter, bool has_caret)
{
	struct rect damage = { x, y, LETTER_W + 4, LETTER_H };

	draw_letter(d, x, y, letter);
	if (has_caret)
		draw_box(d, x + LETTER_W, y, 2, LETTER_H, 0);
	encoder_damage(d->enc, &damage, 1);
	return desk_plan(d, 0);
}

/* A paper with 40 letters in a row at y. */
static void open_text(struct desk *d, uint32_t ops, int32_t y)
{
	desk_open(d, 5, 640, 480, ops);
	draw_box(d, 0, 0, 640, 480, 0xffffff);
	for (int32_t i = 0; i < 40; i++)
		draw_letter(d, 20 + i * 12, y, (uint32_t)i);
	desk_settle(d, 0);
}

Test(twin, a_letter_that_stands_in_the_text_is_one_copy)
{
	struct desk d;

	for (int32_t y = 20; y < 460; y += 400) {
		open_text(&d, ALL_OPS, y);
		for (uint32_t i = 0; i < 20; i++) {
			/* Some of them lie across the border of tiles. */
			struct op_list list = type_at(&d, 30 + (int32_t)i * 11, 240 + (int32_t)i, i, false);

			cr_assert_eq(list.len, 1u);
			cr_assert_eq(list.ops[0].kind, OP_COPY);
			cr_assert(list.is_exact);
			draw_box(&d, 30 + (int32_t)i * 11, 240 + (int32_t)i, LETTER_W, LETTER_H, 0xffffff);
			encoder_damage(d.enc, &list.ops[0].rect, 1);
			desk_plan(&d, 0);
		}
		desk_settle(&d, 0);
		desk_close(&d);
	}
}

Test(twin, a_caret_beside_the_letter_is_filled)
{
	struct desk d;
	struct op_list list;

	open_text(&d, ALL_OPS, 50);
	list = type_at(&d, 200, 300, 7, true);
	cr_assert_eq(list.len, 2u);
	cr_assert_eq(list.ops[0].kind, OP_COPY);
	cr_assert_eq(list.ops[1].kind, OP_FILL);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(twin, a_new_letter_is_sent_as_pixels)
{
	struct desk d;
	struct op_list list;

	open_text(&d, ALL_OPS, 50);
	list = type_at(&d, 200, 300, 77, false);
	cr_assert_eq(list.len, 1u);
	cr_assert_eq(list.ops[0].kind, OP_LOSSLESS);
	desk_close(&d);
}

Test(twin, a_source_that_the_client_does_not_hold_exactly_is_left_alone)
{
	struct desk d;
	const struct rect all = { 0, 0, 640, 480 };
	struct op_list list;

	open_text(&d, ALL_OPS, 50);
	encoder_invalidate(d.enc, &all); /* nobody knows what is shown now */
	draw_letter(&d, 200, 300, 7);
	list = desk_plan(&d, 1);
	for (size_t i = 0; i < list.len; i++)
		cr_assert_neq(list.ops[i].kind, OP_COPY);
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(twin, nothing_is_copied_by_a_front_that_cannot)
{
	struct desk d;

	open_text(&d, OP_BIT(OP_LOSSLESS), 50);
	cr_assert_eq(type_at(&d, 200, 300, 7, false).ops[0].kind, OP_LOSSLESS);
	desk_close(&d);
}
