/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawn content, and the round trip of the codec tests. */
#include "pages.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "model.h"

uint32_t px[W * H];
const struct pixmap pm = { (const uint8_t *)px, W, H, W * 4 };

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

void draw(enum content kind, uint32_t seed)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = colour_of(kind, x, y, &seed);
}

void draw_photo(void)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = (uint32_t)(128 + 100 * sin(x / 31.0 + y / 50.0)) << 16 |
					(uint32_t)(128 + 90 * sin(y / 23.0)) << 8 |
					(uint32_t)(128 + 80 * cos(x / 40.0));
}

bool equals(const uint32_t *got, const struct rect *r)
{
	for (int y = 0; y < r->h; y++)
		for (int x = 0; x < r->w; x++)
			if (got[y * r->w + x] != (*pixmap_at(&pm, r->x + x, r->y + y) & 0xffffff))
				return false;
	return true;
}

double psnr(const uint32_t *got, const struct rect *r)
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

void round_trips(const struct codec_type *type)
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
