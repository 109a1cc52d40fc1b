/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter against its definition, what it is chosen for, and what Tight makes of it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "encoder/codec/gradient.h"
#include "encoder/codec/tight.h"
#include "model.h"
#include "pages.h"

static uint8_t channel(const struct rect *r, int x, int y, int c)
{
	return x < 0 || y < 0 ? 0 : (uint8_t)(px[(r->y + y) * W + r->x + x] >> (16 - 8 * c));
}

static uint8_t expected(const struct rect *r, int x, int y, int c)
{
	int p = channel(r, x - 1, y, c) + channel(r, x, y - 1, c) - channel(r, x - 1, y - 1, c);

	return (uint8_t)(channel(r, x, y, c) - PST_CLAMP(p, 0, 255));
}

Test(gradient, it_is_what_the_protocol_says)
{
	uint32_t seed = 5;
	struct pst_buf out;

	pst_buf_init(&out, 1 << 20);
	for (int i = 0; i < 60; i++) {
		struct rect r = { model_below(&seed, W), model_below(&seed, H), 0, 0 };

		r.w = 1 + model_below(&seed, W - r.x);
		r.h = 1 + model_below(&seed, PST_MIN(H - r.y, 40));
		draw(i % 2 ? NOISE : GRADIENT, seed);
		pst_buf_reset(&out);
		gradient_put(&pm, &r, &out);
		cr_assert_eq(out.len, (size_t)rect_area(&r) * 3);
		for (int y = 0; y < r.h; y++)
			for (int x = 0; x < r.w * 3; x++)
				cr_assert_eq(out.data[y * r.w * 3 + x], expected(&r, x / 3, y, x % 3), "case %d at %d, %d", i, x / 3, y);
	}
	pst_buf_finish(&out);
}

Test(gradient, it_pays_for_photos_and_not_for_what_is_drawn)
{
	const struct rect r = { 0, 0, W, H };

	draw_photo();
	cr_expect(gradient_pays(&pm, &r));
	draw(TEXT, 3);
	cr_expect_not(gradient_pays(&pm, &r));
	draw(SIXTEEN, 3);
	cr_expect_not(gradient_pays(&pm, &r));
	draw(NOISE, 3);
	cr_expect_not(gradient_pays(&pm, &r), "nothing helps noise");
	cr_expect_not(gradient_pays(&pm, &(struct rect){ 5, 5, 40, 1 }), "one row has nothing above it");
}

static size_t photo_bytes(bool has_gradient, uint8_t *ret_filter)
{
	const struct rect r = { 0, 0, W, H };
	struct codec *c = codec_create(&codec_tight);
	struct tight_decoder d;
	struct pst_buf out;
	uint32_t *got = malloc(sizeof(px)), seed = 9;
	bool is_jpeg;

	draw_photo();
	for (size_t i = 0; i < PST_ARRAY_LEN(px); i++)
		px[i] += model_below(&seed, 4) * 0x010101u;
	tight_decoder_open(&d);
	pst_buf_init(&out, 4 << 20);
	tight_set_gradient(c, has_gradient);
	for (int i = 0; i < 3; i++) {
		pst_buf_reset(&out);
		cr_assert_eq(codec_encode(c, &pm, &r, 0, &out, NULL), 0);
		cr_assert(tight_decode(&d, out.data, out.len, W, H, got, &is_jpeg) && !is_jpeg);
		cr_assert(equals(got, &r));
	}
	size_t bytes = out.len;

	*ret_filter = out.data[0] & 0x40 ? out.data[1] : 0;
	tight_decoder_close(&d);
	codec_destroy(c);
	pst_buf_finish(&out);
	free(got);
	return bytes;
}

Test(gradient, photos_without_loss_take_less_where_the_viewer_knows_it)
{
	uint8_t plain_filter, filter;
	size_t plain = photo_bytes(false, &plain_filter), less = photo_bytes(true, &filter);

	cr_assert_eq(plain_filter, 0, "never unasked");
	cr_assert_eq(filter, 2);
	cr_assert_lt(less * 5, plain * 4, "%zu, then %zu bytes", plain, less);
}
