/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zlib stream: every flush can be read at once, whatever the sizes; a full buffer is an error. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "encoder/codec/zstream.h"
#include "model.h"

/* has_levels: the level changes between the flushes. */
static void check_flushes(bool has_levels)
{
	uint8_t *in = malloc(100000), *got = malloc(100000);
	struct zstream s = { .is_open = false };
	struct inflater d;
	struct pst_buf out;
	uint32_t seed = 5;

	pst_buf_init(&out, 1 << 20);
	cr_assert_eq(zstream_open(&s, has_levels ? 6 : 1, NULL), 0);
	inflater_open(&d);
	for (int round = 0; round < 200; round++) {
		size_t n = (size_t)model_below(&seed, round % 9 ? 300 : 100000) + 1;

		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(model_random(&seed) & (round % 2 ? 255 : 3));
		pst_buf_reset(&out);
		if (has_levels)
			zstream_set_level(&s, 4 + model_below(&seed, 6));
		cr_assert_eq(zstream_write(&s, in, n, true, &out, NULL), 0);
		d.z.next_in = out.data;
		d.z.avail_in = (uInt)out.len;
		d.z.next_out = got;
		d.z.avail_out = (uInt)n;
		inflate(&d.z, Z_SYNC_FLUSH);
		cr_assert_eq(d.z.avail_out, 0u);
		cr_assert_eq(memcmp(in, got, n), 0);
	}
	zstream_close(&s);
	zstream_close(&s);
	inflater_close(&d);
	pst_buf_finish(&out);
	free(in);
	free(got);
}

Test(zstream, a_flush_costs_less_than_a_sync_marker)
{
	struct zstream s = { .is_open = false };
	struct pst_buf out;
	size_t first;

	pst_buf_init(&out, 1 << 16);
	cr_assert_eq(zstream_open(&s, 6, NULL), 0);
	cr_assert_eq(zstream_write(&s, (const uint8_t *)"a letter of a text", 18, true, &out, NULL), 0);
	first = out.len;
	cr_assert_eq(zstream_write(&s, (const uint8_t *)"a letter of a text", 18, true, &out, NULL), 0);
	cr_assert_leq(out.len - first, 6u); /* a match, the end of its block, the empty block */
	zstream_close(&s);
	pst_buf_finish(&out);
}

Test(zstream, every_flush_can_be_read_at_once)
{
	check_flushes(false);
}

Test(zstream, the_level_may_change_between_flushes)
{
	check_flushes(true);
}

Test(zstream, a_full_buffer_is_an_error)
{
	struct zstream s = { .is_open = false };
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf out;

	pst_buf_init(&out, 10);
	cr_assert_eq(zstream_open(&s, 1, NULL), 0);
	cr_assert_lt(zstream_write(&s, (const uint8_t *)"abc", 3, true, &out, &err), 0);
	cr_assert_neq(err.text[0], 0);
	zstream_close(&s);
	pst_buf_finish(&out);
}
