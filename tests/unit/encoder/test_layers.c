/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text in two inks as layers: what the lower one lacks lies in the boxes, and Tight's rectangles show the picture. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "decode.h"
#include "encoder/codec/layers.h"
#include "encoder/codec/tight.h"
#include "model.h"

#define LW 640
#define LH 200

static uint32_t page[LW * LH];
static const struct pixmap view = { (const uint8_t *)page, LW, LH, LW * 4 };
static const struct rect whole = { 0, 0, LW, LH };

/* Grey letters on white, each eighth line has a word with so many other colours. */
static void draw_inks(uint32_t seed, uint32_t others)
{
	for (int32_t i = 0; i < LW * LH; i++) {
		int32_t x = i % LW, y = i / LW;
		uint32_t grey = 255 - model_random(&seed) % 200;

		page[i] = y % 16 < 12 && model_random(&seed) % 3 == 0 ? grey * 0x010101u : 0xffffffu;
		if (others && y % 128 < 12 && x >= 100 && x < 140)
			page[i] = 0x400000u + (model_random(&seed) % others) * 0x01u + 0x3000u;
	}
}

Test(layers, what_the_palette_lacks_lies_in_a_box)
{
	struct layers *l = calloc(1, sizeof(*l));
	struct pst_buf indices;

	pst_buf_init(&indices, LW * LH);
	draw_inks(3, 150);
	cr_assert(layers_find(l, &view, &whole, &indices));
	cr_assert_eq(indices.len, (size_t)LW * LH);
	cr_assert_eq(l->palette.colours[0], 0xffffffu, "paper is the most frequent");
	cr_assert_eq(l->palette.len, PALETTE_MAX);
	cr_assert(l->boxes_len > 0 && l->boxes_len < 40, "%zu boxes", l->boxes_len);
	for (int32_t i = 0; i < LW * LH; i++) {
		bool is_boxed = l->palette.colours[indices.data[i]] == page[i];

		for (size_t k = 0; k < l->boxes_len; k++)
			is_boxed |= i % LW >= l->boxes[k].x && i % LW < l->boxes[k].x + l->boxes[k].w && i / LW >= l->boxes[k].y &&
				i / LW < l->boxes[k].y + l->boxes[k].h;
		cr_assert(is_boxed, "pixel %d", i);
	}
	pst_buf_finish(&indices);
	free(l);
}

Test(layers, few_colours_and_noise_have_none)
{
	struct layers *l = calloc(1, sizeof(*l));
	struct pst_buf indices;
	uint32_t seed = 5;

	pst_buf_init(&indices, LW * LH);
	draw_inks(3, 0);
	cr_assert_not(layers_find(l, &view, &whole, &indices));
	for (int32_t i = 0; i < LW * LH; i++)
		page[i] = model_random(&seed) & 0xffffff;
	cr_assert_not(layers_find(l, &view, &whole, &indices));
	pst_buf_finish(&indices);
	free(l);
}

struct heads {
	struct rect rects[TIGHT_RECTS_MAX];
	size_t at[TIGHT_RECTS_MAX + 1], len;
};

static void note_head(void *arg, struct pst_buf *out, const struct rect *r)
{
	struct heads *h = arg;

	h->at[h->len] = out->len;
	h->rects[h->len++] = *r;
}

Test(layers, tights_rectangles_show_the_picture_and_cost_less)
{
	struct codec *c = codec_create(&codec_tight), *plain = codec_create(&codec_tight);
	struct heads *h = calloc(1, sizeof(*h));
	struct tight_decoder d = { 0 };
	struct pst_buf out, one;
	uint32_t *shown = calloc(LW * LH, 4), *got = calloc(LW * LH, 4);

	tight_decoder_open(&d);
	pst_buf_init(&out, 1 << 22);
	pst_buf_init(&one, 1 << 22);
	for (uint32_t seed = 1; seed < 4; seed++) {
		bool is_jpeg;
		int n;

		draw_inks(seed, 150);
		pst_buf_reset(&out);
		pst_buf_reset(&one);
		h->len = 0;
		n = tight_put(c, &view, &whole, note_head, h, &out, NULL);
		cr_assert(n > 1 && (size_t)n == h->len, "%d", n);
		h->at[h->len] = out.len;
		for (size_t i = 0; i < h->len; i++) {
			const struct rect *r = &h->rects[i];

			cr_assert(tight_decode(&d, out.data + h->at[i], h->at[i + 1] - h->at[i], r->w, r->h, got, &is_jpeg));
			for (int32_t y = 0; y < r->h; y++)
				memcpy(shown + (r->y + y) * LW + r->x, got + y * r->w, (size_t)r->w * 4);
		}
		cr_assert_eq(memcmp(shown, page, sizeof(page)), 0);
		codec_encode(plain, &view, &whole, 0, &one, NULL);
		cr_assert_lt(out.len * 4, one.len * 3, "%zu bytes in layers, %zu in full colour", out.len, one.len);
	}
	tight_decoder_close(&d);
	codec_destroy(c);
	codec_destroy(plain);
	pst_buf_finish(&out);
	pst_buf_finish(&one);
	free(shown);
	free(got);
	free(h);
}

Test(layers, many_colours_everywhere_are_left_to_others)
{
	struct codec *c = codec_create(&codec_tight);
	struct heads *h = calloc(1, sizeof(*h));
	struct pst_buf out;
	uint32_t seed = 9;

	pst_buf_init(&out, 1 << 22);
	for (int32_t i = 0; i < LW * LH; i++)
		page[i] = model_random(&seed) & 0xffffff;
	cr_assert_eq(tight_put(c, &view, &whole, note_head, h, &out, NULL), 0);
	cr_assert_eq(out.len + h->len, 0u);
	codec_destroy(c);
	pst_buf_finish(&out);
	free(h);
}
