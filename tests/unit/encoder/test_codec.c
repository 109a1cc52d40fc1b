/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codecs against decoders written from the specifications: every kind of content, odd sizes, long streams,
 * small ceilings. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "model.h"

#define W 300
#define H 200

enum content { ONE, TWO, THREE, SIXTEEN, GREYS, TEXT, GRADIENT, NOISE, CONTENTS };

static uint32_t px[W * H];
static const struct pixmap pm = { (const uint8_t *)px, W, H, W * 4 };

static uint32_t colour_of(enum content kind, int x, int y, uint32_t *seed)
{
	static const int32_t counts[] = { [ONE] = 1, [TWO] = 2, [THREE] = 3, [SIXTEEN] = 16, [GREYS] = 200 };

	switch (kind) {
	case TEXT:
		return y % 16 < 11 && model_random(seed) % 3 == 0 ? (model_random(seed) % 100) * 0x010101u
								  : 0xffffffu;
	case GRADIENT:
		return (uint32_t)(x & 255) << 16 | (uint32_t)(y & 255) << 8 | (uint32_t)((x + y) & 255);
	case NOISE:
		return model_random(seed);
	default:
		return (uint32_t)(model_below(seed, counts[kind]) * 0x010203 + (int)kind) | model_random(seed)
												    << 24;
	}
}

static void draw(enum content kind, uint32_t seed)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = colour_of(kind, x, y, &seed);
}

/* The wire's format cannot tell codecs apart: one call for all of them. */
struct peer {
	const struct codec_type *type;
	struct tight_decoder tight;
	struct inflater zrle;
	struct flat_decoder *flat;
};

static bool peer_decode(struct peer *peer, const struct pst_buf *b, const struct rect *r, uint32_t *ret)
{
	bool is_jpeg;

	if (peer->type == &codec_tight)
		return tight_decode(&peer->tight, b->data, b->len, r->w, r->h, ret, &is_jpeg) && !is_jpeg;
	if (peer->type == &codec_zrle)
		return zrle_decode(&peer->zrle, b->data, b->len, r->w, r->h, ret);
	return flat_decode(peer->flat, peer->type == &codec_flat_single, b->data, b->len, r->w, r->h, ret);
}

static bool equals(const uint32_t *got, const struct rect *r)
{
	for (int y = 0; y < r->h; y++)
		for (int x = 0; x < r->w; x++)
			if (got[y * r->w + x] != (*pixmap_at(&pm, r->x + x, r->y + y) & 0xffffff))
				return false;
	return true;
}

static void round_trips(const struct codec_type *type)
{
	struct peer peer = { .type = type };
	struct codec *c = codec_create(type);
	struct pst_buf out;
	uint32_t seed = 77, *got = malloc(sizeof(px));

	tight_decoder_open(&peer.tight);
	inflater_open(&peer.zrle);
	peer.flat = flat_decoder_create();
	pst_buf_init(&out, 4 << 20);
	for (int i = 0; i < 600; i++) {
		struct rect r = { model_below(&seed, W), model_below(&seed, H), 0, 0 };
		struct pst_err err = PST_ERR_INIT;

		r.w = 1 + model_below(&seed, i % 5 ? PST_MIN(W - r.x, 70) : W - r.x);
		r.h = 1 + model_below(&seed, i % 7 ? PST_MIN(H - r.y, 70) : H - r.y);
		draw((enum content)model_below(&seed, CONTENTS), seed);
		pst_buf_reset(&out);
		cr_assert_eq(codec_encode(c, &pm, &r, 0, &out, &err), 0, "%s", err.text);
		cr_assert(peer_decode(&peer, &out, &r, got), "%s: rectangle %d of %dx%d does not decode",
			type->name, i, r.w, r.h);
		cr_assert(equals(got, &r), "%s: rectangle %d of %dx%d shows other pixels", type->name, i, r.w,
			r.h);
	}
	codec_destroy(c);
	tight_decoder_close(&peer.tight);
	inflater_close(&peer.zrle);
	flat_decoder_destroy(peer.flat);
	pst_buf_finish(&out);
	free(got);
}

Test(codec, tight_round_trips)
{
	round_trips(&codec_tight);
}

Test(codec, zrle_round_trips)
{
	round_trips(&codec_zrle);
}

Test(codec, flat_round_trips)
{
	round_trips(&codec_flat);
}

Test(codec, flat_single_round_trips)
{
	round_trips(&codec_flat_single);
}

static double psnr(const uint32_t *got, const struct rect *r)
{
	double sum = 0;

	for (int y = 0; y < r->h; y++)
		for (int x = 0; x < r->w; x++)
			for (int shift = 0; shift < 24; shift += 8) {
				int d = (int)(got[y * r->w + x] >> shift & 255) -
					(int)(*pixmap_at(&pm, r->x + x, r->y + y) >> shift & 255);

				sum += d * d;
			}
	return 10 * log10(255.0 * 255.0 * 3 * r->w * r->h / (sum + 1e-9));
}

static void draw_photo(void)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = (uint32_t)(128 + 100 * sin(x / 31.0 + y / 50.0)) << 16 |
					(uint32_t)(128 + 90 * sin(y / 23.0)) << 8 |
					(uint32_t)(128 + 80 * cos(x / 40.0));
}

