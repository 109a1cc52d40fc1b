/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every kernel table against the C table: odd widths, odd alignments, guard words behind each output, X bytes
 * full of rubbish. Covers: encoder/dsp/avx512.c encoder/dsp/neon.c
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/dsp/dsp.h"
#include "model.h"

#define N 200
#define GUARD 0xa5

static uint32_t a[N + 16], b[N + 16];

/* Rows that agree in long parts, as screens do. */
static void fill_rows(uint32_t *seed)
{
	uint32_t run = 0;

	for (int i = 0; i < N + 16; i++) {
		if (model_below(seed, 6) == 0)
			run = model_below(seed, 3) ? model_random(seed) : run + 0x050a0f;
		a[i] = (run & DSP_RGB) | model_random(seed) << 24;
		b[i] = (a[i] & DSP_RGB) | model_random(seed) << 24;
		if (model_below(seed, 40) == 0)
			b[i] ^= 1u << model_below(seed, 24);
	}
}

static void compare_reads(const struct dsp *d, const uint32_t *p, const uint32_t *q, int32_t n)
{
	const uint32_t colours[4] = { p[n / 2] & DSP_RGB, 1, 2, q[n - 1] & DSP_RGB };
	int32_t f0 = -1, l0 = -1, f1 = -1, l1 = -1;
	uint32_t equal0 = 5, soft0 = 6, equal1 = 5, soft1 = 6;

	cr_assert_eq(d->same_row(p, q, n), dsp_c.same_row(p, q, n));
	cr_assert_eq(d->diff_row(p, q, n, &f1, &l1), dsp_c.diff_row(p, q, n, &f0, &l0));
	cr_assert(f0 == f1 && l0 == l1, "%d: %d-%d is not %d-%d", n, f1, l1, f0, l0);
	cr_assert_eq(d->is_colour(p, n, p[0]), dsp_c.is_colour(p, n, p[0]));
	cr_assert_eq(d->hash_row(p, n), dsp_c.hash_row(p, n));
	for (int32_t from = 0; from <= n; from += 1 + n / 5)
		cr_assert_eq(d->find_any4(p, from, n, colours), dsp_c.find_any4(p, from, n, colours));
	dsp_c.slopes(p, n, &equal0, &soft0);
	d->slopes(p, n, &equal1, &soft1);
	cr_assert(equal0 == equal1 && soft0 == soft1);
}

static void compare_seen(const struct dsp *d, const uint32_t *p, int32_t n)
{
	uint8_t seen[2][DSP_SEEN] = { 0 };

	dsp_c.see_colours(seen[0], p, n);
	d->see_colours(seen[1], p, n);
	cr_assert_eq(memcmp(seen[0], seen[1], DSP_SEEN), 0);
}

static void compare_residues(const struct dsp *d, const uint8_t *p, const uint8_t *q, int32_t n)
{
	uint8_t out[2][DSP_FILTERS][N + 8];
	uint32_t weights[2][DSP_FILTERS];

	memset(out, GUARD, sizeof(out));
	for (int i = 0; i < 2; i++) {
		uint8_t *const to[DSP_FILTERS] = { out[i][0], out[i][1], out[i][2], out[i][3] };

		(i ? d : &dsp_c)->residues(p + 3, q + 3, n, to, weights[i]);
	}
	cr_assert_eq(memcmp(out[0], out[1], sizeof(out[0])), 0);
	cr_assert_eq(memcmp(weights[0], weights[1], sizeof(weights[0])), 0);
}

static void compare_copy(const struct dsp *d, const uint32_t *p, int32_t n)
{
	uint32_t out[2][N + 4];

	memset(out, GUARD, sizeof(out));
	dsp_c.copy_row(out[0] + 1, p, n);
	d->copy_row(out[1] + 1, p, n);
	cr_assert_eq(memcmp(out[0], out[1], sizeof(out[0])), 0);
	dsp_c.mark_apart(out[0] + 1, p, n, p[n / 2]);
	d->mark_apart(out[1] + 1, p, n, p[n / 2]);
	cr_assert_eq(memcmp(out[0], out[1], sizeof(out[0])), 0);
}

static void compare_i420(const struct dsp *d, const uint32_t *p, const uint32_t *q, int32_t n)
{
	uint8_t out[2][4][N + 8];

	memset(out, GUARD, sizeof(out));
	dsp_c.i420_rows(p, q, n, out[0][0] + 1, out[0][1] + 1, out[0][2] + 1, out[0][3] + 1);
	d->i420_rows(p, q, n, out[1][0] + 1, out[1][1] + 1, out[1][2] + 1, out[1][3] + 1);
	cr_assert_eq(memcmp(out[0], out[1], sizeof(out[0])), 0, "i420 of %d pixels", n);
	cr_assert_eq(out[1][0][n + 1 + n % 2], GUARD);
	cr_assert_eq(out[1][2][1 + (n + 1) / 2], GUARD);
}

static void compare_chroma(const struct dsp *d, const uint32_t *p, const uint32_t *q, int32_t n)
{
	uint8_t out[2][DSP_CHROMA_PLANES][N + 8];

	memset(out, GUARD, sizeof(out));
	for (int i = 0; i < 2; i++) {
		uint8_t *to[DSP_CHROMA_PLANES];

		for (int k = 0; k < DSP_CHROMA_PLANES; k++)
			to[k] = out[i][k] + 1;
		(i ? d : &dsp_c)->chroma_rows(p, q, n, to);
	}
	cr_assert_eq(memcmp(out[0], out[1], sizeof(out[0])), 0, "chroma of %d pixels", n);
	cr_assert_eq(out[1][DSP_CHROMA_V1][1 + (n + 1) / 2], GUARD);
	cr_assert_eq(out[1][DSP_CHROMA_U1_AT_2][1 + (n + 3) / 4], GUARD);
}

Test(avx2, every_table_answers_as_c_does)
{
	const struct dsp *tables[] = { &dsp_c, dsp_avx2(), dsp_avx512(), dsp_neon() };
	uint32_t seed = 12345;

	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		if (!tables[t])
			continue;
		for (int round = 0; round < 2000; round++) {
			int32_t n = 1 + model_below(&seed, N), off = model_below(&seed, 8);

			fill_rows(&seed);
			compare_reads(tables[t], a + off, b + off, n);
			compare_copy(tables[t], a + off, n);
			compare_residues(
				tables[t], (const uint8_t *)a + off, (const uint8_t *)b + off / 2, n);
			compare_seen(tables[t], a + off, n);
			compare_i420(tables[t], a + off, b + off, n);
			compare_chroma(tables[t], a + off, b + off, n);
		}
	}
}
