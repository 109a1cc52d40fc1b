/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels with AVX2: eight pixels at a time, the rest by the C table. Loads are unaligned and never pass
 * the row's end. */
#include "encoder/dsp/dsp.h"

#include <stddef.h>

#if defined(__x86_64__)

#include <immintrin.h>

#include "encoder/dsp/avx2.h"

#define AVX2 __attribute__((target("avx2")))

AVX2 static __m256i load8(const uint32_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* One bit per pixel that is equal in the bits of DSP_RGB. */
AVX2 static uint32_t equal_bits(__m256i a, __m256i b)
{
	__m256i diff = _mm256_and_si256(_mm256_xor_si256(a, b), _mm256_set1_epi32((int)DSP_RGB));

	return (uint32_t)_mm256_movemask_ps(
		_mm256_castsi256_ps(_mm256_cmpeq_epi32(diff, _mm256_setzero_si256())));
}

AVX2 bool avx2_same_row(const uint32_t *a, const uint32_t *b, int32_t n)
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB);
	int32_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m256i d = _mm256_or_si256(_mm256_xor_si256(load8(a + i), load8(b + i)),
			_mm256_xor_si256(load8(a + i + 8), load8(b + i + 8)));

		if (!_mm256_testz_si256(d, mask))
			return false;
	}
	return dsp_c.same_row(a + i, b + i, n - i);
}

AVX2 static bool avx2_diff_row(
	const uint32_t *a, const uint32_t *b, int32_t n, int32_t *ret_first, int32_t *ret_last)
{
	int32_t first = 0, last = n;
	uint32_t eq = 0xff;

	for (; first + 8 <= n; first += 8) {
		eq = equal_bits(load8(a + first), load8(b + first));
		if (eq != 0xff)
			break;
	}
	if (eq != 0xff)
		first += __builtin_ctz(~eq & 0xff);
	while (first < n && !((a[first] ^ b[first]) & DSP_RGB))
		first++;
	if (first >= n)
		return false;

	for (; last - 8 > first; last -= 8)
		if (equal_bits(load8(a + last - 8), load8(b + last - 8)) != 0xff)
			break;
	while (!((a[last - 1] ^ b[last - 1]) & DSP_RGB))
		last--;

	*ret_first = first;
	*ret_last = last - 1;
	return true;
}

AVX2 void avx2_copy_row(uint32_t *dst, const uint32_t *src, int32_t n)
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB);
	int32_t i = 0;

	for (; i + 8 <= n; i += 8)
		_mm256_storeu_si256((__m256i *)(void *)(dst + i), _mm256_and_si256(load8(src + i), mask));
	dsp_c.copy_row(dst + i, src + i, n - i);
}

AVX2 static bool avx2_is_colour(const uint32_t *row, int32_t n, uint32_t colour)
{
	const __m256i want = _mm256_set1_epi32((int)colour);
	int32_t i = 0;

	for (; i + 8 <= n; i += 8)
		if (equal_bits(load8(row + i), want) != 0xff)
			return false;
	return dsp_c.is_colour(row + i, n - i, colour);
}

AVX2 static void see_two(uint8_t *seen, uint64_t places)
{
	seen[(uint32_t)places] = 1;
	seen[places >> 32] = 1;
}

/* The places by eight, handed over in registers: through memory each would wait for the writes before. */
AVX2 void avx2_see_colours(uint8_t *seen, const uint32_t *row, int32_t n)
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB), k1 = _mm256_set1_epi32((int)0x9e3779b1u),
		      k2 = _mm256_set1_epi32((int)0x85ebca6bu);
	int32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256i h = _mm256_and_si256(load8(row + i), mask);

		h = _mm256_mullo_epi32(_mm256_xor_si256(h, _mm256_srli_epi32(h, 9)), k1);
		h = _mm256_mullo_epi32(_mm256_xor_si256(h, _mm256_srli_epi32(h, 15)), k2);
		h = _mm256_srli_epi32(h, 21);
		see_two(seen, (uint64_t)_mm256_extract_epi64(h, 0));
		see_two(seen, (uint64_t)_mm256_extract_epi64(h, 1));
		see_two(seen, (uint64_t)_mm256_extract_epi64(h, 2));
		see_two(seen, (uint64_t)_mm256_extract_epi64(h, 3));
	}
	dsp_c.see_colours(seen, row + i, n - i);
}

