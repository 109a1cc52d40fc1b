/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tight against a decoder written from the protocol. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "pages.h"

Test(tight, tight_round_trips)
{
	round_trips(&codec_tight);
}

Test(tight, tight_sends_a_photo_as_jpeg_and_text_without_loss)
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

Test(tight, a_films_sky_of_few_colours_is_jpeg_and_what_is_drawn_is_not)
{
	const struct rect r = { 0, 0, 256, 64 };
	struct codec *c = codec_create(&codec_tight);
	struct tight_decoder d;
	uint32_t *got = malloc(sizeof(px));
	struct pst_buf out;
	bool is_jpeg;

	tight_decoder_open(&d);
	pst_buf_init(&out, 4 << 20);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = 0x6090c0 + (uint32_t)((x * 7 + y * 13) % 60);
	cr_assert_eq(codec_encode(c, &pm, &r, 20, &out, NULL), 0);
	cr_assert(tight_decode(&d, out.data, out.len, r.w, r.h, got, &is_jpeg) && is_jpeg);
	draw(SIXTEEN, 5);
	pst_buf_reset(&out);
	cr_assert_eq(codec_encode(c, &pm, &r, 20, &out, NULL), 0);
	cr_assert(tight_decode(&d, out.data, out.len, r.w, r.h, got, &is_jpeg) && !is_jpeg);
	tight_decoder_close(&d);
	codec_destroy(c);
	pst_buf_finish(&out);
	free(got);
}

Test(tight, too_wide_a_rectangle_is_refused)
{
	static uint32_t wide[2049];
	const struct pixmap p = { (const uint8_t *)wide, 2049, 1, 2049 * 4 };
	struct codec *c = codec_create(&codec_tight);
	struct pst_err err = PST_ERR_INIT;
	struct rect r = { 0, 0, 2049, 1 };
	struct pst_buf out;

	pst_buf_init(&out, 10000);
	cr_assert_eq(codec_encode(c, &p, &r, 0, &out, &err), PST_EINVAL);
	r.w = 2048;
	cr_assert_eq(codec_encode(c, &p, &r, 0, &out, &err), 0);
	codec_destroy(c);
	pst_buf_finish(&out);
}
