/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Letters on paper through the flat codec, against a decoder written from docs/flat-codec.md. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "encoder/codec.h"
#include "encoder/codec/marks.h"
#include "model.h"
#include "pages.h"

static const struct rect whole = { 0, 0, W, H };

/* Letter c of an alphabet of 7 × 9 boxes: the same c is the same picture. */
static void draw_letter(uint32_t c, int x, int y, uint32_t ink)
{
	uint32_t seed = c * 2654435761u | 1;

	for (int j = 0; j < 9; j++)
		for (int i = 0; i < 7; i++)
			if (model_random(&seed) % 2 || i == j)
				px[(y + j) * W + x + i] = ink - model_random(&seed) % 16 * 0x010203;
}

static void draw_lines(uint32_t *seed, uint32_t letters, uint32_t ink)
{
	for (int i = 0; i < W * H; i++)
		px[i] = 0xff000000 | 0xf8f8f0;
	for (int y = 2; y + 10 < H; y += 14)
		for (int x = 3; x + 8 < W; x += model_below(seed, 6) ? 8 : 30)
			draw_letter(model_random(seed) % letters, x, y + model_below(seed, 3), ink);
}

struct line {
	struct codec *codec;
	struct flat_decoder *peer;
	struct pst_buf out;
	uint32_t *got;
};

static void open_line(struct line *l)
{
	l->codec = codec_create(&codec_flat);
	l->peer = flat_decoder_create();
	l->got = malloc(sizeof(px));
	pst_buf_init(&l->out, 8 << 20);
}

static void close_line(struct line *l)
{
	codec_destroy(l->codec);
	flat_decoder_destroy(l->peer);
	pst_buf_finish(&l->out);
	free(l->got);
}

/* Sends r, asserts that it arrives, and returns its bytes. */
static size_t send_rect(struct line *l, const struct rect *r)
{
	pst_buf_reset(&l->out);
	cr_assert_eq(codec_encode(l->codec, &pm, r, 0, &l->out, NULL), 0);
	cr_assert(flat_decode(l->peer, false, l->out.data, l->out.len, r->w, r->h, l->got));
	cr_assert(equals(l->got, r));
	return l->out.len;
}

Test(marks, letters_that_were_seen_cost_two_bytes)
{
	uint32_t seed = 5;
	struct line l;
	size_t first, later;

	open_line(&l);
	draw_lines(&seed, 60, 0x303030);
	first = send_rect(&l, &whole);
	draw_lines(&seed, 60, 0x303030);
	later = send_rect(&l, &whole);
	cr_assert(
		later * 3 < first && later < 1000, "%zu bytes, then %zu for some 400 letters", first, later);
	close_line(&l);
}

Test(marks, more_letters_than_one_byte_and_than_the_dictionary_holds)
{
	uint32_t seed = 6;
	struct line l;

	open_line(&l);
	for (int page = 0; page < 40; page++) {
		draw_lines(&seed, page < 5 ? 500 : 1u << 30, 0x203040 + (uint32_t)page * 0x050301);
		send_rect(&l, &whole);
	}
	close_line(&l);
}

Test(marks, what_is_no_text_leaves_no_trace)
{
	uint32_t seed = 7;
	struct line l;

	open_line(&l);
	for (int i = 0; i < 60; i++) {
		struct rect r = { model_below(&seed, W / 2), model_below(&seed, H / 2), 0, 0 };

		r.w = 1 + model_below(&seed, W / 2);
		r.h = 1 + model_below(&seed, H / 2);
		draw_lines(&seed, 300, 0x800000u >> i % 3 * 8);
		if (i % 3)
			draw((enum content)model_below(&seed, CONTENTS), seed);
		else if (i % 2)
			for (int y = 20; y < 120; y++) /* a picture within the text */
				for (int x = 40; x < 40 + i; x++)
					px[y * W + x] = model_random(&seed) & 0xffffff;
		send_rect(&l, &r);
	}
	close_line(&l);
}

Test(marks, noise_is_refused_and_paper_alone_is_a_byte)
{
	struct marks *m = marks_create();
	struct pst_buf out;

	pst_buf_init(&out, 1 << 20);
	draw(NOISE, 3);
	cr_assert(!marks_write(m, &pm, &whole, &out) && out.len == 0);
	for (int i = 0; i < W * H; i++)
		px[i] = i % W % 3 || i / W % 3 ? 0xffffff : 0;
	cr_assert(!marks_write(m, &pm, &whole, &out) && out.len == 0, "a pattern of dots is no text");
	for (int i = 0; i < W * H; i++)
		px[i] = 0x123456;
	cr_assert(marks_write(m, &pm, &whole, &out));
	cr_assert(out.len == 4 && memcmp(out.data, "\4\x12\x34\x56", 4) == 0);
	draw_letter(1, 10, 10, 0xffffff);
	cr_assert(marks_write(m, &pm, &whole, &out));
	pst_buf_reset(&out);
	cr_assert(marks_write(m, &pm, &whole, &out));
	cr_assert_eq(out.len, 1u + 5 + 1, "mode, a far place, a number");
	marks_destroy(m);
	marks_destroy(NULL);
	pst_buf_finish(&out);
}
