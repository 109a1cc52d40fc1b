/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels in C, and the choice of a table. */
#include "encoder/dsp/dsp.h"

#include <stddef.h>
#include <string.h>

static bool c_same_row(const uint32_t *a, const uint32_t *b, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
		if ((a[i] ^ b[i]) & DSP_RGB)
			return false;
	return true;
}

static bool c_diff_row(const uint32_t *a, const uint32_t *b, int32_t n, int32_t *ret_first, int32_t *ret_last)
{
	int32_t first = 0, last = n - 1;

	while (first < n && !((a[first] ^ b[first]) & DSP_RGB))
		first++;
	if (first == n)
		return false;
	while (!((a[last] ^ b[last]) & DSP_RGB) && last > first)
		last--;

	*ret_first = first;
	*ret_last = last;
	return true;
}

static void c_copy_row(uint32_t *dst, const uint32_t *src, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
		dst[i] = src[i] & DSP_RGB;
}

static bool c_is_colour(const uint32_t *row, int32_t n, uint32_t colour)
{
	for (int32_t i = 0; i < n; i++)
		if ((row[i] ^ colour) & DSP_RGB)
			return false;
	return true;
}

static void c_see_colours(uint8_t *seen, const uint32_t *row, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
		seen[dsp_place(row[i])] = 1;
}

static void c_mark_apart(uint32_t *apart, const uint32_t *row, int32_t n, uint32_t colour)
{
	for (int32_t i = 0; i < n; i++)
		apart[i] |= (row[i] ^ colour) & DSP_RGB;
}

/*
 * Pixels by eight, as a vector register has them, the missing ones of a last group as zero. Neighbours are
 * mixed with a key of their place and multiplied with each other, as XXH3 does: no step waits for the one
 * before.
 */
static uint64_t c_hash_row(const uint32_t *row, int32_t n)
{
	uint64_t lane[4] = { 0 }, h = (uint64_t)(uint32_t)n * 0x9e3779b97f4a7c15u;
	uint32_t apart = 0;

	for (int32_t i = 0; i < n; i++)
		apart |= (row[i] ^ row[0]) & DSP_RGB;
	if (!apart)
		return 0;
	for (int32_t at = 0; at < n; at += 8) {
		for (int i = 0; i < 8; i += 2) {
			uint32_t key = DSP_HASH_KEY(at, i), next = DSP_HASH_KEY(at, i + 1);
			uint32_t a = key + (at + i < n ? row[at + i] & DSP_RGB : 0);
			uint32_t b = next + (at + i + 1 < n ? row[at + i + 1] & DSP_RGB : 0);

			lane[i / 2] += (uint64_t)a * b + a;
		}
	}
	return dsp_hash_end(lane, h);
}

