/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixels to draw on: flat and rounded rectangles, and coverage of glyphs. Everything is clipped; colours are
 * 0xRRGGBB. */
#pragma once

#include "encoder/rect.h"

#include <stdint.h>

struct canvas {
	uint32_t *pixels; /* borrowed; width × height, rows without padding */
	int32_t width, height;
	struct rect clip; /* nothing is drawn outside; within the canvas */
};

/* The whole of pixels may be drawn on. */
void canvas_init(struct canvas *c, uint32_t *pixels, int32_t width, int32_t height);
void canvas_clip(struct canvas *c, const struct rect *r);
void canvas_fill(struct canvas *c, const struct rect *r, uint32_t colour);
/* Corners of this radius, smooth. */
void canvas_fill_round(struct canvas *c, const struct rect *r, int32_t radius, uint32_t colour);
/* One byte a pixel, 0 nothing … 255 all of the colour, over what is there. */
void canvas_cover(struct canvas *c, int32_t x, int32_t y, int32_t w, int32_t h, const uint8_t *coverage,
	int32_t pitch, uint32_t colour);
