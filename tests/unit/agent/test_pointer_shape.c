/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer shapes larger than the link takes are cut around their hot spot. */
#include <criterion/criterion.h>

#include "agent/capture/pointer_shape.h"
#include "base/mem.h"

Test(pointer_shape, hot_spot_keeps_its_pixel)
{
	static const unsigned cases[][4] = { { 24, 24, 4, 4 }, { 256, 256, 255, 255 }, { 300, 300, 0, 0 },
		{ 300, 300, 299, 299 }, { 512, 10, 256, 9 }, { 10, 400, 5, 200 }, { 1, 1, 9, 9 } };
	static unsigned long from[512 * 512];
	static uint32_t pixels[CURSOR_SIDE_MAX * CURSOR_SIDE_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		unsigned w = cases[i][0], h = cases[i][1], x = PST_MIN(cases[i][2], w - 1),
			 y = PST_MIN(cases[i][3], h - 1);
		struct cursor_image image;
		for (unsigned n = 0; n < w * h; n++)
			from[n] = 0xff00000000000000ul | n;
		pointer_shape_cut(from, w, h, cases[i][2], cases[i][3], pixels, &image);
		cr_assert(image.w <= CURSOR_SIDE_MAX && image.h <= CURSOR_SIDE_MAX && image.hot_x < image.w &&
			  image.hot_y < image.h);
		cr_assert_eq(pixels[(unsigned)image.hot_y * image.w + image.hot_x], y * w + x, "case %zu", i);
	}
}

Test(pointer_shape, no_image_hides_it)
{
	struct cursor_image image;
	uint32_t pixel;

	pointer_shape_cut(NULL, 0, 0, 0, 0, &pixel, &image);
	cr_assert(image.w == 0 && image.h == 0);
}
