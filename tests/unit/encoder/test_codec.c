/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every codec promises: checked arguments, and nothing appended on failure. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "pages.h"

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
