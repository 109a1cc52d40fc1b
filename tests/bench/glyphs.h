/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The printable letters of a real anti-aliased face: DejaVu Sans at 13 pixels, light hinting, as
 * FreeType 2.12 draws it. They stand here as data, so that the bench draws the same everywhere.
 */
#pragma once

#include <stdint.h>

#define GLYPH_FIRST 33 /* '!' */
#define GLYPH_COUNT 94
#define GLYPH_SPACE 4   /* pixels of a blank */
#define GLYPH_HEIGHT 16 /* of a cell; no letter reaches over it */
#define GLYPH_WIDTH 14

struct glyph {
	int8_t advance, left, top; /* pixels; left and top from the cell's corner */
	uint8_t w, h;
	const char *cover; /* w × h pairs of hexadecimal digits, row by row: 00 paper, ff ink */
};

extern const struct glyph glyphs[GLYPH_COUNT];

/* Coverage of a pixel of the glyph. */
uint8_t glyph_cover(const struct glyph *g, int32_t x, int32_t y);
