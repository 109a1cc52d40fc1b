/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is packed comes out again, for narrow pieces of noise too. */
#include "protocol/front/rdp/planar.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 40

static uint32_t screen[SIDE * SIDE];
static const struct pixmap sent = { (const uint8_t *)screen, SIDE, SIDE, SIDE * 4 };

static void draw(uint32_t mask)
{
	uint32_t noise = 7;
	for (size_t i = 0; i < SIDE * SIDE; i++) {
		noise = noise * 1664525 + 1013904223;
		screen[i] = (noise >> 8) & mask;
	}
}

static void check(const struct rect *r, UINT32 flags, uint32_t mask)
{
	static uint32_t out[SIDE * SIDE];
	BITMAP_PLANAR_CONTEXT *context = freerdp_bitmap_planar_context_new(flags | PLANAR_FORMAT_HEADER_RLE, (UINT32)r->w, (UINT32)r->h);
	UINT32 len = 0, w = (UINT32)r->w, h = (UINT32)r->h;
	freerdp_planar_topdown_image(context, TRUE);
	BYTE *data = planar_pack(context, &sent, r, &len);
	if (data) {
		cr_assert_leq(len, w * h * 4);
		cr_assert(planar_decompress(context, data, len, w, h, (BYTE *)out, PIXEL_FORMAT_BGRX32, w * 4, 0, 0, w, h, FALSE), "%u x %u of %06x", w, h, mask);
		for (UINT32 y = 0; y < h; y++)
			for (UINT32 x = 0; x < w; x++)
				cr_assert_eq(out[y * w + x] & 0xffffff, *pixmap_at(&sent, r->x + (int)x, r->y + (int)y), "%u x %u of %06x", w, h, mask);
	}
	free(data);
	freerdp_bitmap_planar_context_free(context);
}

Test(planar, packs_whole_planes_or_none)
{
	static const uint32_t masks[] = { 0xffffff, 0x010101, 0xff00ff, 0x0000ff, 0 };
	for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
		draw(masks[m]);
		for (int w = 1; w <= SIDE - 3; w++)
			for (int h = 1; h <= SIDE - 3; h += w < 8 ? 1 : 7) {
				const struct rect r = { 3, 2, w, h };
				check(&r, PLANAR_FORMAT_HEADER_NA, masks[m]);
				check(&r, 0, masks[m]);
			}
	}
}

Test(planar, flat_colour_is_short)
{
	const struct rect r = { 0, 0, SIDE, SIDE };
	BITMAP_PLANAR_CONTEXT *context = freerdp_bitmap_planar_context_new(PLANAR_FORMAT_HEADER_NA | PLANAR_FORMAT_HEADER_RLE, SIDE, SIDE);
	UINT32 len = 0;
	draw(0);
	BYTE *data = planar_pack(context, &sent, &r, &len);
	cr_assert_not_null(data);
	cr_assert_lt(len, SIDE * SIDE / 4);
	free(data);
	freerdp_bitmap_planar_context_free(context);
}
