/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each sort of pixels takes the codec that suits it, in PDUs that follow each other without a gap. */
#include "protocol/front/rdp/gfx_pixels.h"

#include <criterion/criterion.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/front/rdp/gfx_wire.h"

#define W 700
#define H 300

static uint32_t screen[W * H];
static const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };

struct found {
	int pdus;
	int64_t area;
	uint16_t codec, surface;
};

static struct found read_pdus(const struct pst_buf *out)
{
	struct found found = { 0 };
	struct pst_cursor c;
	pst_cursor_init(&c, out->data, out->len);
	while (pst_cursor_ok(&c) && pst_cursor_left(&c) > 0) {
		cr_assert_eq(pst_cursor_le16(&c), 1, "WireToSurface");
		pst_cursor_skip(&c, 2);
		uint32_t len = pst_cursor_le32(&c);
		found.surface = pst_cursor_le16(&c);
		found.codec = pst_cursor_le16(&c);
		pst_cursor_skip(&c, 1);
		int x = pst_cursor_le16(&c), y = pst_cursor_le16(&c), right = pst_cursor_le16(&c), bottom = pst_cursor_le16(&c);
		uint32_t bytes = pst_cursor_le32(&c);
		cr_assert_eq(len, bytes + 25);
		pst_cursor_skip(&c, bytes);
		found.area += (int64_t)(right - x) * (bottom - y);
		found.pdus++;
	}
	cr_assert(pst_cursor_ok(&c));
	return found;
}

Test(gfx_pixels, text_is_clear_and_pictures_are_planes_or_remotefx)
{
	static const struct {
		enum op_kind kind;
		enum op_class klass;
		uint16_t codec;
		int pdus;
	} cases[] = { { OP_LOSSLESS, OP_CLASS_TEXT, GFX_CODEC_CLEAR, 1 }, { OP_LOSSLESS, OP_CLASS_FLAT, GFX_CODEC_CLEAR, 1 },
		      { OP_LOSSLESS, OP_CLASS_PICTURE, GFX_CODEC_PLANAR, 6 }, { OP_LOSSY, OP_CLASS_PICTURE, GFX_CODEC_CAVIDEO, 6 } };
	struct pst_err err = PST_ERR_INIT;
	struct gfx_pixels *x = gfx_pixels_create(&err);
	struct pst_buf out;
	pst_buf_init(&out, 16 << 20);
	cr_assert_eq(gfx_pixels_resize(x, W, H, &err), 0);
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = (uint32_t)(i % W / 4) << 8 | (uint32_t)(i / W);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		const struct op op = { .kind = cases[i].kind, .klass = cases[i].klass, .rect = { 0, 0, W, H }, .quality = cases[i].kind == OP_LOSSY ? 75 : 0 };
		pst_buf_reset(&out);
		cr_assert_eq(gfx_pixels_put(x, &op, &pm, 3, &out, &err), 0, "%s", err.text);
		struct found found = read_pdus(&out);
		cr_expect_eq(found.codec, cases[i].codec, "case %zu: codec %u", i, found.codec);
		cr_expect_eq(found.pdus, cases[i].pdus, "case %zu: %d", i, found.pdus);
		cr_expect_eq(found.area, W * H);
		cr_expect_eq(found.surface, 3);
	}
	pst_buf_finish(&out);
	gfx_pixels_destroy(x);
	gfx_pixels_destroy(NULL);
}

Test(gfx_pixels, a_column_of_noise_goes_as_it_is)
{
	struct pst_err err = PST_ERR_INIT;
	struct gfx_pixels *x = gfx_pixels_create(&err);
	const struct op op = { .kind = OP_LOSSLESS, .klass = OP_CLASS_PICTURE, .rect = { 10, 10, 1, 50 } };
	struct pst_buf out;
	uint32_t noise = 1;
	pst_buf_init(&out, 1 << 20);
	for (int32_t i = 0; i < W * H; i++) {
		noise = noise * 1664525 + 1013904223;
		screen[i] = noise >> 8;
	}
	cr_assert_eq(gfx_pixels_resize(x, W, H, &err), 0);
	cr_assert_eq(gfx_pixels_put(x, &op, &pm, 1, &out, &err), 0, "%s", err.text);
	struct found found = read_pdus(&out);
	cr_expect_eq(found.codec, GFX_CODEC_UNCOMPRESSED);
	cr_expect_eq(out.len, 25 + 50 * 4);
	pst_buf_finish(&out);
	gfx_pixels_destroy(x);
}