Test(codec, jpeg_is_near_the_picture)
{
	const struct rect sizes[] = { { 0, 0, W, H }, { 3, 5, 101, 77 }, { 10, 10, 1, 1 }, { 1, 0, 8, 200 } };
	uint32_t *got = malloc(sizeof(px));
	struct codec *c = codec_create(&codec_jpeg);
	struct pst_buf out;

	draw_photo();
	pst_buf_init(&out, 4 << 20);
	for (size_t i = 0; i < PST_ARRAY_LEN(sizes); i++) {
		struct pst_err err = PST_ERR_INIT;
		double at50, at95;
		size_t len50;

		pst_buf_reset(&out);
		cr_assert_eq(codec_encode(c, &pm, &sizes[i], 50, &out, &err), 0, "%s", err.text);
		cr_assert(jpeg_decode(out.data, out.len, sizes[i].w, sizes[i].h, got));
		at50 = psnr(got, &sizes[i]);
		len50 = out.len;
		pst_buf_reset(&out);
		cr_assert_eq(codec_encode(c, &pm, &sizes[i], 95, &out, NULL), 0);
		cr_assert(jpeg_decode(out.data, out.len, sizes[i].w, sizes[i].h, got));
		at95 = psnr(got, &sizes[i]);
		cr_assert_gt(at50, 30, "%.1f dB", at50);
		cr_assert_gt(at95, 38, "%.1f dB", at95);
		cr_assert_geq(out.len, len50);
	}
	codec_destroy(c);
	pst_buf_finish(&out);
	free(got);
}

Test(codec, tight_sends_a_photo_as_jpeg_and_text_without_loss)
{
	struct rect r = { 0, 0, W, H };
	uint32_t *got = malloc(sizeof(px));
	struct tight_decoder d;
	struct codec *c = codec_create(&codec_tight);
	struct pst_buf out;
	bool is_jpeg;

	tight_decoder_open(&d);
	pst_buf_init(&out, 4 << 20);
	draw_photo();
	cr_assert_eq(codec_encode(c, &pm, &r, 80, &out, NULL), 0);
	cr_assert(tight_decode(&d, out.data, out.len, W, H, got, &is_jpeg) && is_jpeg);
	cr_assert_gt(psnr(got, &r), 30);
	draw(TEXT, 5);
	pst_buf_reset(&out);
	cr_assert_eq(codec_encode(c, &pm, &r, 80, &out, NULL), 0);
	cr_assert(tight_decode(&d, out.data, out.len, W, H, got, &is_jpeg) && !is_jpeg);
	cr_assert(equals(got, &r));
	tight_decoder_close(&d);
	codec_destroy(c);
	pst_buf_finish(&out);
	free(got);
}

Test(codec, a_full_buffer_is_an_error_and_leaves_nothing)
{
	const struct codec_type *types[] = { &codec_tight, &codec_zrle, &codec_jpeg, &codec_flat,
		&codec_flat_single };
	struct rect r = { 0, 0, W, H };

	draw(NOISE, 9);
	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct codec *c = codec_create(types[i]);
		struct pst_buf out;

		pst_buf_init(&out, 1000);
		pst_buf_append(&out, "abc", 3);
		cr_assert_lt(codec_encode(c, &pm, &r, 50, &out, &err), 0, "%s", types[i]->name);
		cr_assert_neq(err.text[0], 0);
		cr_assert_eq(out.len, 3);
		codec_destroy(c);
		pst_buf_finish(&out);
	}
}

Test(codec, rectangles_and_qualities_are_checked)
{
	const struct rect bad[] = { { 0, 0, 0, 5 }, { -1, 0, 5, 5 }, { 0, 0, W + 1, 1 }, { W, H, 1, 1 },
		{ 2147483647, 0, 2147483647, 1 } };
	struct codec *c = codec_create(&codec_flat);
	struct pst_err err = PST_ERR_INIT;
	struct rect good = { 0, 0, 1, 1 };
	struct pst_buf out;

	pst_buf_init(&out, 1000);
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(codec_encode(c, &pm, &bad[i], 50, &out, &err), PST_EINVAL);
	cr_assert_eq(codec_encode(c, &pm, &good, 101, &out, &err), PST_EINVAL);
	cr_assert_eq(out.len, 0);
	codec_destroy(c);
	codec_destroy(NULL);
	pst_buf_finish(&out);
}

Test(codec, what_was_shown_before_costs_next_to_nothing)
{
	struct codec *c = codec_create(&codec_flat);
	struct rect r = { 0, 0, W, H };
	struct pst_buf out;
	size_t first;

	pst_buf_init(&out, 8 << 20);
	draw(TEXT, 1);
	codec_encode(c, &pm, &r, 0, &out, NULL);
	first = out.len;
	draw(TEXT, 2);
	codec_encode(c, &pm, &r, 0, &out, NULL);
	pst_buf_reset(&out);
	draw(TEXT, 1);
	codec_encode(c, &pm, &r, 0, &out, NULL);
	cr_assert_lt(out.len * 20, first, "%zu of %zu bytes", out.len, first);
	codec_destroy(c);
	pst_buf_finish(&out);
}
