/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ClearCodec: the library's decoder, as clients have it, shows the same pixels, and nothing beside the rectangle.
 * Covers: encoder/codec/clear.c encoder/codec/clear_bars.c
 */
#include <criterion/criterion.h>
#include <freerdp/codec/clear.h>
#include <freerdp/codec/color.h>
#include <string.h>

#include "base/mem.h"
#include "encoder/codec.h"

#define W 400
#define H 300

static uint32_t screen[W * H], shown[W * H], expected[W * H];
static const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };
static uint32_t seed;

static uint32_t any(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

struct line {
	struct codec *sender;
	CLEAR_CONTEXT *client;
	struct pst_buf out;
};

static void line_init(struct line *l)
{
	*l = (struct line){ codec_create(&codec_clear), clear_context_new(FALSE), { 0 } };
	pst_buf_init(&l->out, 64 << 20);
	cr_assert(l->sender && l->client);
	memset(shown, 0, sizeof(shown));
	memset(expected, 0, sizeof(expected));
}

static void line_finish(struct line *l)
{
	codec_destroy(l->sender);
	clear_context_free(l->client);
	pst_buf_finish(&l->out);
}

/* Returns the bytes. */
static size_t send(struct line *l, const struct rect *r)
{
	struct pst_err err = PST_ERR_INIT;
	pst_buf_reset(&l->out);
	cr_assert_eq(codec_encode(l->sender, &pm, r, 0, &l->out, &err), 0, "%s", err.text);
	cr_assert_eq(clear_decompress(l->client, l->out.data, (UINT32)l->out.len, (UINT32)r->w, (UINT32)r->h, (BYTE *)shown, PIXEL_FORMAT_BGRX32, W * 4,
				      (UINT32)r->x, (UINT32)r->y, W, H, NULL),
		     0, "%d × %d", r->w, r->h);
	for (int32_t y = r->y; y < r->y + r->h; y++)
		memcpy(&expected[y * W + r->x], &screen[y * W + r->x], (size_t)r->w * 4);
	/* With what lies around it. */
	for (int32_t y = PST_MAX(r->y - 2, 0); y < PST_MIN(r->y + r->h + 2, H); y++)
		for (int32_t x = PST_MAX(r->x - 2, 0); x < PST_MIN(r->x + r->w + 2, W); x++)
			if (((shown[y * W + x] ^ expected[y * W + x]) & 0xffffff) != 0)
				cr_assert_fail("%d × %d at %d, %d: %06x at %d, %d", r->w, r->h, r->x, r->y, shown[y * W + x], x, y);
	return l->out.len;
}

static void draw_box(int32_t x, int32_t y, int32_t w, int32_t h, uint32_t colour)
{
	for (int32_t j = y; j < PST_MIN(y + h, H); j++)
		for (int32_t i = x; i < PST_MIN(x + w, W); i++)
			screen[j * W + i] = colour;
}

/* A letter of soft strokes, the same each time. */
static void draw_letter(int32_t x, int32_t y, uint32_t letter, uint32_t ink)
{
	for (uint32_t j = 0; j < 11; j++)
		for (uint32_t i = 0; i < 7; i++)
			if ((letter * 2654435761u >> (i * 3 + j) % 29) & 1 && x + (int32_t)i < W && y + (int32_t)j < H)
				screen[(y + (int32_t)j) * W + x + (int32_t)i] = ink ^ (i * j % 5 * 0x101010);
}

static void draw_text(int32_t pitch, uint32_t paper)
{
	draw_box(0, 0, W, H, paper);
	draw_box(0, 0, 60, H, 0xd0d0d8);
	for (int32_t y = 3; y < H; y += pitch)
		for (int32_t x = 64; x < W - (int32_t)(any() % 200); x += 8)
			draw_letter(x, y, any() % 60, 0x202020);
}

static void draw_any(void)
{
	uint32_t what = any() % 6, mask = any() % 2 ? 0xffffffff : 0x00030303;
	if (what == 0)
		for (size_t i = 0; i < W * H; i++)
			screen[i] = any() * 2654435761u & mask;
	else if (what == 1)
		for (size_t i = 0; i < W * H; i++)
			screen[i] = (uint32_t)(i % W * 255 / W) << 16 | (uint32_t)(i / W * 255 / H) << 8;
	else if (what == 2)
		draw_text(14 + (int32_t)(any() % 9), 0xffffff);
	else if (what == 3)
		draw_box(0, 0, W, H, any());
	else
		for (int i = 0; i < 40; i++)
			draw_box((int32_t)(any() % W), (int32_t)(any() % H), (int32_t)(any() % 90 + 1), (int32_t)(any() % 90 + 1), any() & mask);
}

static struct rect any_rect(int32_t max_w, int32_t max_h)
{
	struct rect r = { .w = (int32_t)(any() % (uint32_t)max_w) + 1, .h = (int32_t)(any() % (uint32_t)max_h) + 1 };
	r.x = (int32_t)(any() % (uint32_t)(W - r.w + 1));
	r.y = (int32_t)(any() % (uint32_t)(H - r.h + 1));
	return r;
}

Test(clear, every_size_comes_back)
{
	struct line l;
	line_init(&l);
	seed = 3;
	for (int32_t w = 1; w <= 70; w += w < 12 ? 1 : 7) {
		for (int32_t h = 1; h <= 120; h += h < 56 ? 1 : 13) {
			struct rect r = { w, h / 2, w, h };
			if (h % 8 == 1)
				draw_any();
			send(&l, &r);
		}
	}
	line_finish(&l);
}

Test(clear, whole_pictures_come_back)
{
	const struct rect all = { 0, 0, W, H };
	struct line l;
	line_init(&l);
	for (seed = 1; seed < 40; seed++) {
		uint32_t keep = seed;
		draw_any();
		send(&l, &all);
		seed = keep;
	}
	line_finish(&l);
}

Test(clear, the_caches_go_round)
{
	const struct rect all = { 0, 0, W, H }, letter = { 64, 3, 7, 11 };
	struct line l;
	line_init(&l);
	/* 400 × 6 columns of noise each time: both storages turn over. */
	for (seed = 1; seed < 34; seed++) {
		uint32_t keep = seed;
		for (size_t i = 0; i < W * H; i++)
			screen[i] = any();
		send(&l, &all);
		draw_text(18, 0xffffff);
		send(&l, &all);
		seed = keep;
	}
	/* 4,000 glyphs, and one that came again in between. */
	for (int i = 0; i < 4200; i++) {
		uint32_t keep = screen[3 * W + 64];
		screen[3 * W + 64] = i % 50 ? (uint32_t)i : 7;
		send(&l, &letter);
		screen[3 * W + 64] = keep;
	}
	line_finish(&l);
}

Test(clear, storms_of_rectangles_come_back)
{
	struct line l;
	line_init(&l);
	seed = 77;
	for (int i = 0; i < 1000; i++) {
		if (i % 5 == 0)
			draw_any();
		const struct rect r = any() % 3 ? any_rect(60, 40) : any_rect(W, H);
		send(&l, &r);
	}
	line_finish(&l);
}

Test(clear, what_is_known_costs_little)
{
	const struct rect all = { 0, 0, W, H }, letter = { 64, 3, 7, 11 };
	struct line l;
	line_init(&l);
	seed = 5;
	draw_text(18, 0xffffff);
	size_t first = send(&l, &all), again = send(&l, &all);
	cr_expect_lt(first, W * H / 3);
	cr_expect_leq(again, W * (H / 18 + 1) * 2 + 2500, "two bytes for each known column: %zu", again);
	send(&l, &letter);
	cr_expect_eq(send(&l, &letter), 4, "a known glyph is its number");
	draw_box(0, 0, W, H, 0x123456);
	cr_expect_leq(send(&l, &all), 14 + 10, "one colour is one run");
	line_finish(&l);
}
