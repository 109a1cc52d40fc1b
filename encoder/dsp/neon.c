/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels with NEON, which every 64-bit ARM has: four pixels at a time, the rest by the C table. */
#include "encoder/dsp/dsp.h"

#include <stddef.h>

#if defined(__aarch64__)

#include <arm_neon.h>

static uint32x4_t apart4(const uint32_t *a, const uint32_t *b)
{
	return vandq_u32(veorq_u32(vld1q_u32(a), vld1q_u32(b)), vdupq_n_u32(DSP_RGB));
}

static bool neon_same_row(const uint32_t *a, const uint32_t *b, int32_t n)
{
	int32_t i = 0;

	for (; i + 8 <= n; i += 8)
		if (vmaxvq_u32(vorrq_u32(apart4(a + i, b + i), apart4(a + i + 4, b + i + 4))))
			return false;
	return dsp_c.same_row(a + i, b + i, n - i);
}

static bool neon_diff_row(
	const uint32_t *a, const uint32_t *b, int32_t n, int32_t *ret_first, int32_t *ret_last)
{
	int32_t first = 0, last = n;

	while (first + 4 <= n && !vmaxvq_u32(apart4(a + first, b + first)))
		first += 4;
	while (first < n && !((a[first] ^ b[first]) & DSP_RGB))
		first++;
	if (first >= n)
		return false;
	while (last - 4 > first && !vmaxvq_u32(apart4(a + last - 4, b + last - 4)))
		last -= 4;
	while (!((a[last - 1] ^ b[last - 1]) & DSP_RGB))
		last--;
	*ret_first = first;
	*ret_last = last - 1;
	return true;
}

static void neon_copy_row(uint32_t *dst, const uint32_t *src, int32_t n)
{
	int32_t i = 0;

	for (; i + 4 <= n; i += 4)
		vst1q_u32(dst + i, vandq_u32(vld1q_u32(src + i), vdupq_n_u32(DSP_RGB)));
	dsp_c.copy_row(dst + i, src + i, n - i);
}

static bool neon_is_colour(const uint32_t *row, int32_t n, uint32_t colour)
{
	const uint32x4_t want = vdupq_n_u32(colour), rgb = vdupq_n_u32(DSP_RGB);
	int32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint32x4_t d = vorrq_u32(
			veorq_u32(vld1q_u32(row + i), want), veorq_u32(vld1q_u32(row + i + 4), want));

		if (vmaxvq_u32(vandq_u32(d, rgb)))
			return false;
	}
	return dsp_c.is_colour(row + i, n - i, colour);
}

static void neon_mark_apart(uint32_t *apart, const uint32_t *row, int32_t n, uint32_t colour)
{
	const uint32x4_t paper = vdupq_n_u32(colour), rgb = vdupq_n_u32(DSP_RGB);
	int32_t i = 0;

	for (; i + 4 <= n; i += 4)
		vst1q_u32(apart + i, vorrq_u32(vld1q_u32(apart + i),
					     vandq_u32(veorq_u32(vld1q_u32(row + i), paper), rgb)));
	dsp_c.mark_apart(apart + i, row + i, n - i, colour);
}

/* Neighbours as two halves: the even ones times the odd ones, and the even ones once more. */
static uint64x2_t hash_step(uint64x2_t lane, uint32x4_t px, uint32x4_t key)
{
	uint64x2_t v = vreinterpretq_u64_u32(vaddq_u32(px, key));
	uint32x2_t even = vmovn_u64(v), odd = vshrn_n_u64(v, 32);

	return vaddw_u32(vmlal_u32(lane, even, odd), even);
}

