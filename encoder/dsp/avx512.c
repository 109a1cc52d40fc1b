/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels with AVX-512 (F, BW, VL): sixteen pixels at a time, and a mask for a row's end instead of a
 * loop. What it does not make faster is AVX2's. */
#include "encoder/dsp/dsp.h"

#include <stddef.h>

#if defined(__x86_64__)

#include <immintrin.h>

#include "encoder/dsp/avx2.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,bmi")))

/* The pixels from i to n, at most sixteen. */
AVX512 static __mmask16 rest_of(int32_t i, int32_t n)
{
	return n - i >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << (n - i)) - 1);
}

AVX512 static __m512i load(__mmask16 m, const uint32_t *p)
{
	return _mm512_maskz_loadu_epi32(m, p);
}

/* A bit for each pixel that differs in the bits of DSP_RGB. */
AVX512 static __mmask16 differing(__mmask16 m, const uint32_t *a, const uint32_t *b)
{
	return _mm512_test_epi32_mask(
		_mm512_xor_si512(load(m, a), load(m, b)), _mm512_set1_epi32((int)DSP_RGB));
}

AVX512 static bool avx512_diff_row(
	const uint32_t *a, const uint32_t *b, int32_t n, int32_t *ret_first, int32_t *ret_last)
{
	__mmask16 bits = 0;
	int32_t first = 0, last;

	for (; first < n && !bits; first += 16)
		bits = differing(rest_of(first, n), a + first, b + first);
	if (!bits)
		return false;
	first -= 16;
	*ret_first = first + __builtin_ctz(bits);
	*ret_last = first + 31 - __builtin_clz(bits);
	for (last = (n - 1) / 16 * 16; last > first; last -= 16) {
		bits = differing(rest_of(last, n), a + last, b + last);
		if (bits) {
			*ret_last = last + 31 - __builtin_clz(bits);
			break;
		}
	}
	return true;
}

AVX512 static bool avx512_is_colour(const uint32_t *row, int32_t n, uint32_t colour)
{
	const __m512i want = _mm512_set1_epi32((int)colour), rgb = _mm512_set1_epi32((int)DSP_RGB);

	for (int32_t i = 0; i < n; i += 16) {
		__mmask16 m = rest_of(i, n);

		if (_mm512_mask_test_epi32_mask(m, _mm512_xor_si512(load(m, row + i), want), rgb))
			return false;
	}
	return true;
}

static const struct dsp table = {
	.name = "avx512",
	.diff_row = avx512_diff_row,
	.same_row = avx2_same_row,
	.copy_row = avx2_copy_row,
	.is_colour = avx512_is_colour,
	.see_colours = avx2_see_colours,
	.mark_apart = avx2_mark_apart,
	.hash_row = avx2_hash_row,
	.find_any4 = avx2_find_any4,
	.slopes = avx2_slopes,
	.residues = avx2_residues,
	.i420_rows = avx2_i420_rows,
	.chroma_rows = avx2_chroma_rows,
};

const struct dsp *dsp_avx512(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && dsp_avx2() ? &table
												      : NULL;
}

#else

const struct dsp *dsp_avx512(void)
{
	return NULL;
}

#endif
