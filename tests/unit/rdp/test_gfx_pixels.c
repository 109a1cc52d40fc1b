/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixels as PDUs: a client made of the library's decoders shows what was sent, from its cache too. */
#include "protocol/front/rdp/gfx_pixels.h"

#include <criterion/criterion.h>
#include <freerdp/codec/clear.h>
#include <freerdp/codec/color.h>
#include <freerdp/codec/planar.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/front/rdp/gfx_wire.h"

#define W 700
#define H 300
#define SLOTS 1024 /* in a small cache, at most */
#define TILES 384  /* of them, with a screen so small; the rest are cells of text */
#define TILE 64
#define CELL_W 256
#define CELL_H 128

static uint32_t screen[W * H];
static const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };

struct client {
	struct gfx_pixels *sender;
	CLEAR_CONTEXT *clear;
	BITMAP_PLANAR_CONTEXT *planar;
	struct pst_buf out;
	uint32_t shown[W * H];
	uint32_t *slots[SLOTS + 1];
	struct rect shapes[SLOTS + 1];
	bool is_used[SLOTS + 1];
	/* of the newest put */
	uint16_t codec;
	int drawn, kept, taken;
};

static struct client *client_create(void)
{
	struct pst_err err = PST_ERR_INIT;
	struct client *c = pst_zalloc(1, sizeof(*c));
	c->sender = gfx_pixels_create(true, &err);
	c->clear = clear_context_new(FALSE);
	c->planar = freerdp_bitmap_planar_context_new(PLANAR_FORMAT_HEADER_RLE, W, H);
	cr_assert(c->sender && c->clear && c->planar);
	freerdp_planar_topdown_image(c->planar, TRUE);
	pst_buf_init(&c->out, 16 << 20);
	cr_assert_eq(gfx_pixels_resize(c->sender, W, H, &c->out, &err), 0);
	cr_assert_eq(c->out.len, 0);
	return c;
}

static void client_destroy(struct client *c)
{
	gfx_pixels_destroy(c->sender);
	clear_context_free(c->clear);
	freerdp_bitmap_planar_context_free(c->planar);
	pst_buf_finish(&c->out);
	for (int i = 0; i <= SLOTS; i++)
		free(c->slots[i]);
	free(c);
}

static struct rect read_rect(struct pst_cursor *p)
{
	struct rect r = { pst_cursor_le16(p), pst_cursor_le16(p), 0, 0 };
	r.w = pst_cursor_le16(p) - r.x;
	r.h = pst_cursor_le16(p) - r.y;
	cr_assert(r.w > 0 && r.h > 0 && r.x + r.w <= W && r.y + r.h <= H);
	return r;
}

static void take_bits(struct client *c, struct pst_cursor *p)
{
	cr_assert_eq(pst_cursor_le16(p), 3, "the surface");
	c->codec = pst_cursor_le16(p);
	pst_cursor_skip(p, 1);
	struct rect r = read_rect(p);
	uint32_t len = pst_cursor_le32(p), x = (uint32_t)r.x, y = (uint32_t)r.y, w = (uint32_t)r.w, h = (uint32_t)r.h;
	const uint8_t *data = pst_cursor_bytes(p, len);
	cr_assert(pst_cursor_ok(p) && pst_cursor_left(p) == 0);
	if (c->codec == GFX_CODEC_CLEAR)
		cr_assert_eq(clear_decompress(c->clear, data, len, w, h, (BYTE *)c->shown, PIXEL_FORMAT_BGRX32, W * 4, x, y, W, H, NULL), 0);
	else if (c->codec == GFX_CODEC_PLANAR)
		cr_assert(planar_decompress(c->planar, data, len, w, h, (BYTE *)c->shown, PIXEL_FORMAT_BGRX32, W * 4, x, y, w, h, FALSE));
	c->drawn++;
}

static void take_to_cache(struct client *c, struct pst_cursor *p)
{
	pst_cursor_skip(p, 10);
	uint16_t slot = pst_cursor_le16(p);
	struct rect r = read_rect(p);
	cr_assert(slot > 0 && slot <= SLOTS && !c->is_used[slot] && r.w <= (slot > TILES ? CELL_W : TILE) && r.h <= (slot > TILES ? CELL_H : TILE));
	free(c->slots[slot]);
	c->slots[slot] = pst_zalloc((size_t)(r.w * r.h), 4);
	cr_assert_not_null(c->slots[slot]);
	for (int32_t j = 0; j < r.h; j++)
		memcpy(&c->slots[slot][j * r.w], &c->shown[(r.y + j) * W + r.x], (size_t)r.w * 4);
	c->is_used[slot] = true;
	c->shapes[slot] = r;
	c->kept++;
}