static uint64_t neon_hash_row(const uint32_t *row, int32_t n)
{
	const uint32_t places[8] = { DSP_HASH_KEY(-8, 0), DSP_HASH_KEY(-8, 1), DSP_HASH_KEY(-8, 2),
		DSP_HASH_KEY(-8, 3), DSP_HASH_KEY(-8, 4), DSP_HASH_KEY(-8, 5), DSP_HASH_KEY(-8, 6),
		DSP_HASH_KEY(-8, 7) };
	const uint32x4_t rgb = vdupq_n_u32(DSP_RGB), low = vld1q_u32(places), high = vld1q_u32(places + 4);
	uint64x2_t lanes[2] = { vdupq_n_u64(0), vdupq_n_u64(0) };
	uint64_t quad[4];

	if (neon_is_colour(row, n, row[0]))
		return 0;
	for (int32_t at = 0; at < n; at += 8) {
		const uint32x4_t step = vdupq_n_u32((uint32_t)(at / 8 + 1) * 0x9e3779b1u);
		const uint32_t *px = row + at;
		uint32_t rest[8] = { 0 };

		if (at + 8 > n) {
			for (int32_t i = 0; at + i < n; i++)
				rest[i] = row[at + i];
			px = rest;
		}
		lanes[0] = hash_step(lanes[0], vandq_u32(vld1q_u32(px), rgb), veorq_u32(low, step));
		lanes[1] = hash_step(lanes[1], vandq_u32(vld1q_u32(px + 4), rgb), veorq_u32(high, step));
	}
	vst1q_u64(quad, lanes[0]);
	vst1q_u64(quad + 2, lanes[1]);
	return dsp_hash_end(quad, (uint64_t)(uint32_t)n * 0x9e3779b97f4a7c15u);
}

static int32_t neon_find_any4(const uint32_t *row, int32_t from, int32_t n, const uint32_t colours[4])
{
	const uint32x4_t rgb = vdupq_n_u32(DSP_RGB);
	int32_t i = from;

	for (; i + 4 <= n; i += 4) {
		uint32x4_t px = vandq_u32(vld1q_u32(row + i), rgb), hit = vdupq_n_u32(0);

		for (int k = 0; k < 4; k++)
			hit = vorrq_u32(hit, vceqq_u32(px, vdupq_n_u32(colours[k])));
		if (vmaxvq_u32(hit))
			break;
	}
	return dsp_c.find_any4(row, i, n, colours);
}

static void neon_slopes(const uint32_t *row, int32_t n, uint32_t *equal, uint32_t *soft)
{
	const uint32x4_t rgb = vdupq_n_u32(DSP_RGB);
	int32_t i = 1;

	for (; i + 4 <= n; i += 4) {
		uint32x4_t a = vandq_u32(vld1q_u32(row + i), rgb), b = vandq_u32(vld1q_u32(row + i - 1), rgb);
		uint8x16_t d = vabdq_u8(vreinterpretq_u8_u32(a), vreinterpretq_u8_u32(b));
		uint32x4_t same = vceqq_u32(a, b);
		uint32x4_t near =
			vceqq_u32(vreinterpretq_u32_u8(vcgtq_u8(d, vdupq_n_u8(24))), vdupq_n_u32(0));

		*equal += vaddvq_u32(vshrq_n_u32(same, 31));
		*soft += vaddvq_u32(vshrq_n_u32(vbicq_u32(near, same), 31));
	}
	if (i < n)
		dsp_c.slopes(row + i - 1, n - i + 1, equal, soft);
}

static void neon_residues(const uint8_t *cur, const uint8_t *above, int32_t n,
	uint8_t *const out[DSP_FILTERS], uint32_t weights[DSP_FILTERS])
{
	uint32x4_t sums[DSP_FILTERS] = { vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0) };
	uint8_t *rest[DSP_FILTERS];
	int32_t i = 0;

	for (; i + 16 <= n; i += 16) {
		uint8x16_t v = vld1q_u8(cur + i), left = vld1q_u8(cur + i - 3), up = vld1q_u8(above + i);
		uint8x16_t slope = vsubq_u8(vaddq_u8(left, up), vld1q_u8(above + i - 3));
		const uint8x16_t residues[DSP_FILTERS] = { v, vsubq_u8(v, left), vsubq_u8(v, up),
			vsubq_u8(v, slope) };

		for (int k = 0; k < DSP_FILTERS; k++) {
			uint8x16_t size = vreinterpretq_u8_s8(vabsq_s8(vreinterpretq_s8_u8(residues[k])));

			vst1q_u8(out[k] + i, residues[k]);
			sums[k] = vpadalq_u16(sums[k], vpaddlq_u8(size));
		}
	}
	for (int k = 0; k < DSP_FILTERS; k++)
		rest[k] = out[k] + i;
	dsp_c.residues(cur + i, above + i, n - i, rest, weights);
	for (int k = 0; k < DSP_FILTERS; k++)
		weights[k] += vaddvq_u32(sums[k]);
}