AVX2 void avx2_mark_apart(uint32_t *apart, const uint32_t *row, int32_t n, uint32_t colour)
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB), paper = _mm256_set1_epi32((int)colour);
	int32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256i d = _mm256_and_si256(_mm256_xor_si256(load8(row + i), paper), mask);

		_mm256_storeu_si256((__m256i *)(void *)(apart + i), _mm256_or_si256(load8(apart + i), d));
	}
	dsp_c.mark_apart(apart + i, row + i, n - i, colour);
}

AVX2 static __m256i hash_step(__m256i lane, __m256i px, int32_t at)
{
	const __m256i places = _mm256_setr_epi32((int)DSP_HASH_KEY(-8, 0), (int)DSP_HASH_KEY(-8, 1),
		(int)DSP_HASH_KEY(-8, 2), (int)DSP_HASH_KEY(-8, 3), (int)DSP_HASH_KEY(-8, 4),
		(int)DSP_HASH_KEY(-8, 5), (int)DSP_HASH_KEY(-8, 6), (int)DSP_HASH_KEY(-8, 7));
	__m256i key =
		_mm256_xor_si256(places, _mm256_set1_epi32((int)((uint32_t)(at / 8 + 1) * 0x9e3779b1u)));
	__m256i v = _mm256_add_epi32(px, key), odd = _mm256_srli_epi64(v, 32);
	__m256i even = _mm256_and_si256(v, _mm256_set1_epi64x(0xffffffff));

	return _mm256_add_epi64(lane, _mm256_add_epi64(_mm256_mul_epu32(v, odd), even));
}

AVX2 uint64_t avx2_hash_row(const uint32_t *row, int32_t n)
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB), first = _mm256_set1_epi32((int)row[0]);
	__m256i lane = _mm256_setzero_si256(), apart = _mm256_setzero_si256();
	uint64_t quad[4];
	uint32_t rest[8] = { 0 }, rest_apart = 0;
	int32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m256i px = load8(row + i);

		apart = _mm256_or_si256(apart, _mm256_xor_si256(px, first));
		lane = hash_step(lane, _mm256_and_si256(px, mask), i);
	}
	if (i < n) {
		for (int32_t k = 0; i + k < n; k++) {
			rest[k] = row[i + k] & DSP_RGB;
			rest_apart |= (row[i + k] ^ row[0]) & DSP_RGB;
		}
		lane = hash_step(lane, load8(rest), i);
	}
	if (!rest_apart && _mm256_testz_si256(apart, mask))
		return 0;
	_mm256_storeu_si256((__m256i *)(void *)quad, lane);
	return dsp_hash_end(quad, (uint64_t)(uint32_t)n * 0x9e3779b97f4a7c15u);
}

AVX2 int32_t avx2_find_any4(const uint32_t *row, int32_t from, int32_t n, const uint32_t colours[4])
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB);
	const __m256i c0 = _mm256_set1_epi32((int)colours[0]), c1 = _mm256_set1_epi32((int)colours[1]);
	const __m256i c2 = _mm256_set1_epi32((int)colours[2]), c3 = _mm256_set1_epi32((int)colours[3]);
	int32_t i = from;

	for (; i + 8 <= n; i += 8) {
		__m256i px = _mm256_and_si256(load8(row + i), mask);
		__m256i hit = _mm256_or_si256(
			_mm256_or_si256(_mm256_cmpeq_epi32(px, c0), _mm256_cmpeq_epi32(px, c1)),
			_mm256_or_si256(_mm256_cmpeq_epi32(px, c2), _mm256_cmpeq_epi32(px, c3)));
		uint32_t bits = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(hit));

		if (bits)
			return i + __builtin_ctz(bits);
	}
	return dsp_c.find_any4(row, i, n, colours);
}

AVX2 void avx2_slopes(const uint32_t *row, int32_t n, uint32_t *equal, uint32_t *soft)
{
	const __m256i mask = _mm256_set1_epi32((int)DSP_RGB), limit = _mm256_set1_epi8(24),
		      zero = _mm256_setzero_si256();
	int32_t i = 1;

	for (; i + 8 <= n; i += 8) {
		__m256i a = _mm256_and_si256(load8(row + i), mask),
			b = _mm256_and_si256(load8(row + i - 1), mask);
		__m256i far = _mm256_subs_epu8(
			_mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a)), limit);
		__m256i same = _mm256_cmpeq_epi32(a, b), near = _mm256_cmpeq_epi32(far, zero);
		int eq = _mm256_movemask_ps(_mm256_castsi256_ps(same)),
		    nr = _mm256_movemask_ps(_mm256_castsi256_ps(near));

		*equal += (uint32_t)__builtin_popcount((unsigned)eq);
		*soft += (uint32_t)__builtin_popcount((unsigned)(nr & ~eq));
	}
	if (i < n)
		dsp_c.slopes(row + i - 1, n - i + 1, equal, soft);
}

