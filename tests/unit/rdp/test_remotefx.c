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
	int pieces;
};

static int show(void *arg, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	struct look *look = arg;
	struct pst_buf out;
	REGION16 invalid;
	cr_assert(r->w <= REMOTEFX_PART && r->h <= REMOTEFX_PART);
	pst_buf_init(&out, 1 << 20);
	region16_init(&invalid);
	cr_assert_eq(remotefx_pack(look->x, sent, r, &out, err), 0, "%s", err->text);
	/* WBT_SYNC, [MS-RDPRFX] 2.2.2.2.1, stands before the first message and no other. */
	const uint8_t sync[] = { 0xc0, 0xcc, 12, 0, 0, 0, 0xca, 0xac, 0xcc, 0xca, 0, 1 };
	cr_expect_eq(memcmp(out.data, sync, sizeof(sync)) == 0, look->pieces++ == 0);
	cr_assert(rfx_process_message(look->decoder, out.data, (UINT32)out.len, (UINT32)r->x, (UINT32)r->y, (BYTE *)shown, PIXEL_FORMAT_BGRX32, W * 4, H, &invalid));
	region16_uninit(&invalid);
	pst_buf_finish(&out);
	return 0;
}

Test(remotefx, a_picture_comes_back_nearly)
{
	const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };
	const struct rect r = { 3, 5, W - 10, H - 9 };
	struct pst_err err = PST_ERR_INIT;
	struct look look = { remotefx_create(W, H, &err), rfx_context_new(FALSE), 0 };
	cr_assert(look.x && look.decoder && rfx_context_reset(look.decoder, W, H));
	rfx_context_set_pixel_format(look.decoder, PIXEL_FORMAT_BGRX32);
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = (uint32_t)(i % W * 255 / W) << 16 | (uint32_t)(i / W * 255 / H) << 8 | (uint32_t)((i % W + i / W) % 256);
	cr_assert_eq(remotefx_split(&r, &pm, show, &look, &err), 0, "%s", err.text);
	cr_expect_eq(look.pieces, 6);
	double sum = 0;
	for (int32_t y = r.y; y < r.y + r.h; y++)
		for (int32_t x = r.x; x < r.x + r.w; x++)
			for (int shift = 0; shift < 24; shift += 8)
				sum += pow((double)(screen[y * W + x] >> shift & 255) - (double)(shown[y * W + x] >> shift & 255), 2);
	cr_expect_geq(10 * log10(255.0 * 255 * 3 * r.w * r.h / sum), 33.0);
	cr_expect_eq(shown[0], 0, "nothing is drawn beside the rectangle");
	rfx_context_free(look.decoder);
	remotefx_destroy(look.x);
	remotefx_destroy(NULL);
}