/* Eight pixels' luma. vld4 gives each channel by itself: blue, green, red. */
static uint8x8_t luma8(uint8x8x4_t px)
{
	uint16x8_t b = vmovl_u8(px.val[0]), g = vmovl_u8(px.val[1]), r = vmovl_u8(px.val[2]);
	uint32x4_t lo = vmull_n_u16(vget_low_u16(r), 6966), hi = vmull_n_u16(vget_high_u16(r), 6966);

	lo = vmlal_n_u16(vmlal_n_u16(lo, vget_low_u16(g), 23436), vget_low_u16(b), 2366);
	hi = vmlal_n_u16(vmlal_n_u16(hi, vget_high_u16(g), 23436), vget_high_u16(b), 2366);
	return vmovn_u16(vcombine_u16(vrshrn_n_u32(lo, 15), vrshrn_n_u32(hi, 15)));
}

/* The weighted sum of four times 2 x 2 pixels, as the C table rounds and cuts it. */
static void chroma4(uint8_t *dst, const int32x4_t sums[3], int32_t r, int32_t g, int32_t b)
{
	int32x4_t v = vmulq_n_s32(sums[0], b);

	v = vmlaq_n_s32(vmlaq_n_s32(v, sums[1], g), sums[2], r);
	v = vshrq_n_s32(vaddq_s32(v, vdupq_n_s32((128 << 17) + (1 << 16))), 17);
	v = vmaxq_s32(vminq_s32(v, vdupq_n_s32(255)), vdupq_n_s32(0));
	for (int i = 0; i < 4; i++, v = vextq_s32(v, v, 1))
		dst[i] = (uint8_t)vgetq_lane_s32(v, 0);
}

static void neon_i420_rows(const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *y0, uint8_t *y1,
	uint8_t *u, uint8_t *v)
{
	int32_t x = 0;

	for (; x + 8 <= n; x += 8) {
		uint8x8x4_t p = vld4_u8((const uint8_t *)(row0 + x)),
			    q = vld4_u8((const uint8_t *)(row1 + x));
		int32x4_t sums[3];

		vst1_u8(y0 + x, luma8(p));
		vst1_u8(y1 + x, luma8(q));
		for (int c = 0; c < 3; c++)
			sums[c] = vreinterpretq_s32_u32(vpaddlq_u16(vaddl_u8(p.val[c], q.val[c])));
		chroma4(u + x / 2, sums, -3755, -12629, 16384);
		chroma4(v + x / 2, sums, 16384, -14883, -1501);
	}
	if (x < n)
		dsp_c.i420_rows(row0 + x, row1 + x, n - x, y0 + x, y1 + x, u + x / 2, v + x / 2);
}

/* Scattered writes: nothing for vectors without a gather. */
static void neon_see_colours(uint8_t *seen, const uint32_t *row, int32_t n)
{
	dsp_c.see_colours(seen, row, n);
}

/* A wire of its own, on machines of which none has been measured: C's. */
static void neon_chroma_rows(
	const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *const out[DSP_CHROMA_PLANES])
{
	dsp_c.chroma_rows(row0, row1, n, out);
}

static const struct dsp table = {
	.name = "neon",
	.diff_row = neon_diff_row,
	.same_row = neon_same_row,
	.copy_row = neon_copy_row,
	.is_colour = neon_is_colour,
	.see_colours = neon_see_colours,
	.mark_apart = neon_mark_apart,
	.hash_row = neon_hash_row,
	.find_any4 = neon_find_any4,
	.slopes = neon_slopes,
	.residues = neon_residues,
	.i420_rows = neon_i420_rows,
	.chroma_rows = neon_chroma_rows,
};

const struct dsp *dsp_neon(void)
{
	return &table;
}

#else

const struct dsp *dsp_neon(void)
{
	return NULL;
}

#endif
