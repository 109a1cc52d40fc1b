/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawing in memory; see canvas.h. */
#include "protocol/source/lobby/canvas.h"

#include <math.h>

#include "base/mem.h"

void canvas_init(struct canvas *c, uint32_t *pixels, int32_t width, int32_t height)
{
	*c = (struct canvas){ pixels, width, height, { 0, 0, width, height } };
}

void canvas_clip(struct canvas *c, const struct rect *r)
{
	const struct rect all = { 0, 0, c->width, c->height };

	if (!rect_intersect(r, &all, &c->clip))
		c->clip = (struct rect){ 0, 0, 0, 0 };
}

static uint32_t *pixel_at(struct canvas *c, int32_t x, int32_t y)
{
	return c->pixels + (size_t)y * (size_t)c->width + (size_t)x;
}

static uint32_t mix(uint32_t under, uint32_t over, uint32_t alpha)
{
	uint32_t out = 0;

	for (int shift = 0; shift < 24; shift += 8) {
		uint32_t a = under >> shift & 0xff, b = over >> shift & 0xff;

		out |= ((a * (255 - alpha) + b * alpha + 127) / 255) << shift;
	}
	return out;
}

void canvas_fill(struct canvas *c, const struct rect *r, uint32_t colour)
{
	struct rect area;

	if (!rect_intersect(r, &c->clip, &area))
		return;
	for (int32_t y = area.y; y < area.y + area.h; y++)
		for (int32_t x = area.x; x < area.x + area.w; x++)
			*pixel_at(c, x, y) = colour;
}

/* How much of the pixel at (x, y) of a w × h rectangle lies within its rounded corners. */
static uint32_t round_coverage(int32_t x, int32_t y, int32_t w, int32_t h, int32_t radius)
{
	float dx = (float)(radius - PST_MIN(x, w - 1 - x)) - 0.5f,
	      dy = (float)(radius - PST_MIN(y, h - 1 - y)) - 0.5f;
	float inside;

	if (dx <= 0 || dy <= 0)
		return 255;
	inside = (float)radius - sqrtf(dx * dx + dy * dy) + 0.5f;
	return inside <= 0 ? 0 : inside >= 1 ? 255 : (uint32_t)(inside * 255);
}

void canvas_fill_round(struct canvas *c, const struct rect *r, int32_t radius, uint32_t colour)
{
	struct rect area;

	if (!rect_intersect(r, &c->clip, &area))
		return;
	radius = PST_MIN(radius, PST_MIN(r->w, r->h) / 2);
	for (int32_t y = area.y; y < area.y + area.h; y++) {
		bool is_edge = y - r->y < radius || r->y + r->h - 1 - y < radius;

		for (int32_t x = area.x; x < area.x + area.w; x++) {
			uint32_t alpha =
				is_edge ? round_coverage(x - r->x, y - r->y, r->w, r->h, radius) : 255;

			*pixel_at(c, x, y) = alpha == 255 ? colour : mix(*pixel_at(c, x, y), colour, alpha);
		}
	}
}

void canvas_cover(struct canvas *c, int32_t x, int32_t y, int32_t w, int32_t h, const uint8_t *coverage,
	int32_t pitch, uint32_t colour)
{
	const struct rect all = { x, y, w, h };
	struct rect area;

	if (!rect_intersect(&all, &c->clip, &area))
		return;
	for (int32_t at_y = area.y; at_y < area.y + area.h; at_y++)
		for (int32_t at_x = area.x; at_x < area.x + area.w; at_x++) {
			uint32_t alpha = coverage[(int64_t)(at_y - y) * pitch + (at_x - x)];

			if (alpha)
				*pixel_at(c, at_x, at_y) = mix(*pixel_at(c, at_x, at_y), colour, alpha);
		}
}
