/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixel formats: which are taken, and what a pixel becomes. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/front/rfb/pixel_format.h"

static const struct rfb_pixel_format rgb565 = { 16, 16, false, true, { 31, 63, 31 }, { 11, 5, 0 } };
static const struct rfb_pixel_format rgb332 = { 8, 8, false, true, { 7, 7, 3 }, { 5, 2, 0 } };
static const struct rfb_pixel_format rgbx = { 32, 24, false, true, { 255, 255, 255 }, { 0, 8, 16 } };
static const struct rfb_pixel_format big = { 32, 24, true, true, { 255, 255, 255 }, { 16, 8, 0 } };

Test(rfb_pixel_format, impossible_formats_are_refused)
{
	const struct rfb_pixel_format bad[] = {
		{ 24, 24, false, true, { 255, 255, 255 }, { 16, 8, 0 } },
		{ 32, 24, false, false, { 255, 255, 255 }, { 16, 8, 0 } },
		{ 32, 24, false, true, { 0, 255, 255 }, { 16, 8, 0 } },
		{ 32, 24, false, true, { 254, 255, 255 }, { 16, 8, 0 } },
		{ 32, 24, false, true, { 255, 255, 255 }, { 32, 8, 0 } },
		{ 16, 16, false, true, { 255, 63, 31 }, { 11, 5, 0 } },
		{ 32, 30, false, true, { 1023, 1023, 1023 }, { 20, 10, 0 } },
	};
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_expect_not(rfb_pixel_format_is_valid(&bad[i]), "case %zu", i);
	cr_expect(rfb_pixel_format_is_valid(&rgb565) && rfb_pixel_format_is_valid(&rgb332) &&
		rfb_pixel_format_is_valid(&rgbx) && rfb_pixel_format_is_valid(&big));
}

static void expect_bytes(const struct rfb_pixel_format *f, uint32_t px, const uint8_t *want)
{
	const struct pixmap p = { (const uint8_t *)&px, 1, 1, 4 };
	const struct rect all = { 0, 0, 1, 1 };
	struct pst_buf out;
	pst_buf_init(&out, 64);
	rfb_pixel_format_translate(f, &p, &all, &out);
	cr_expect_eq(out.len, f->bits / 8u);
	cr_expect_arr_eq(out.data, want, out.len, "%08x at %u bits", px, f->bits);
	pst_buf_finish(&out);
}

Test(rfb_pixel_format, a_pixel_becomes_what_the_viewer_asked_for)
{
	expect_bytes(&rfb_pixel_format_native, 0x00112233, (const uint8_t[]){ 0x33, 0x22, 0x11, 0 });
	expect_bytes(&rgbx, 0xff112233, (const uint8_t[]){ 0x11, 0x22, 0x33, 0 });
	expect_bytes(&big, 0xff112233, (const uint8_t[]){ 0, 0x11, 0x22, 0x33 });
	expect_bytes(&rgb565, 0x00ff0000, (const uint8_t[]){ 0x00, 0xf8 });
	expect_bytes(&rgb332, 0x0000ff00, (const uint8_t[]){ 0x1c });
}
