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

static size_t bytes_of_page(struct codec *c, uint32_t seed)
{
	struct rect r = { 0, 0, W, H };
	struct pst_buf out;
	size_t len;

	pst_buf_init(&out, 8 << 20);
	draw(TEXT, seed);
	cr_assert_eq(codec_encode(c, &pm, &r, 0, &out, NULL), 0);
	len = out.len;
	pst_buf_finish(&out);
	return len;
}

Test(flat, what_was_shown_before_costs_next_to_nothing)
{
	struct codec *c = codec_create(&codec_flat);
	size_t first = bytes_of_page(c, 1), again;

	bytes_of_page(c, 2);
	/* Known columns, two bytes each, and from then on a match. */
	again = bytes_of_page(c, 1);
	cr_assert_lt(again * 5, first, "%zu of %zu bytes", again, first);
	bytes_of_page(c, 2);
	again = bytes_of_page(c, 1);
	cr_assert_lt(again * 20, first, "%zu of %zu bytes", again, first);
	codec_destroy(c);
}