static void take_from_cache(struct client *c, struct pst_cursor *p)
{
	uint16_t slot = pst_cursor_le16(p);
	pst_cursor_skip(p, 4);
	int32_t x = pst_cursor_le16(p), y = pst_cursor_le16(p), w = c->shapes[slot].w, h = c->shapes[slot].h;
	cr_assert(slot > 0 && slot <= SLOTS && c->is_used[slot] && x + w <= W && y + h <= H);
	for (int32_t j = 0; j < h; j++)
		memcpy(&c->shown[(y + j) * W + x], &c->slots[slot][j * w], (size_t)w * 4);
	c->taken++;
}

static void take_pdus(struct client *c)
{
	struct pst_cursor all, p;
	c->drawn = c->kept = c->taken = 0;
	pst_cursor_init(&all, c->out.data, c->out.len);
	while (pst_cursor_left(&all) > 0) {
		uint16_t cmd = pst_cursor_le16(&all);
		pst_cursor_skip(&all, 2);
		uint32_t len = pst_cursor_le32(&all) - 8;
		pst_cursor_init(&p, pst_cursor_bytes(&all, len), len);
		cr_assert(pst_cursor_ok(&all));
		if (cmd == 1)
			take_bits(c, &p);
		else if (cmd == 6)
			take_to_cache(c, &p);
		else if (cmd == 7)
			take_from_cache(c, &p);
		else if (cmd == 8)
			c->is_used[pst_cursor_le16(&p)] = false;
		else
			cr_assert_fail("message %u", cmd);
		cr_assert(pst_cursor_ok(&p));
	}
}

static size_t put(struct client *c, enum op_kind kind, enum op_class klass, const struct rect *r)
{
	struct pst_err err = PST_ERR_INIT;
	const struct op op = { .kind = kind, .klass = klass, .rect = *r, .quality = kind == OP_LOSSY ? 75 : 0 };
	pst_buf_reset(&c->out);
	cr_assert_eq(gfx_pixels_put(c->sender, &op, &pm, 3, &c->out, &err), 0, "%s", err.text);
	cr_assert_not(c->out.failed);
	take_pdus(c);
	for (int32_t y = r->y; kind == OP_LOSSLESS && y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			if ((c->shown[y * W + x] ^ screen[y * W + x]) & 0xffffff)
				cr_assert_fail("%d × %d at %d, %d: pixel %d, %d", r->w, r->h, r->x, r->y, x, y);
	return c->out.len;
}

static uint32_t seed;

static uint32_t any(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void draw_photo(uint32_t which)
{
	seed = which;
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = ((uint32_t)(i % W / 4 + i / W) * (which + 1) & 0xff) * 0x10101 ^ (any() & 0x070707);
}

Test(gfx_pixels, text_is_clear_and_pictures_are_planes_or_remotefx)
{
	static const struct {
		enum op_kind kind;
		enum op_class klass;
		uint16_t codec;
		int drawn;
	} cases[] = { { OP_LOSSLESS, OP_CLASS_TEXT, GFX_CODEC_CLEAR, 1 },
		      { OP_LOSSY, OP_CLASS_PICTURE, GFX_CODEC_CAVIDEO, 6 }, { OP_LOSSLESS, OP_CLASS_PICTURE, GFX_CODEC_PLANAR, 6 } };
	const struct rect all = { 0, 0, W, H }, column = { 10, 10, 1, 50 };
	struct client *c = client_create();
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = i / 3 % 7 * i / W % 5 ? 0xffffff : 0x101010;
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		put(c, cases[i].kind, cases[i].klass, &all);
		draw_photo(3);
		cr_expect_eq(c->codec, cases[i].codec, "case %zu: codec %u", i, c->codec);
		cr_expect_eq(c->drawn, cases[i].drawn, "case %zu: %d", i, c->drawn);
	}
	put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &column);
	cr_expect_eq(c->out.len, 25 + 1 + 50 * 3 + 1, "a column of noise goes as it is");
	client_destroy(c);
}

Test(gfx_pixels, a_wallpaper_of_few_colours_is_planes)
{
	const struct rect all = { 0, 0, W, H };
	struct client *c = client_create();
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = (uint32_t)(i % W / 16 + (i ^ i / W) % 2) * 0x010102;
	put(c, OP_LOSSLESS, OP_CLASS_TEXT, &all);
	cr_expect_eq(c->codec, GFX_CODEC_PLANAR);
	cr_expect_eq(c->drawn, 1);
	put(c, OP_LOSSLESS, OP_CLASS_TEXT, &all);
	cr_expect_eq(c->drawn, 0, "what a window has covered is known");
	client_destroy(c);
}