uint64_t dsp_hash_end(const uint64_t lane[4], uint64_t h)
{
	for (int i = 0; i < 4; i++) {
		h ^= lane[i];
		h *= 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return h | 1;
}

static int32_t c_find_any4(const uint32_t *row, int32_t from, int32_t n, const uint32_t colours[4])
{
	for (int32_t i = from; i < n; i++) {
		uint32_t px = row[i] & DSP_RGB;

		if (px == colours[0] || px == colours[1] || px == colours[2] || px == colours[3])
			return i;
	}
	return n;
}

static bool is_near(uint32_t a, uint32_t b)
{
	for (int shift = 0; shift < 24; shift += 8) {
		int d = (int)(a >> shift & 255) - (int)(b >> shift & 255);

		if (d < -24 || d > 24)
			return false;
	}
	return true;
}

static void c_slopes(const uint32_t *row, int32_t n, uint32_t *equal, uint32_t *soft)
{
	for (int32_t i = 1; i < n; i++) {
		if (!((row[i] ^ row[i - 1]) & DSP_RGB))
			(*equal)++;
		else if (is_near(row[i], row[i - 1]))
			(*soft)++;
	}
}

static void c_residues(const uint8_t *cur, const uint8_t *above, int32_t n, uint8_t *const out[DSP_FILTERS],
	uint32_t weights[DSP_FILTERS])
{
	for (int k = 0; k < DSP_FILTERS; k++)
		weights[k] = 0;
	for (int32_t i = 0; i < n; i++) {
		uint8_t left = cur[i - 3], corner = above[i - 3];
		const uint8_t guess[DSP_FILTERS] = { 0, left, above[i], (uint8_t)(left + above[i] - corner) };

		for (int k = 0; k < DSP_FILTERS; k++) {
			uint8_t v = (uint8_t)(cur[i] - guess[k]);

			out[k][i] = v;
			weights[k] += v < 128 ? v : 256u - v;
		}
	}
}

struct rgb_sum {
	int32_t r, g, b;
};

static void add_pixel(struct rgb_sum *s, uint32_t px)
{
	s->b += (int32_t)(px & 255);
	s->g += (int32_t)(px >> 8 & 255);
	s->r += (int32_t)(px >> 16 & 255);
}

/* BT.709 in 15 bits; the three weights make 32768, so white is 255. */
static uint8_t luma(uint32_t px)
{
	return (uint8_t)((6966 * (px >> 16 & 255) + 23436 * (px >> 8 & 255) + 2366 * (px & 255) + 16384) >>
			 15);
}

/* Weights times the sum of four pixels: 17 bits to shift, the middle (128) put in before. */
static uint8_t chroma(int32_t weighted)
{
	int32_t v = (weighted + (128 << 17) + (1 << 16)) >> 17;

	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void c_i420_rows(const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *y0, uint8_t *y1,
	uint8_t *u, uint8_t *v)
{
	for (int32_t x = 0; x < n; x += 2) {
		int32_t next = x + 1 < n ? x + 1 : x;
		struct rgb_sum s = { 0, 0, 0 };

		add_pixel(&s, row0[x]);
		add_pixel(&s, row0[next]);
		add_pixel(&s, row1[x]);
		add_pixel(&s, row1[next]);
		y0[x] = luma(row0[x]);
		y0[x + 1] = luma(row0[next]);
		y1[x] = luma(row1[x]);
		y1[x + 1] = luma(row1[next]);
		u[x / 2] = chroma(-3755 * s.r - 12629 * s.g + 16384 * s.b);
		v[x / 2] = chroma(16384 * s.r - 14883 * s.g - 1501 * s.b);
	}
}

static uint8_t chroma_u(uint32_t px)
{
	return chroma(4 * (-3755 * (int32_t)(px >> 16 & 255) - 12629 * (int32_t)(px >> 8 & 255) +
				  16384 * (int32_t)(px & 255)));
}

static uint8_t chroma_v(uint32_t px)
{
	return chroma(4 * (16384 * (int32_t)(px >> 16 & 255) - 14883 * (int32_t)(px >> 8 & 255) -
				  1501 * (int32_t)(px & 255)));
}

/* Columns from, from + step, … */
static void pick_chroma(const uint32_t *row, int32_t n, int32_t from, int32_t step, uint8_t *u, uint8_t *v)
{
	for (int32_t i = 0; i * step < n; i++) {
		uint32_t px = row[i * step + from < n ? i * step + from : n - 1];

		u[i] = chroma_u(px);
		v[i] = chroma_v(px);
	}
}

static void c_chroma_rows(
	const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *const out[DSP_CHROMA_PLANES])
{
	pick_chroma(row0, n, 1, 2, out[DSP_CHROMA_U0], out[DSP_CHROMA_V0]);
	pick_chroma(row1, n, 1, 2, out[DSP_CHROMA_U1], out[DSP_CHROMA_V1]);
	pick_chroma(row1, n, 0, 4, out[DSP_CHROMA_U1_AT_0], out[DSP_CHROMA_V1_AT_0]);
	pick_chroma(row1, n, 2, 4, out[DSP_CHROMA_U1_AT_2], out[DSP_CHROMA_V1_AT_2]);
}

const struct dsp dsp_c = {
	.name = "c",
	.diff_row = c_diff_row,
	.same_row = c_same_row,
	.copy_row = c_copy_row,
	.is_colour = c_is_colour,
	.see_colours = c_see_colours,
	.mark_apart = c_mark_apart,
	.hash_row = c_hash_row,
	.find_any4 = c_find_any4,
	.slopes = c_slopes,
	.residues = c_residues,
	.i420_rows = c_i420_rows,
	.chroma_rows = c_chroma_rows,
};

const struct dsp *dsp_best(void)
{
	const struct dsp *(*const tables[])(void) = { dsp_avx512, dsp_avx2, dsp_neon };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (tables[i]())
			return tables[i]();
	return &dsp_c;
}