AVX2 static __m256i load32(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Stores the residues and adds their sizes to four sums. */
AVX2 static __m256i put_residues(uint8_t *out, __m256i v, __m256i sum)
{
	_mm256_storeu_si256((__m256i *)(void *)out, v);
	return _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_abs_epi8(v), _mm256_setzero_si256()));
}

AVX2 static uint32_t add_four(__m256i sum)
{
	uint64_t quad[4];

	_mm256_storeu_si256((__m256i *)(void *)quad, sum);
	return (uint32_t)(quad[0] + quad[1] + quad[2] + quad[3]);
}

AVX2 void avx2_residues(const uint8_t *cur, const uint8_t *above, int32_t n, uint8_t *const out[DSP_FILTERS],
	uint32_t weights[DSP_FILTERS])
{
	__m256i sums[DSP_FILTERS] = { _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
		_mm256_setzero_si256() };
	uint8_t *rest[DSP_FILTERS];
	int32_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i v = load32(cur + i), left = load32(cur + i - 3), up = load32(above + i),
			corner = load32(above + i - 3);

		sums[0] = put_residues(out[0] + i, v, sums[0]);
		sums[1] = put_residues(out[1] + i, _mm256_sub_epi8(v, left), sums[1]);
		sums[2] = put_residues(out[2] + i, _mm256_sub_epi8(v, up), sums[2]);
		sums[3] = put_residues(out[3] + i,
			_mm256_sub_epi8(v, _mm256_sub_epi8(_mm256_add_epi8(left, up), corner)), sums[3]);
	}
	for (int k = 0; k < DSP_FILTERS; k++)
		rest[k] = out[k] + i;
	dsp_c.residues(cur + i, above + i, n - i, rest, weights);
	for (int k = 0; k < DSP_FILTERS; k++)
		weights[k] += add_four(sums[k]);
}

/* Eight pixels' luma in 32-bit lanes. */
AVX2 static __m256i luma8(__m256i px)
{
	const __m256i zero = _mm256_setzero_si256(), mask = _mm256_set1_epi32((int)DSP_RGB);
	const __m256i weight = _mm256_setr_epi16(
		2366, 23436, 6966, 0, 2366, 23436, 6966, 0, 2366, 23436, 6966, 0, 2366, 23436, 6966, 0);

	px = _mm256_and_si256(px, mask);
	__m256i lo = _mm256_madd_epi16(_mm256_unpacklo_epi8(px, zero), weight);
	__m256i hi = _mm256_madd_epi16(_mm256_unpackhi_epi8(px, zero), weight);
	__m256i sum = _mm256_hadd_epi32(lo, hi);

	return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(16384)), 15);
}

/* Eight 32-bit lanes to eight bytes, in order. */
AVX2 static void store8(uint8_t *dst, __m256i v)
{
	__m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	_mm_storel_epi64((__m128i *)(void *)dst, _mm_packus_epi16(words, words));
}

/* Sums of 2 × 2 pixels as 16-bit B G R X: pairs of rows first, then neighbours. Lane order: 0 2 | 1 3 of the
 * four results. */
AVX2 static void sum_2x2(__m256i a, __m256i b, __m256i *ret)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i lo = _mm256_add_epi16(_mm256_unpacklo_epi8(a, zero), _mm256_unpacklo_epi8(b, zero));
	__m256i hi = _mm256_add_epi16(_mm256_unpackhi_epi8(a, zero), _mm256_unpackhi_epi8(b, zero));

	*ret = _mm256_add_epi16(_mm256_unpacklo_epi64(lo, hi), _mm256_unpackhi_epi64(lo, hi));
}

AVX2 static void chroma4(uint8_t *dst, __m256i sums, __m256i weight)
{
	__m256i prod = _mm256_madd_epi16(sums, weight);
	__m256i both = _mm256_hadd_epi32(prod, prod); /* per half: c0 c1 c0 c1 */
	__m256i v = _mm256_srai_epi32(_mm256_add_epi32(both, _mm256_set1_epi32((128 << 17) + (1 << 16))), 17);
	__m128i four = _mm_unpacklo_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
	__m128i words = _mm_packs_epi32(four, four);

	_mm_storeu_si32(dst, _mm_packus_epi16(words, words));
}

