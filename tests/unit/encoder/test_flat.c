/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The flat codec against a decoder written from docs/flat-codec.md. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "pages.h"

Test(flat, flat_round_trips)
{
	round_trips(&codec_flat);
}

Test(flat, flat_single_round_trips)
{
	round_trips(&codec_flat_single);
}

Test(flat, what_was_shown_before_costs_next_to_nothing)
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
