/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Video with all of its chroma: what FreeRDP's decoder makes of both pictures is nearer than of one. */
#include <criterion/criterion.h>
#include <freerdp/codec/color.h>
#include <freerdp/codec/h264.h>
#include <math.h>

#include "encoder/x264.h"

#define W 320
#define H 240
#define FRAMES 20

static uint32_t px[W * H], shown[W * H];
static const struct pixmap screen = { (const uint8_t *)px, W, H, W * 4 };
static const struct rect all = { 0, 0, W, H };

/* Thin red and green strokes on a slope, as coloured letters have them, that travel. */
static void draw(int frame)
{
	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++) {
			uint32_t stroke = (uint32_t)((x + frame) * 7 + y * 3) % 11;
			uint32_t slope = (uint32_t)(x + y + frame) / 4 & 127;

			px[y * W + x] = stroke < 2 ? 0xd02020 : stroke < 4 ? 0x208820 : slope << 16 | slope << 8 | 0x80;
		}
	}
}

/* Of the colour differences alone. */
static double chroma_psnr(void)
{
	double sum = 0;

	for (int i = 0; i < W * H; i++) {
		int want_g = px[i] >> 8 & 255, have_g = shown[i] >> 8 & 255;
		int red = (int)(px[i] >> 16 & 255) - want_g - (int)(shown[i] >> 16 & 255) + have_g;
		int blue = (int)(px[i] & 255) - want_g - (int)(shown[i] & 255) + have_g;

		sum += red * red + blue * blue;
	}
	return 10 * log10(255.0 * 255 * W * H * 2 / (sum + 1));
}

static void show(H264_CONTEXT *decoder, const struct h264_unit *u)
{
	const RECTANGLE_16 rect = { 0, 0, W, H };

	cr_assert_geq(avc444_decompress(decoder, u->view ? 0 : 1, &rect, 1, u->data, (UINT32)u->len, &rect, 1, u->view, (UINT32)u->view_len,
				       (BYTE *)shown, PIXEL_FORMAT_BGRX32, W * 4, W, H, 0x000f), 0);
}

static double play(bool is_full, size_t *ret_bytes)
{
	struct pst_err err = PST_ERR_INIT;
	struct h264 *h = h264_create(W, H, 0, is_full ? VIDEO_444_VIEWS : VIDEO_420, &err);
	H264_CONTEXT *decoder = h264_context_new(FALSE);
	struct h264_unit u;
	double worst = 99;

	cr_assert_not_null(h, "%s", err.text);
	cr_assert_not_null(decoder);
	cr_assert(h264_context_reset(decoder, W, H));
	*ret_bytes = 0;
	for (int i = 0; i < FRAMES; i++) {
		draw(i);
		cr_assert_eq(h264_encode(h, dsp_best(), &screen, &all, i == 0, NULL, &u, &err), 0);
		cr_assert_eq(is_full, u.view != NULL);
		show(decoder, &u);
		worst = fmin(worst, chroma_psnr());
		*ret_bytes += u.len + u.view_len;
	}
	h264_context_free(decoder);
	h264_destroy(h);
	return worst;
}

Test(rdp_avc444, moving_colours_are_nearer_with_all_of_the_chroma)
{
	size_t bytes[2];
	double half = play(false, &bytes[0]), full = play(true, &bytes[1]);

	cr_expect_gt(full, half + 4, "%.1f dB in %zu bytes, and %.1f dB in %zu", half, bytes[0], full, bytes[1]);
}
