/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Procedural pictures with the statistics that count: real letters on paper, soft photos, a clip. */
#include "scene.h"

#include <math.h>
#include <stdlib.h>

#include "page.h"

#define PHOTO_W 1600
#define PHOTO_H 1200

static uint32_t hash32(uint32_t v)
{
	v = (v ^ v >> 16) * 0x7feb352du;
	v = (v ^ v >> 15) * 0x846ca68bu;
	return v ^ v >> 16;
}

static void make_photo(struct scene *s)
{
	for (int y = 0; y < PHOTO_H; y++) {
		for (int x = 0; x < PHOTO_W; x++) {
			double v = sin(x / 97.0 + sin(y / 61.0) * 2), u = cos(y / 83.0 + sin(x / 43.0)),
			       t = sin((x + y) / 29.0) * .3;
			uint32_t n = hash32((uint32_t)(y * PHOTO_W + x)) % 9;
			int r = (int)(128 + 70 * v + 30 * t) + (int)n,
			    g = (int)(120 + 60 * u + 30 * t) + (int)n,
			    b = (int)(110 + 50 * v * u + 40 * t) + (int)n;

			s->photo[y * PHOTO_W + x] =
				(uint32_t)(r & 255) << 16 | (uint32_t)(g & 255) << 8 | (uint32_t)(b & 255);
		}
	}
}

struct scene *scene_create(int32_t width, int32_t height)
{
	struct scene *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->px = calloc((size_t)width * (size_t)height, 4);
	s->photo = calloc(PHOTO_W * PHOTO_H, 4);
	if (!s->px || !s->photo) {
		scene_destroy(s);
		return NULL;
	}
	s->view = (struct pixmap){ (const uint8_t *)s->px, width, height, (uint32_t)width * 4 };
	make_photo(s);
	return s;
}

void scene_destroy(struct scene *s)
{
	if (!s)
		return;
	free(s->px);
	free(s->photo);
	free(s);
}

static uint32_t *row_at(struct scene *s, int32_t x, int32_t y)
{
	return s->px + (size_t)y * (size_t)s->view.width + (size_t)x;
}

void scene_fill(struct scene *s, const struct rect *r, uint32_t colour)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = 0; x < r->w; x++)
			row_at(s, r->x, y)[x] = colour;
}

void scene_glyph(struct scene *s, int32_t x, int32_t y, int c)
{
	const struct page_target to = { s->px, s->view.width };
	const struct rect cell = { x, y, GLYPH_WIDTH, GLYPH_HEIGHT };

	scene_fill(s, &cell, page_prose.paper);
	page_glyph(&to, &cell, x, y, c % GLYPH_COUNT, page_prose.paper, page_prose.inks[0]);
}

void scene_text(struct scene *s, const struct rect *r, uint32_t page, int32_t top)
{
	const struct page_target to = { s->px, s->view.width };

	page_draw(&to, r, &page_prose, page, top);
}

void scene_code(struct scene *s, const struct rect *r, uint32_t page, int32_t top)
{
	const struct page_target to = { s->px, s->view.width };

	page_draw(&to, r, &page_code, page, top);
}

void scene_photo(struct scene *s, const struct rect *r, int32_t sx, int32_t sy)
{
	for (int32_t y = 0; y < r->h; y++)
		for (int32_t x = 0; x < r->w; x++)
			row_at(s, r->x, r->y + y)[x] =
				s->photo[(sy + y) % PHOTO_H * PHOTO_W + (sx + x) % PHOTO_W];
}

/* The photo between its pixels, as a decoder's motion compensation shows it: 1/16 of a pixel, both ways. */
static uint32_t photo_between(const struct scene *s, int32_t x16, int32_t y16)
{
	int32_t x = x16 >> 4, y = y16 >> 4, fx = x16 & 15, fy = y16 & 15;
	const uint32_t *a = &s->photo[y % PHOTO_H * PHOTO_W], *b = &s->photo[(y + 1) % PHOTO_H * PHOTO_W];
	int32_t left = x % PHOTO_W, right = (x + 1) % PHOTO_W;
	uint32_t px = 0;

	for (int shift = 0; shift < 24; shift += 8) {
		int32_t top = (int32_t)(a[left] >> shift & 255) * (16 - fx) +
			      (int32_t)(a[right] >> shift & 255) * fx;
		int32_t low = (int32_t)(b[left] >> shift & 255) * (16 - fx) +
			      (int32_t)(b[right] >> shift & 255) * fx;

		px |= (uint32_t)((top * (16 - fy) + low * fy + 128) >> 8) << shift;
	}
	return px;
}

/* A disc of another part of the photo, at x16, y16 in sixteenths. */
static void draw_disc(struct scene *s, const struct rect *r, int32_t x16, int32_t y16, int32_t radius)
{
	for (int32_t y = -radius; y < radius; y++) {
		for (int32_t x = -radius; x < radius; x++) {
			int32_t px = (x16 >> 4) + x, py = (y16 >> 4) + y;

			if (x * x + y * y >= radius * radius || px < 0 || py < 0 || px >= r->w || py >= r->h)
				continue;
			*row_at(s, r->x + px, r->y + py) = photo_between(
				s, (px + 900) * 16 - x16 * 3 / 4, (py + 500) * 16 - y16 * 3 / 4);
		}
	}
}

/* Where something is that goes to and fro between 0 and 16 × side. */
static int32_t swing(int32_t at, int32_t side)
{
	int32_t period = side * 32;

	at %= period;
	return at < side * 16 ? at : period - at;
}

void scene_clip(struct scene *s, const struct rect *r, int frame)
{
	/* Takes of 40 frames: by turns the camera stands still, or moves by parts of a pixel. */
	int32_t take = frame / 40, moved = take % 2 ? frame % 40 : 0;

	for (int32_t y = 0; y < r->h; y++)
		for (int32_t x = 0; x < r->w; x++)
			*row_at(s, r->x + x, r->y + y) =
				photo_between(s, (200 + 150 * take + x) * 16 + moved * 21,
					(100 + 70 * take + y) * 16 + moved * 9);
	draw_disc(s, r, swing(frame * 71, r->w), swing(frame * 37, r->h), 60);
	draw_disc(s, r, swing(4000 + frame * 29, r->w), swing(1500 + frame * 53, r->h), 38);
}
