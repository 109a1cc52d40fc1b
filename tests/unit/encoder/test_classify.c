/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Content and its class, seen through the operations that come of it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

static void draw_flat_colour(struct desk *d, const struct rect *r)
{
	draw_fill(d, r);
}

/* A title bar: 200 steps of one hue, equal along each row. */
static void draw_gradient(struct desk *d, const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = 0x204060u + (uint32_t)(y - r->y) * 0x010101u;
}

static void draw_one_photo(struct desk *d, const struct rect *r)
{
	draw_clip(d, r, 1);
}

Test(classify, each_content_has_its_operation)
{
	static const struct {
		void (*draw)(struct desk *d, const struct rect *r);
		enum op_kind kind;
		enum op_class klass;
	} table[] = {
		{ draw_flat_colour, OP_FILL, OP_CLASS_FLAT },
		{ draw_text, OP_LOSSLESS, OP_CLASS_TEXT },
		{ draw_gradient, OP_LOSSLESS, OP_CLASS_TEXT },
		{ draw_picture, OP_LOSSY, OP_CLASS_PICTURE },
		{ draw_one_photo, OP_LOSSY, OP_CLASS_PICTURE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		/* A small picture would go out exactly at once. */
		int32_t side = table[i].kind == OP_LOSSY ? 240 : 128;
		struct rect r = { 64, 64, side, side };
		struct op_list list;
		struct desk d;

		desk_open(&d, 33, 320, 320, ALL_OPS & ~OP_BIT(OP_COPY));
		desk_settle(&d, 0);
		table[i].draw(&d, &r);
		encoder_damage(d.enc, &r, 1);
		list = desk_plan(&d, 0);
		cr_assert_gt(list.len, 0u);
		for (size_t k = 0; k < list.len; k++)
			cr_assert(list.ops[k].kind == table[i].kind && list.ops[k].klass == table[i].klass,
				"case %zu: kind %d class %d", i, list.ops[k].kind, list.ops[k].klass);
		desk_close(&d);
	}
}

/* The first picture of a film that begins on a page was sent without loss, ten times its bytes. */
Test(classify, a_photo_on_a_page_is_a_picture_at_once)
{
	struct rect r = { 64, 64, 128, 128 };
	struct op_list list;
	struct desk d;

	desk_open(&d, 33, 320, 320, ALL_OPS & ~OP_BIT(OP_COPY));
	for (int i = 0; i < 4; i++) {
		draw_text(&d, &r);
		encoder_damage(d.enc, &r, 1);
		desk_settle(&d, 0);
	}
	draw_one_photo(&d, &r);
	encoder_damage(d.enc, &r, 1);
	list = desk_plan(&d, 0);
	cr_assert_gt(list.len, 0u);
	for (size_t k = 0; k < list.len; k++)
		cr_expect_eq(list.ops[k].kind, OP_LOSSY);
	desk_close(&d);
}

/* More colours than a palette has, in ink on paper. */
static void draw_many_inks(struct desk *d, const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) =
				y % 14 < 9 && x % 3 == 0 ? model_random(&d->seed) & 0xffffff : 0xfafafa;
}

Test(classify, ink_of_any_colours_on_paper_is_one_text)
{
	const struct rect r = { 64, 64, 256, 128 };

	for (uint32_t seed = 40; seed < 42; seed++) {
		struct op_list list;
		struct desk d;

		desk_open(&d, seed, 400, 320, OP_BIT(OP_LOSSLESS));
		desk_settle(&d, 0);
		draw_many_inks(&d, &r);
		encoder_damage(d.enc, &r, 1);
		list = desk_plan(&d, 0);
		cr_assert_eq(list.len, 1u, "%zu operations", list.len);
		cr_assert_eq(list.ops[0].klass, OP_CLASS_TEXT);
		desk_settle(&d, 0);
		desk_close(&d);
	}
}

/* A drawn scene: flat sky, and slopes in the rest. */
static void draw_cartoon(struct desk *d, const struct rect *r, int frame)
{
	draw_clip(d, r, frame);
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			if (x % 64 < 26)
				*px_at(d, x, y) = 0x87ceeb;
}

Test(classify, a_moving_cartoon_is_a_video_though_it_has_paper)
{
	const struct rect r = { 64, 64, 320, 256 };

	for (uint32_t seed = 40; seed < 42; seed++) {
		struct encoder_stats stats;
		struct desk d;

		desk_open(&d, seed, 640, 480, ALL_OPS);
		desk_settle(&d, 0);
		for (int frame = 0; frame < 40; frame++, d.now += 33 * MS) {
			draw_cartoon(&d, &r, frame);
			encoder_damage(d.enc, &r, 1);
			desk_plan(&d, 0);
		}
		encoder_stats(d.enc, &stats);
		cr_assert_gt(stats.ops[OP_VIDEO], 20u);
		desk_settle(&d, 0);
		desk_close(&d);
	}
}
