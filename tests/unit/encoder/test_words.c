/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words that repeat: a client that has anything but them until it copies them shows the screen in the end, whatever else is drawn. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

#define OPS (ALL_OPS | OP_TAKES_REPEATS)
#define VOCABULARY 24
#define WORD_H 11
#define LINE_H 16
#define PAPER 0xffffff

/* A word's picture is its number's, in one of two inks. */
static int32_t draw_word(struct desk *d, const struct rect *r, int32_t x, int32_t y, uint32_t word, uint32_t ink)
{
	int32_t w = 10 + (int32_t)(word * 7 % 40);
	uint32_t seed = word * 2654435761u | 1;

	for (int32_t j = y; j < y + WORD_H; j++)
		for (int32_t i = x; i < x + w; i++) {
			uint32_t px = model_random(&seed) % 3 ? ink + model_random(&seed) % 100 * 0x010101 : PAPER;

			if (i < r->x + r->w && j < r->y + r->h)
				*px_at(d, i, j) = px;
		}
	return x + w;
}

static void draw_words(struct desk *d, const struct rect *r, uint32_t seed)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*px_at(d, x, y) = PAPER;
	for (int32_t y = r->y + 2; y < r->y + r->h; y += LINE_H)
		for (int32_t x = r->x + 4; x < r->x + r->w; x += 6)
			x = draw_word(d, r, x, y, model_random(&seed) % VOCABULARY, model_random(&seed) % 9 ? 0x101010 : 0x101080);
	encoder_damage(d->enc, r, 1);
}

static size_t repeats_of(const struct op_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->len; i++)
		n += list->ops[i].kind == OP_LOSSLESS ? list->ops[i].lossless.repeats_len : 0;
	return n;
}

Test(words, a_page_repeats_its_words_and_those_of_the_last_strip)
{
	const struct rect page = { 0, 0, 640, 400 }, strip = { 0, 400, 640, 48 };
	struct op_list list;
	struct desk d;

	desk_open(&d, 3, 640, 480, OPS & ~OP_BIT(OP_COPY));
	desk_settle(&d, 0);
	draw_words(&d, &page, 1);
	list = desk_plan(&d, 0);
	cr_expect_gt(repeats_of(&list), 100u, "%zu", repeats_of(&list));
	draw_words(&d, &strip, 2);
	list = desk_plan(&d, 0);
	cr_expect_gt(repeats_of(&list), 12u, "all of a strip's words stand above it: %zu", repeats_of(&list));
	desk_settle(&d, 0);
	desk_close(&d);
}

Test(words, nobody_is_told_who_does_not_ask)
{
	const struct rect page = { 0, 0, 640, 400 };
	struct op_list list;
	struct desk d;

	desk_open(&d, 3, 640, 480, ALL_OPS);
	desk_settle(&d, 0);
	draw_words(&d, &page, 1);
	list = desk_plan(&d, 0);
	cr_expect_eq(repeats_of(&list), 0u);
	desk_close(&d);
}

Test(words, what_the_client_may_show_otherwise_is_no_source)
{
	const struct rect photo = { 0, 0, 640, 192 }, over = { 64, 64, 200, 60 }, page = { 0, 256, 640, 128 };
	struct op_list list;
	struct desk d;

	/* The words lie in a photo that went out lossy. */
	desk_open(&d, 4, 640, 480, OPS & ~OP_BIT(OP_COPY) & ~OP_BIT(OP_VIDEO));
	desk_settle(&d, 0);
	draw_picture(&d, &photo);
	encoder_damage(d.enc, &photo, 1);
	desk_plan(&d, 0);
	draw_words(&d, &over, 7);
	desk_plan(&d, 0);
	draw_words(&d, &page, 7);
	list = desk_plan(&d, 0);
	for (size_t i = 0; i < list.len; i++)
		for (size_t k = 0; list.ops[i].kind == OP_LOSSLESS && k < list.ops[i].lossless.repeats_len; k++)
			cr_assert_geq(list.ops[i].lossless.repeats[k].y, page.y);
	desk_settle(&d, 0);
	desk_close(&d);
}

static size_t run_seed(uint32_t seed)
{
	const uint64_t budgets[] = { 0, 0, 0, 4000, 50000 };
	struct desk d;
	size_t n = 0;

	desk_open(&d, seed, 300 + (int32_t)(seed % 400), 200 + (int32_t)(seed % 300), OPS);
	for (int i = 0; i < 40; i++) {
		struct rect r = random_rect(&d);

		if (model_below(&d.seed, 3))
			draw_words(&d, &r, model_below(&d.seed, 4) ? model_random(&d.seed) : 5);
		else
			draw_something(&d, &r);
		if (model_below(&d.seed, 25) == 0)
			encoder_invalidate(d.enc, &r);
		d.now += (uint64_t)model_below(&d.seed, 60) * MS;
		struct op_list list = desk_plan(&d, budgets[model_below(&d.seed, 5)]);

		n += repeats_of(&list);
		if (model_below(&d.seed, 25) == 0) {
			desk_screen(&d, 300 + model_below(&d.seed, 300), 200);
			cr_assert_eq(encoder_resize(d.enc, d.params.width, d.params.height, NULL), 0);
		}
	}
	desk_settle(&d, 0);
	desk_close(&d);
	return n;
}

Test(words, client_ends_with_the_screen_whatever_is_drawn)
{
	const char *count = getenv("ENCODER_SEEDS"), *only = getenv("ENCODER_SEED");
	size_t n = 0;

	for (uint32_t i = 0; i < (count ? (uint32_t)atoi(count) : 60); i++)
		n += run_seed(only ? (uint32_t)atoi(only) : 5000 + i);
	cr_assert_gt(n, 800u, "%zu", n);
}
