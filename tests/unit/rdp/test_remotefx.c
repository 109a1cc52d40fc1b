/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RemoteFX: what a client's decoder shows of it is near the picture. */
#include <criterion/criterion.h>
#include <freerdp/codec/color.h>
#include <freerdp/codec/rfx.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/front/rdp/remotefx.h"

#define W 600
#define H 300

static uint32_t screen[W * H], shown[W * H];

struct look {
	struct remotefx *x;
	RFX_CONTEXT *decoder;
	int pieces, quality;
	size_t bytes;
};

static int show(void *arg, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	struct look *look = arg;
	struct pst_buf out;
	REGION16 invalid;
	cr_assert(r->w <= REMOTEFX_PART && r->h <= REMOTEFX_PART);
	pst_buf_init(&out, 1 << 20);
	region16_init(&invalid);
	cr_assert_eq(remotefx_pack(look->x, sent, r, look->quality, &out, err), 0, "%s", err->text);
	/* WBT_SYNC, [MS-RDPRFX] 2.2.2.2.1, stands before the first message and no other. */
	const uint8_t sync[] = { 0xc0, 0xcc, 12, 0, 0, 0, 0xca, 0xac, 0xcc, 0xca, 0, 1 };
	cr_expect_eq(memcmp(out.data, sync, sizeof(sync)) == 0, look->pieces++ == 0);
	cr_assert(rfx_process_message(look->decoder, out.data, (UINT32)out.len, (UINT32)r->x, (UINT32)r->y, (BYTE *)shown, PIXEL_FORMAT_BGRX32, W * 4, H, &invalid));
	region16_uninit(&invalid);
	look->bytes += out.len;
	pst_buf_finish(&out);
	return 0;
}

static double psnr(const struct rect *r)
{
	double sum = 0;
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			for (int shift = 0; shift < 24; shift += 8)
				sum += pow((double)(screen[y * W + x] >> shift & 255) - (double)(shown[y * W + x] >> shift & 255), 2);
	return 10 * log10(255.0 * 255 * 3 * r->w * r->h / sum);
}

static void draw_slopes(void)
{
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = (uint32_t)(i % W * 255 / W) << 16 | (uint32_t)(i / W * 255 / H) << 8 | (uint32_t)((i % W + i / W) % 256);
}

static void draw_noise(void)
{
	uint32_t noise = 1;
	for (int32_t i = 0; i < W * H; i++) {
		noise = noise * 1664525 + 1013904223;
		screen[i] = noise >> 8;
	}
}

/* Sends r and looks at what the library's decoder shows. */
static void send(const struct rect *r, int quality, double *ret_psnr, size_t *ret_bytes)
{
	const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };
	struct pst_err err = PST_ERR_INIT;
	struct look look = { remotefx_create(W, H, &err), rfx_context_new(FALSE), 0, quality, 0 };
	cr_assert(look.x && look.decoder && rfx_context_reset(look.decoder, W, H));
	rfx_context_set_pixel_format(look.decoder, PIXEL_FORMAT_BGRX32);
	memset(shown, 0, sizeof(shown));
	cr_assert_eq(remotefx_split(r, &pm, show, &look, &err), 0, "%s", err.text);
	*ret_psnr = psnr(r);
	*ret_bytes = look.bytes;
	rfx_context_free(look.decoder);
	remotefx_destroy(look.x);
}

Test(remotefx, a_picture_comes_back_nearly)
{
	const struct rect r = { 3, 5, W - 10, H - 9 };
	double near;
	size_t bytes;
	draw_slopes();
	send(&r, 75, &near, &bytes);
	cr_expect_geq(near, 33.0, "%f", near);
	cr_expect_eq(shown[0], 0, "nothing is drawn beside the rectangle");
	remotefx_destroy(NULL);
}

Test(remotefx, quality_is_bytes)
{
	static const int qualities[] = { 95, 80, 75, 60, 30, 1 };
	const struct rect r = { 0, 0, W, H };
	double near, before = 100;
	size_t bytes, more = SIZE_MAX;
	draw_slopes();
	for (size_t i = 0; i < PST_ARRAY_LEN(qualities); i++, before = near, more = bytes) {
		send(&r, qualities[i], &near, &bytes);
		cr_expect(near <= before && bytes <= more, "quality %d: %f dB, %zu bytes", qualities[i], near, bytes);
		cr_expect_geq(near, 28.0, "quality %d: %f dB", qualities[i], near);
	}
}

Test(remotefx, every_size_and_noise_come_back)
{
	static const int32_t sides[] = { 1, 2, 3, 17, 63, 64, 65, 127, 200, 256 };
	double near;
	size_t bytes;
	draw_noise();
	for (size_t i = 0; i < PST_ARRAY_LEN(sides); i++)
		for (size_t k = 0; k < PST_ARRAY_LEN(sides); k++) {
			const struct rect r = { 5, 7, sides[i], sides[k] };
			send(&r, 95, &near, &bytes);
			cr_expect_geq(near, 12.0, "%d × %d: %f", r.w, r.h, near);
		}
}
