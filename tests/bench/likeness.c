/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PSNR and SSIM; see likeness.h. */
#include "likeness.h"

#include <math.h>
#include <stddef.h>

#define WINDOW 8
#define STEP 4

int brightness(uint32_t p)
{
	return (int)((p >> 16 & 255) * 77 + (p >> 8 & 255) * 150 + (p & 255) * 29) >> 8;
}

static double psnr_of(
	const uint32_t *a, int32_t a_stride, const uint32_t *b, int32_t b_stride, int32_t w, int32_t h)
{
	double sum = 0;

	for (int32_t y = 0; y < h; y++) {
		int64_t row = 0;

		for (int32_t x = 0; x < w; x++)
			for (int shift = 0; shift < 24; shift += 8) {
				int d = (int)(a[x] >> shift & 255) - (int)(b[x] >> shift & 255);

				row += d * d;
			}
		sum += (double)row;
		a += a_stride;
		b += b_stride;
	}
	return sum > 0 ? fmin(PSNR_SAME, 10 * log10(255.0 * 255.0 * 3 * w * h / sum)) : PSNR_SAME;
}

static double window_ssim(const uint32_t *a, int32_t a_stride, const uint32_t *b, int32_t b_stride)
{
	const double n = WINDOW * WINDOW, c1 = 6.5025, c2 = 58.5225;
	int64_t sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
	double ma, mb, va, vb, cov;

	for (int32_t y = 0; y < WINDOW; y++) {
		for (int32_t x = 0; x < WINDOW; x++) {
			int p = brightness(a[x]), q = brightness(b[x]);

			sa += p;
			sb += q;
			saa += p * p;
			sbb += q * q;
			sab += p * q;
		}
		a += a_stride;
		b += b_stride;
	}
	ma = (double)sa / n;
	mb = (double)sb / n;
	va = (double)saa / n - ma * ma;
	vb = (double)sbb / n - mb * mb;
	cov = (double)sab / n - ma * mb;
	return (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

struct likeness likeness_of(
	const uint32_t *a, int32_t a_stride, const uint32_t *b, int32_t b_stride, int32_t w, int32_t h)
{
	struct likeness l = { .psnr = psnr_of(a, a_stride, b, b_stride, w, h) };
	long windows = 0;

	for (int32_t y = 0; y + WINDOW <= h; y += STEP)
		for (int32_t x = 0; x + WINDOW <= w; x += STEP, windows++)
			l.ssim += window_ssim(a + (ptrdiff_t)y * a_stride + x, a_stride,
				b + (ptrdiff_t)y * b_stride + x, b_stride);
	l.ssim = windows ? l.ssim / (double)windows : 1;
	return l;
}