AVX2 void avx2_i420_rows(const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *y0, uint8_t *y1,
	uint8_t *u, uint8_t *v)
{
	const __m256i wu = _mm256_setr_epi16(16384, -12629, -3755, 0, 16384, -12629, -3755, 0, 16384, -12629,
		-3755, 0, 16384, -12629, -3755, 0);
	const __m256i wv = _mm256_setr_epi16(-1501, -14883, 16384, 0, -1501, -14883, 16384, 0, -1501, -14883,
		16384, 0, -1501, -14883, 16384, 0);
	int32_t x = 0;

	for (; x + 8 <= n; x += 8) {
		__m256i a = load8(row0 + x), b = load8(row1 + x), sums;

		store8(y0 + x, luma8(a));
		store8(y1 + x, luma8(b));
		sum_2x2(a, b, &sums);
		chroma4(u + x / 2, sums, wu);
		chroma4(v + x / 2, sums, wv);
	}
	if (x < n)
		dsp_c.i420_rows(row0 + x, row1 + x, n - x, y0 + x, y1 + x, u + x / 2, v + x / 2);
}

/* Four pixels to four chroma values of each sort. */
AVX2 static void chroma4_of(uint8_t *u, uint8_t *v, __m128i px)
{
	const __m256i wu = _mm256_setr_epi16(16384, -12629, -3755, 0, 16384, -12629, -3755, 0, 16384, -12629,
		-3755, 0, 16384, -12629, -3755, 0);
	const __m256i wv = _mm256_setr_epi16(-1501, -14883, 16384, 0, -1501, -14883, 16384, 0, -1501, -14883,
		16384, 0, -1501, -14883, 16384, 0);
	__m256i four = _mm256_slli_epi16(_mm256_cvtepu8_epi16(px), 2);

	chroma4(u, four, wu);
	chroma4(v, four, wv);
}

/* Of eight pixels the odd ones in the upper half, 0 4 2 6 in the lower one. */
AVX2 static __m256i part_columns(const uint32_t *row)
{
	return _mm256_permutevar8x32_epi32(load8(row), _mm256_setr_epi32(0, 4, 2, 6, 1, 3, 5, 7));
}

AVX2 void avx2_chroma_rows(
	const uint32_t *row0, const uint32_t *row1, int32_t n, uint8_t *const out[DSP_CHROMA_PLANES])
{
	uint8_t *rest[DSP_CHROMA_PLANES];
	int32_t x = 0;

	for (; x + 16 <= n; x += 16) {
		__m256i a = part_columns(row1 + x), b = part_columns(row1 + x + 8);
		__m128i even_a = _mm256_castsi256_si128(a), even_b = _mm256_castsi256_si128(b);

		for (int32_t at = x; at < x + 16; at += 8)
			chroma4_of(out[DSP_CHROMA_U0] + at / 2, out[DSP_CHROMA_V0] + at / 2,
				_mm256_extracti128_si256(part_columns(row0 + at), 1));
		chroma4_of(out[DSP_CHROMA_U1] + x / 2, out[DSP_CHROMA_V1] + x / 2,
			_mm256_extracti128_si256(a, 1));
		chroma4_of(out[DSP_CHROMA_U1] + x / 2 + 4, out[DSP_CHROMA_V1] + x / 2 + 4,
			_mm256_extracti128_si256(b, 1));
		chroma4_of(out[DSP_CHROMA_U1_AT_0] + x / 4, out[DSP_CHROMA_V1_AT_0] + x / 4,
			_mm_unpacklo_epi64(even_a, even_b));
		chroma4_of(out[DSP_CHROMA_U1_AT_2] + x / 4, out[DSP_CHROMA_V1_AT_2] + x / 4,
			_mm_unpackhi_epi64(even_a, even_b));
	}
	for (int k = 0; k < DSP_CHROMA_PLANES; k++)
		rest[k] = out[k] + (k < DSP_CHROMA_U1_AT_0 ? x / 2 : x / 4);
	if (x < n)
		dsp_c.chroma_rows(row0 + x, row1 + x, n - x, rest);
}

static const struct dsp table = {
	.name = "avx2",
	.diff_row = avx2_diff_row,
	.same_row = avx2_same_row,
	.copy_row = avx2_copy_row,
	.is_colour = avx2_is_colour,
	.see_colours = avx2_see_colours,
	.mark_apart = avx2_mark_apart,
	.hash_row = avx2_hash_row,
	.find_any4 = avx2_find_any4,
	.slopes = avx2_slopes,
	.residues = avx2_residues,
	.i420_rows = avx2_i420_rows,
	.chroma_rows = avx2_chroma_rows,
};

const struct dsp *dsp_avx2(void)
{
	return __builtin_cpu_supports("avx2") ? &table : NULL;
}

#else

const struct dsp *dsp_avx2(void)
{
	return NULL;
}

#endif
