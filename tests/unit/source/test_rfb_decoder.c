/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rectangles of RFB: what our own encoders pack comes out as it was, whatever pieces it comes in; Hextile and
 * TRLE by hand; and what cannot be ends it.
 * Covers: protocol/source/rfb/decoder.c
 * Covers: protocol/source/rfb/hextile.c
 * Covers: protocol/source/rfb/tight.c
 * Covers: protocol/source/rfb/zrle.c
 * Covers: protocol/source/rfb/tile.c
 * Covers: protocol/source/rfb/unpack.c
 * Covers: protocol/source/rfb/screen.c
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "encoder/codec/tight.h"
#include "protocol/source/rfb/decoder.h"
#include "protocol/source/rfb/unpack.h"
#include "protocol/source/rfb/wire.h"

#define W 150
#define H 70
#define UNTOUCHED 0x123456

struct desk {
	struct rfb_screen screen;
	struct rfb_decoder *decoder;
	struct pst_err err;
};

static void desk_open(struct desk *d)
{
	struct rfb_screen none = { 0 };
	struct rect all = { 0, 0, W, H };

	*d = (struct desk){ .decoder = rfb_decoder_create() };
	cr_assert_eq(rfb_screen_init(&d->screen, W, H, &none), 0);
	rfb_screen_fill(&d->screen, &all, UNTOUCHED);
}

static void desk_close(struct desk *d)
{
	rfb_decoder_destroy(d->decoder);
	rfb_screen_finish(&d->screen);
}

/* In pieces of this size; what is not used is given again with the next piece, as a source does. */
static long feed(
	struct desk *d, const struct rect *r, int32_t encoding, const uint8_t *data, size_t len, size_t piece)
{
	size_t begin = 0, end = 0;
	long n = rfb_decoder_begin(d->decoder, &d->screen, r, encoding, &d->err);

