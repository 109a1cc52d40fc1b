/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JPEG: near the picture, nearer with more quality. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "pages.h"

Test(jpeg, jpeg_is_near_the_picture)
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

Test(jpeg, thrift_makes_the_same_picture_of_fewer_bytes)
{
	const struct codec_type *types[] = { &codec_jpeg, &codec_tight };
	const struct rect r = { 0, 0, 256, 64 };

	draw_photo();
	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++) {
		struct codec *c = codec_create(types[i]);
		struct pst_buf out;

		pst_buf_init(&out, 4 << 20);
		cr_assert_eq(codec_encode(c, &pm, &r, 20, &out, NULL), 0);
		size_t plain = out.len;

		codec_set_thrift(c, true);
		cr_assert_eq(codec_encode(c, &pm, &r, 20, &out, NULL), 0);
		cr_expect_lt((out.len - plain) * 10, plain * 9, "%s: %zu, then %zu bytes", types[i]->name, plain, out.len - plain);
		if (types[i] == &codec_jpeg) {
			uint32_t *a = malloc(sizeof(px)), *b = malloc(sizeof(px));

			cr_assert(jpeg_decode(out.data, plain, r.w, r.h, a) && jpeg_decode(out.data + plain, out.len - plain, r.w, r.h, b));
			cr_assert_eq(memcmp(a, b, (size_t)rect_area(&r) * 4), 0);
			free(a);
			free(b);
		}
		codec_destroy(c);
		pst_buf_finish(&out);
	}
}

/* A flat picture's own tables have no codes for a photo's. */
Test(jpeg, what_was_thrifty_spoils_no_later_picture)
{
	const struct rect r = { 0, 0, W, H }, corner = { 0, 0, 16, 16 };
	uint32_t *got = malloc(sizeof(px));
	struct codec *c = codec_create(&codec_jpeg);
	struct pst_buf first, later;

	draw_photo();
	pst_buf_init(&first, 4 << 20);
	pst_buf_init(&later, 4 << 20);
	cr_assert_eq(codec_encode(c, &pm, &r, 75, &first, NULL), 0);
	for (int i = 0; i < 2; i++) {
		codec_set_thrift(c, true);
		pst_buf_reset(&later);
		cr_assert_eq(codec_encode(c, &pm, &corner, 5, &later, NULL), 0);
		codec_set_thrift(c, false);
		pst_buf_reset(&later);
		cr_assert_eq(codec_encode(c, &pm, &r, 75, &later, NULL), 0);
		cr_assert(jpeg_decode(later.data, later.len, r.w, r.h, got));
		cr_expect_gt(psnr(got, &r), 30);
		cr_expect(later.len == first.len && memcmp(later.data, first.data, first.len) == 0, "the same bytes as ever");
	}
	codec_destroy(c);
	pst_buf_finish(&first);
	pst_buf_finish(&later);
	free(got);
}