Test(gfx_pixels, a_picture_that_was_seen_comes_from_the_cache)
{
	const struct rect tiles = { 64, 64, 330, 128 }, more = { 60, 50, 400, 200 };
	struct client *c = client_create();
	draw_photo(1);
	size_t first = put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &tiles);
	cr_expect_eq(c->kept, 12, "two of them are parts of tiles");
	cr_expect_eq(c->taken, 0);
	draw_photo(2);
	put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &tiles);
	draw_photo(1);
	size_t again = put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &tiles);
	cr_expect_eq(c->taken, 12);
	cr_expect_eq(c->drawn, 0);
	cr_expect_lt(again, first / 100);
	/* What is not known is drawn around it, and a lossy operation may be exact. */
	put(c, OP_LOSSY, OP_CLASS_PICTURE, &more);
	cr_expect_eq(c->taken, 10);
	cr_expect_eq(c->kept, 0, "lossy pixels are not kept");
	put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &more);
	cr_expect_eq(c->taken, 10);
	cr_expect_geq(c->kept, 8, "what lies around");
	client_destroy(c);
}

Test(gfx_pixels, a_new_size_empties_the_cache)
{
	const struct rect tiles = { 0, 0, 256, 128 };
	struct pst_err err = PST_ERR_INIT;
	struct client *c = client_create();
	draw_photo(1);
	put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &tiles);
	pst_buf_reset(&c->out);
	cr_assert_eq(gfx_pixels_resize(c->sender, W, H, &c->out, &err), 0);
	take_pdus(c);
	for (int i = 0; i <= SLOTS; i++)
		cr_assert_not(c->is_used[i]);
	put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &tiles);
	cr_expect_eq(c->taken, 0);
	cr_expect_eq(c->kept, 8);
	put(c, OP_LOSSLESS, OP_CLASS_PICTURE, &tiles);
	cr_expect_eq(c->taken, 8);
	client_destroy(c);
}

static void end(struct client *c, bool is_exact)
{
	pst_buf_reset(&c->out);
	gfx_pixels_end(c->sender, &pm, is_exact, 3, &c->out);
	take_pdus(c);
}

static void draw_page(uint32_t which)
{
	seed = which;
	for (int32_t i = 0; i < W * H; i++)
		screen[i] = any() % 5 || i / W % 18 > 12 ? 0xffffff : 0x202020;
}

Test(gfx_pixels, a_page_that_was_seen_comes_from_the_cache)
{
	const struct rect page = { 20, 3, W - 40, H - 3 };
	struct client *c = client_create();
	draw_page(1);
	size_t first = put(c, OP_LOSSLESS, OP_CLASS_TEXT, &page);
	end(c, true);
	cr_expect_eq(c->kept, 9, "the last ones are cut by the screen");
	draw_page(2);
	put(c, OP_LOSSLESS, OP_CLASS_TEXT, &page);
	cr_expect_eq(c->taken, 0);
	end(c, false);
	cr_expect_eq(c->kept, 0, "something else is lossy");
	draw_page(1);
	size_t again = put(c, OP_LOSSLESS, OP_CLASS_TEXT, &page);
	end(c, true);
	cr_expect_eq(c->kept, 0);
	cr_expect_lt(again, first / 3, "%zu bytes after %zu", again, first);
	client_destroy(c);
}

Test(gfx_pixels, storms_of_pictures_are_exact)
{
	struct client *c = client_create();
	uint32_t storm = 4;
	for (int i = 0; i < 300; i++) {
		storm = storm * 1664525 + 1013904223;
		draw_photo(i % 7 ? storm >> 16 & 15 : storm >> 8);
		seed = storm;
		struct rect r = { .w = (int32_t)(any() % W) + 1, .h = (int32_t)(any() % H) + 1 };
		if (i % 4 == 0)
			r = (struct rect){ 0, 0, W, H };
		r.x = (int32_t)(any() % (uint32_t)(W - r.w + 1));
		r.y = (int32_t)(any() % (uint32_t)(H - r.h + 1));
		put(c, OP_LOSSLESS, any() % 3 ? OP_CLASS_PICTURE : OP_CLASS_TEXT, &r);
		/* What the client shows around r is of another picture: it is exact only where all was sent. */
		end(c, r.w == W && r.h == H);
	}
	client_destroy(c);
}