	while (n >= 0 && !rfb_decoder_is_done(d->decoder) && end < len) {
		end = PST_MIN(end + piece, len);
		n = rfb_decoder_take(d->decoder, data + begin, end - begin, &d->err);
		begin += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? n : (long)begin;
}

static uint32_t colour_at(int kind, int32_t x, int32_t y)
{
	uint32_t noise = ((uint32_t)x * 2654435761u ^ (uint32_t)y * 40503u) * 2246822519u >> 8;

	switch (kind) {
	case 0:
		return 0x336699;
	case 1:
		return (x / 9 + y / 5) % 2 ? 0xffffff : 0x000000;
	case 2:
		return (noise % 11) * 0x151007;
	case 3:
		return (uint32_t)x << 16 | (uint32_t)y << 8 | (uint32_t)(x + y);
	default:
		return noise & 0xffffff;
	}
}

static void paint(uint32_t *pixels, int kind)
{
	for (int32_t y = 0; y < H; y++)
		for (int32_t x = 0; x < W; x++)
			pixels[y * W + x] = colour_at(kind, x, y);
}

static void expect_same(const struct desk *d, const struct rect *r, const uint32_t *pixels, const char *what)
{
	for (int32_t y = 0; y < H; y++)
		for (int32_t x = 0; x < W; x++) {
			struct rect at = { x, y, 1, 1 };
			uint32_t want = rect_contains(r, &at) ? pixels[y * W + x] : UNTOUCHED;

			cr_assert_eq(*rfb_screen_at(&d->screen, x, y) & 0xffffff, want,
				"%s at %d, %d: %06x for %06x", what, x, y, *rfb_screen_at(&d->screen, x, y),
				want);
		}
}

static void round_trip(const struct codec_type *type, int32_t encoding, bool has_gradient, size_t piece)
{
	static const struct rect rects[] = { { 0, 0, W, H }, { 3, 2, 65, 64 }, { 100, 69, 1, 1 },
		{ 7, 5, 130, 3 } };
	static uint32_t pixels[W * H];
	struct pixmap map = { (const uint8_t *)pixels, W, H, W * 4 };
	struct codec *codec = codec_create(type);
	struct desk d;

	if (has_gradient)
		tight_set_gradient(codec, true);
	desk_open(&d);
	for (int kind = 0; kind < 5; kind++)
		for (size_t i = 0; i < PST_ARRAY_LEN(rects); i++) {
			struct rect all = { 0, 0, W, H };
			struct pst_buf out;

			paint(pixels, kind);
			rfb_screen_fill(&d.screen, &all, UNTOUCHED);
			pst_buf_init(&out, 1 << 20);
			cr_assert_eq(codec_encode(codec, &map, &rects[i], 0, &out, &d.err), 0);
			cr_assert_eq(feed(&d, &rects[i], encoding, out.data, out.len, piece), (long)out.len,
				"%s", d.err.text);
			cr_assert(rfb_decoder_is_done(d.decoder));
			expect_same(&d, &rects[i], pixels, type->name);
			pst_buf_finish(&out);
		}
	codec_destroy(codec);
	desk_close(&d);
}

Test(rfb_decoder, test_what_our_encoders_pack_comes_out_as_it_was)
{
	static const size_t pieces[] = { 1, 13, 1000000 };

	for (size_t i = 0; i < PST_ARRAY_LEN(pieces); i++) {
		round_trip(&codec_zrle, RFB_ZRLE, false, pieces[i]);
		round_trip(&codec_tight, RFB_TIGHT, false, pieces[i]);
		round_trip(&codec_tight, RFB_TIGHT, true, pieces[i]);
	}
}

Test(rfb_decoder, test_raw_pixels_and_copies)
{
	static const struct rect r = { 10, 20, 3, 2 }, down = { 10, 21, 3, 2 };
	static const uint8_t from[] = { 0, 10, 0, 20 };
	static uint32_t pixels[6] = { 1, 2, 3, 4, 5, 6 };
	struct desk d;

	for (size_t piece = 1; piece < 25; piece++) {
		desk_open(&d);
		cr_assert_eq(feed(&d, &r, RFB_RAW, (const uint8_t *)pixels, sizeof(pixels), piece),
			sizeof(pixels));
		cr_assert(rfb_decoder_is_done(d.decoder));
		cr_assert_eq(feed(&d, &down, RFB_COPY_RECT, from, sizeof(from), piece), sizeof(from));
		for (uint32_t i = 0; i < 6; i++)
			cr_assert_eq(
				*rfb_screen_at(&d.screen, 10 + (int32_t)i % 3, 21 + (int32_t)i / 3), i + 1);
		cr_assert_eq(*rfb_screen_at(&d.screen, 11, 20), 2);
		desk_close(&d);
	}
}

/* 20 × 16: a tile with a background and two parts in one colour, then a raw column that keeps neither. */
Test(rfb_decoder, test_hextile_keeps_colours_from_tile_to_tile)
{
	static const struct rect r = { 4, 4, 40, 16 };
	static const uint8_t data[] = {
		2 | 4 | 8, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0x00, 0x00, 0x12,
		0xed, /* background 1, foreground 2: one pixel, and 15 × 14 at 1, 2 */
		8 | 16, 1, 9, 0, 0, 0, 0x33, 0x00, /* the same background, one pixel of colour 9 at 3, 3 */
		0,                                 /* the same background */
	};
	struct desk d;

	for (size_t piece = 1; piece <= sizeof(data); piece++) {
		desk_open(&d);
		cr_assert_eq(
			feed(&d, &r, RFB_HEXTILE, data, sizeof(data), piece), sizeof(data), "%s", d.err.text);
		cr_assert(rfb_decoder_is_done(d.decoder));
		cr_assert_eq(*rfb_screen_at(&d.screen, 4, 4), 2);
		cr_assert_eq(*rfb_screen_at(&d.screen, 5, 4), 1);
		cr_assert_eq(*rfb_screen_at(&d.screen, 5, 6), 2);
		cr_assert_eq(*rfb_screen_at(&d.screen, 19, 19), 2);
		cr_assert_eq(*rfb_screen_at(&d.screen, 20 + 3, 4 + 3), 9);
		cr_assert_eq(*rfb_screen_at(&d.screen, 20 + 4, 4 + 3), 1);
		cr_assert_eq(*rfb_screen_at(&d.screen, 43, 19), 1);
		cr_assert_eq(*rfb_screen_at(&d.screen, 44, 19), UNTOUCHED);
		desk_close(&d);
	}
}

Test(rfb_decoder, test_trle_names_the_last_palette_again)
{
	static const struct rect r = { 0, 0, 33, 1 };
	static const uint8_t data[] = {
		2, 7, 0, 0, 8, 0, 0, 0x0f, 0xf0, /* two colours: 4 × 7, 8 × 8, 4 × 7 */
		127, 0xff, 0xff,                 /* the same palette: all 8 */
		129, 0x00,                       /* runs of it: one pixel of 7 */
	};
	struct desk d;

	for (size_t piece = 1; piece <= sizeof(data); piece++) {
		desk_open(&d);
		cr_assert_eq(
			feed(&d, &r, RFB_TRLE, data, sizeof(data), piece), sizeof(data), "%s", d.err.text);
		cr_assert(rfb_decoder_is_done(d.decoder));
		cr_assert_eq(*rfb_screen_at(&d.screen, 3, 0), 7);
		cr_assert_eq(*rfb_screen_at(&d.screen, 4, 0), 8);
		cr_assert_eq(*rfb_screen_at(&d.screen, 31, 0), 8);
		cr_assert_eq(*rfb_screen_at(&d.screen, 32, 0), 7);
		desk_close(&d);
	}
}

struct bad {
	const char *what;
	int32_t encoding;
	struct rect rect;
	size_t len;
	uint8_t data[24];
};

Test(rfb_decoder, test_what_cannot_be_ends_it)
{
	static const struct bad cases[] = {
		{ "a rectangle beside the screen", RFB_RAW, { W - 1, 0, 2, 1 }, 0, { 0 } },
		{ "a huge one", RFB_ZRLE, { 0, 0, 65535, 65535 }, 0, { 0 } },
		{ "a copy from beside it", RFB_COPY_RECT, { 0, 0, 2, 2 }, 4, { 0, W - 1, 0, 0 } },
		{ "an unknown encoding", 99, { 0, 0, 2, 2 }, 0, { 0 } },
		{ "a Hextile part over its tile", RFB_HEXTILE, { 0, 0, 4, 4 }, 4, { 8, 1, 0x33, 0x10 } },
		{ "a Hextile bit of nobody", RFB_HEXTILE, { 0, 0, 4, 4 }, 1, { 0x80 } },
		{ "no palette to name again", RFB_TRLE, { 0, 0, 4, 4 }, 2, { 127, 0 } },
		{ "a run over the tile", RFB_TRLE, { 0, 0, 4, 4 }, 5, { 128, 1, 2, 3, 16 } },
		{ "an endless run", RFB_TRLE, { 0, 0, 4, 4 }, 8, { 128, 1, 2, 3, 255, 255, 255, 255 } },
		{ "a colour beyond the palette", RFB_TRLE, { 0, 0, 4, 1 }, 8, { 130, 1, 1, 1, 2, 2, 2, 5 } },
		{ "a packed colour beyond it", RFB_TRLE, { 0, 0, 4, 1 }, 11,
			{ 3, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0xff } },
		{ "a tile of nobody", RFB_TRLE, { 0, 0, 4, 4 }, 1, { 50 } },
		{ "more packed bytes than pixels can be", RFB_ZRLE, { 0, 0, 4, 4 }, 4,
			{ 0xff, 0xff, 0xff, 0xff } },
		{ "ZRLE without a byte", RFB_ZRLE, { 0, 0, 4, 4 }, 4, { 0, 0, 0, 0 } },
		{ "no zlib", RFB_ZRLE, { 0, 0, 4, 4 }, 8, { 0, 0, 0, 4, 1, 2, 3, 4 } },
		{ "JPEG", RFB_TIGHT, { 0, 0, 4, 4 }, 1, { 0x90 } },
		{ "an unknown filter", RFB_TIGHT, { 0, 0, 4, 4 }, 2, { 0x40, 3 } },
		{ "a palette of one", RFB_TIGHT, { 0, 0, 4, 4 }, 6, { 0x40, 1, 0, 1, 2, 3 } },
		{ "a Tight colour beyond the palette", RFB_TIGHT, { 0, 0, 4, 1 }, 16,
			{ 0x40, 1, 2, 1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 1, 2, 3 } },
		{ "nothing in Tight", RFB_TIGHT, { 0, 0, 0, 4 }, 2, { 0x80, 1 } },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct desk d;

		desk_open(&d);
		cr_assert_eq(feed(&d, &cases[i].rect, cases[i].encoding, cases[i].data, cases[i].len, 1),
			PST_EPROTO, "%s", cases[i].what);
		cr_assert(d.err.text[0]);
		desk_close(&d);
	}
}

/* n bytes of zeros, packed as one flushed piece of a stream; its length. */
static size_t pack_zeros(uint8_t *out, size_t size, size_t n)
{
	static uint8_t zeros[4096];
	z_stream z = { .next_out = out, .avail_out = (uInt)size };

	cr_assert_eq(deflateInit(&z, 9), Z_OK);
	for (size_t done = 0; done < n; done += sizeof(zeros)) {
		z.next_in = zeros;
		z.avail_in = sizeof(zeros);
		cr_assert_eq(deflate(&z, done + sizeof(zeros) < n ? Z_NO_FLUSH : Z_SYNC_FLUSH), Z_OK);
	}
	deflateEnd(&z);
	return size - z.avail_out;
}

/* A tile of zeros is a raw one and black: a bomb is as many tiles as the rectangle has, and then too much. */
Test(rfb_decoder, test_a_zlib_bomb_ends_with_its_rectangle)
{
	static const struct rect r = { 0, 0, 64, 64 };
	static uint8_t packed[20000];
	struct desk d;
	size_t len = pack_zeros(packed + 4, sizeof(packed) - 4, 16u << 20);

	cr_assert_lt(len, 4u * 64 * 64);
	desk_open(&d);
	packed[2] = (uint8_t)(len >> 8);
	packed[3] = (uint8_t)len;
	cr_assert_eq(feed(&d, &r, RFB_ZRLE, packed, len + 4, 100000), PST_EPROTO);
	desk_close(&d);

	desk_open(&d);
	packed[1] = 0x00; /* copy, stream 0 */
	packed[2] = (uint8_t)(len & 0x7f) | 0x80;
	packed[3] = (uint8_t)(len >> 7);
	cr_assert_lt(len, 1u << 14);
	cr_assert_eq(feed(&d, &r, RFB_TIGHT, packed + 1, len + 3, 100000), PST_EPROTO);
	desk_close(&d);
}

Test(rfb_decoder, test_a_new_screen_has_what_fits_of_the_old_one)
{
	struct rfb_screen old = { 0 }, next;
	struct rect dot = { 5, 5, 1, 1 };

	cr_assert_eq(rfb_screen_init(&old, 8, 8, &(struct rfb_screen){ 0 }), 0);
	rfb_screen_fill(&old, &dot, 7);
	cr_assert_eq(rfb_screen_init(&next, 6, 9, &old), 0);
	cr_assert_eq(*rfb_screen_at(&next, 5, 5), 7);
	cr_assert_eq(*rfb_screen_at(&next, 5, 8), 0);
	rfb_screen_finish(&next);
	cr_assert_eq(rfb_screen_init(&next, SCREEN_SIDE_MAX + 1, 1, &old), PST_ELIMIT);
	cr_assert_eq(rfb_screen_init(&next, 0, 1, &old), PST_ELIMIT);
	rfb_screen_finish(&old);
}
