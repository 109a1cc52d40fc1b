/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Procedural pictures with the statistics that count: grey levels of text, runs of paper, soft photos. */
#include "scene.h"

#include <math.h>
#include <stdlib.h>

#define PHOTO_W 1600
#define PHOTO_H 1200
#define LINE 18

static uint32_t hash32(uint32_t v)
{
	v = (v ^ v >> 16) * 0x7feb352du;
	v = (v ^ v >> 15) * 0x846ca68bu;
	return v ^ v >> 16;
}

static double stroke_distance(double x, double y, const double s[4])
{
	double dx = s[2] - s[0], dy = s[3] - s[1], len = dx * dx + dy * dy;
	double t = len > 0 ? ((x - s[0]) * dx + (y - s[1]) * dy) / len : 0;

	t = t < 0 ? 0 : t > 1 ? 1 : t;
	return hypot(x - s[0] - t * dx, y - s[1] - t * dy);
}

/* Two to four strokes of a pen 1.3 pixels wide make a letter. */
static void make_glyph(struct scene *s, int c)
{
	double strokes[4][4];
	int n = c == 0 ? 0 : 2 + (int)(hash32((uint32_t)c) % 3);

	for (int i = 0; i < n; i++)
		for (int k = 0; k < 4; k++)
			strokes[i][k] =
				(hash32((uint32_t)(c * 64 + i * 4 + k)) % 100) / 100.0 * (k & 1 ? 10 : 6.5) +
				(k & 1 ? 3 : 1);
	for (int y = 0; y < 16; y++) {
		for (int x = 0; x < 9; x++) {
			double best = 99, cover;

			for (int i = 0; i < n; i++)
				best = fmin(best, stroke_distance(x + .5, y + .5, strokes[i]));
			cover = 1.15 - best;
			s->glyphs[c][y][x] = (uint8_t)(cover <= 0 ? 0 : cover >= 1 ? 255 : cover * 255);
		}
	}
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
	for (int c = 0; c < 96; c++)
		make_glyph(s, c);
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
	for (int32_t j = 0; j < 16; j++)
		for (int32_t i = 0; i < 9; i++)
			row_at(s, x + i, y + j)[0] = 0xffffffu - s->glyphs[c % 96][j][i] * 0x010101u;
}

/* Words of 2 to 9 letters, lines of uneven length, an empty line now and then. */
static int text_char(uint32_t page, int32_t line, int32_t column)
{
	uint32_t l = hash32(page * 7919 + (uint32_t)line);

	if (l % 9 == 0 || column > (int32_t)(40 + l % 160))
		return 0;
	if (hash32(l + (uint32_t)column / 3) % 3 == 0 && column % 3 == 2)
		return 0;
	return 1 + (int)(hash32(l ^ (uint32_t)(column * 131)) % 95);
}

void scene_text(struct scene *s, const struct rect *r, uint32_t page, int32_t top)
{
	for (int32_t y = 0; y < r->h; y++) {
		int32_t line = (y + top) / LINE, in_line = (y + top) % LINE;
		uint32_t *row = row_at(s, r->x, r->y + y);

		for (int32_t x = 0; x < r->w; x++) {
			int c = in_line < 16 ? text_char(page, line, x / 9) : 0;

			row[x] = 0xffffffu - (in_line < 16 ? s->glyphs[c][in_line][x % 9] : 0) * 0x010101u;
		}
	}
}

void scene_photo(struct scene *s, const struct rect *r, int32_t sx, int32_t sy)
{
	for (int32_t y = 0; y < r->h; y++)
		for (int32_t x = 0; x < r->w; x++)
			row_at(s, r->x, r->y + y)[x] =
				s->photo[(sy + y) % PHOTO_H * PHOTO_W + (sx + x) % PHOTO_W];
}

void scene_clip(struct scene *s, const struct rect *r, int frame)
{
	int32_t bx = frame * 5 % r->w, by = frame * 3 % r->h;

	scene_photo(s, r, 200 + frame, 100 + frame / 2);
	for (int32_t y = 0; y < r->h; y++) {
		for (int32_t x = 0; x < r->w; x++) {
			int32_t dx = x - bx, dy = y - by;
			uint32_t *px = row_at(s, r->x + x, r->y + y);

			if (dx * dx + dy * dy < 3600)
				*px = (uint32_t)(220 - dx) << 16 | (uint32_t)(120 + dy) << 8 | 60;
		}
	}
}
