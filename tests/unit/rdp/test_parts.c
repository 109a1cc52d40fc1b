/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bitmap data: exact bytes of a small picture, and any picture back through the client's own decoders. */
#include <criterion/criterion.h>
#include <freerdp/codec/interleaved.h>
#include <freerdp/codec/planar.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/front/rdp/parts.h"

#define W 333
#define H 150

static uint32_t screen[W * H], shown[W * H];

static void draw(void)
{
	uint32_t noise = 1;
	for (int32_t i = 0; i < W * H; i++) {
		noise = noise * 1664525 + 1013904223;
		screen[i] = i % W < W / 3 ? 0xe8e8f0 : i % W < W / 2 ? (i * 7 % 11 < 3 ? 0x202030u : 0xffffffu) : noise >> 8;
	}
}

struct look {
	uint32_t depth, max;
	int parts;
};

static void show_plain(const BITMAP_DATA *part)
{
	const uint8_t *from = part->bitmapDataStream;
	for (uint32_t y = part->destBottom; y + 1 > part->destTop; y--)
		for (uint32_t x = part->destLeft; x <= part->destRight; x++, from += part->bitsPerPixel / 8)
			shown[y * W + x] = (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

static int show(void *arg, const BITMAP_DATA *part, struct pst_err *err)
{
	struct look *look = arg;
	BYTE *to = (BYTE *)shown;
	look->parts++;
	cr_assert_leq(part->bitmapLength + PARTS_HEADER_LEN, look->max);
	cr_assert_eq(part->width % 4, 0);
	cr_assert_leq(part->destRight, W - 1);
	cr_assert_eq(part->destRight - part->destLeft + 1, part->width);
	if (look->depth == 32 && part->compressed) {
		BITMAP_PLANAR_CONTEXT *c = freerdp_bitmap_planar_context_new(0, part->width, part->height);
		cr_assert(planar_decompress(c, part->bitmapDataStream, part->bitmapLength, part->width, part->height, to, PIXEL_FORMAT_BGRX32, W * 4,
					    part->destLeft, part->destTop, part->width, part->height, TRUE));
		freerdp_bitmap_planar_context_free(c);
	} else if (part->compressed) {
		BITMAP_INTERLEAVED_CONTEXT *c = bitmap_interleaved_context_new(FALSE);
		cr_assert(interleaved_decompress(c, part->bitmapDataStream, part->bitmapLength, part->width, part->height, look->depth, to,
						 PIXEL_FORMAT_BGRX32, W * 4, part->destLeft, part->destTop, part->width, part->height, NULL));
		bitmap_interleaved_context_free(c);
	} else {
		cr_assert_geq(look->depth, 24);
		show_plain(part);
	}
	return 0;
}

static int32_t distance(uint32_t a, uint32_t b)
{
	int32_t most = 0;
	for (int shift = 0; shift < 24; shift += 8)
		most = PST_MAX(most, abs((int32_t)(a >> shift & 255) - (int32_t)(b >> shift & 255)));
	return most;
}

static const struct {
	uint32_t depth, max;
	bool skips_alpha;
	int32_t error;
} cases[] = { { 32, 608299, true, 0 }, { 32, 16256, true, 0 }, { 32, 16256, false, 0 }, { 32, 8192, false, 0 },
	      { 24, 16256, false, 0 }, { 16, 608299, false, 8 }, { 15, 16256, false, 8 } };

Test(parts, every_depth_comes_back_and_fits_an_update)
{
	const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };
	const struct rect rects[] = { { 0, 0, W, H }, { 1, 2, 3, 4 }, { W - 1, 3, 1, 1 }, { 101, 67, 131, 70 } };
	struct pst_err err = PST_ERR_INIT;
	draw();
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct parts *p = parts_create(cases[i].depth, cases[i].skips_alpha, cases[i].max, &err);
		cr_assert(p, "%s", err.text);
		for (size_t k = 0; k < PST_ARRAY_LEN(rects); k++) {
			const struct rect *r = &rects[k];
			struct look look = { cases[i].depth, cases[i].max, 0 };
			memset(shown, 0x55, sizeof(shown));
			cr_assert_eq(parts_pack(p, &pm, r, show, &look, &err), 0, "%s", err.text);
			for (int32_t at = 0; at < W * H; at++) {
				bool is_in = at % W >= r->x && at % W < r->x + r->w && at / W >= r->y && at / W < r->y + r->h;
				if (is_in || shown[at] != 0x55555555)
					cr_assert_leq(distance(screen[at], shown[at]), cases[i].error, "depth %u rect %zu at %d,%d: %06x %06x", cases[i].depth, k,
						      at % W, at / W, screen[at], shown[at]);
			}
		}
		parts_destroy(p);
	}
}

static int keep(void *arg, const BITMAP_DATA *part, struct pst_err *err)
{
	BITMAP_DATA *kept = arg;
	*kept = *part;
	kept->bitmapDataStream = pst_memdup(part->bitmapDataStream, part->bitmapLength);
	return 0;
}

Test(parts, a_flat_picture_has_these_bytes)
{
	static const uint32_t flat[4 * 2] = { 0x112233, 0x112233, 0x112233, 0x112233, 0x112233, 0x112233, 0x112233, 0x112233 };
	static const struct {
		uint32_t depth;
		uint8_t bytes[24];
		size_t len;
	} golden[] = {
		/* [MS-RDPEGDI] 2.2.2.5.1: no alpha, run lengths; red, green, blue planes, a raw value and a run of three, then a run of four. */
		{ 32, { 0x30, 0x13, 0x11, 0x04, 0x13, 0x22, 0x04, 0x13, 0x33, 0x04 }, 10 },
		{ 24, { 0x33, 0x22, 0x11, 0x33, 0x22, 0x11, 0x33, 0x22, 0x11, 0x33, 0x22, 0x11, 0x33, 0x22, 0x11, 0x33, 0x22, 0x11, 0x33, 0x22, 0x11, 0x33, 0x22, 0x11 }, 24 },
	};
	const struct pixmap pm = { (const uint8_t *)flat, 4, 2, 16 };
	const struct rect all = { 0, 0, 4, 2 };
	struct pst_err err = PST_ERR_INIT;
	for (size_t i = 0; i < PST_ARRAY_LEN(golden); i++) {
		BITMAP_DATA part;
		struct parts *p = parts_create(golden[i].depth, true, 16256, &err);
		cr_assert_eq(parts_pack(p, &pm, &all, keep, &part, &err), 0, "%s", err.text);
		cr_expect_eq(part.bitmapLength, golden[i].len, "depth %u: %u bytes", golden[i].depth, part.bitmapLength);
		cr_expect_arr_eq(part.bitmapDataStream, golden[i].bytes, PST_MIN(golden[i].len, (size_t)part.bitmapLength), "depth %u", golden[i].depth);
		free(part.bitmapDataStream);
		parts_destroy(p);
	}
}

Test(parts, what_no_client_of_today_asks_for_is_refused)
{
	struct pst_err err = PST_ERR_INIT;
	cr_expect_null(parts_create(8, true, 16256, &err));
	cr_expect_eq(err.code, PST_EUNSUPPORTED);
	cr_expect_null(parts_create(32, true, 100, &err));
	parts_destroy(NULL);
}
