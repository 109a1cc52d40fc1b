/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PSNR and SSIM against values that are known. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/bench/likeness.h"

#define W 40
#define H 24

static uint32_t grey(int v)
{
	return (uint32_t)v * 0x010101u;
}

static void fill(uint32_t *px, int base, int slope)
{
	for (int i = 0; i < W * H; i++)
		px[i] = grey(base + i % W * slope);
}

Test(likeness, equal_pictures_are_the_same)
{
	static uint32_t a[W * H];
	struct likeness l;

	fill(a, 20, 3);
	l = likeness_of(a, W, a, W, W, H);
	cr_assert_eq(l.psnr, PSNR_SAME);
	cr_assert_float_eq(l.ssim, 1, 1e-9);
}

Test(likeness, an_even_difference_has_the_psnr_of_its_square)
{
	static uint32_t a[W * H], b[W * H];

	fill(a, 20, 3);
	fill(b, 30, 3);
	cr_assert_float_eq(likeness_of(a, W, b, W, W, H).psnr, 20 * log10(255.0 / 10), 1e-6);
}

/* Flat windows have no variance: what remains is (2ab + c1) / (a² + b² + c1). */
Test(likeness, flat_pictures_have_the_ssim_of_their_brightness)
{
	static uint32_t a[W * H], b[W * H];
	double c1 = 6.5025;

	fill(a, 100, 0);
	fill(b, 120, 0);
	cr_assert_float_eq(likeness_of(a, W, b, W, W, H).ssim,
		(2 * 100 * 120 + c1) / (100 * 100 + 120 * 120 + c1), 1e-9);
}

Test(likeness, what_is_beside_the_part_does_not_count)
{
	static uint32_t a[W * H], b[W * H];

	fill(a, 20, 3);
	fill(b, 20, 3);
	for (int y = 0; y < H; y++)
		b[y * W + W - 1] = 0;
	cr_assert_eq(likeness_of(a, W, b, W, W - 1, H).psnr, PSNR_SAME);
	cr_assert_lt(likeness_of(a, W, b, W, W, H).psnr, PSNR_SAME);
}
