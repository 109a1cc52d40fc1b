/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Endless pages of words in a proportional face, drawn at any height: prose, or the source text of an editor.
 * All from fixed seeds. */
#pragma once

#include "encoder/rect.h"
#include "glyphs.h"

#define PAGE_LINE 18 /* pixels from line to line */
#define PAGE_INKS 6

struct page_style {
	uint32_t paper, inks[PAGE_INKS];
	bool is_code; /* lines are indented and words take any ink; prose takes the first, seldom the second
		       */
};

extern const struct page_style page_prose, page_code;

/* Where pixels go. */
struct page_target {
	uint32_t *px;
	int32_t stride; /* in pixels */
};

/* The part r of the page, scrolled by top pixels; seed tells pages apart. */
void page_draw(const struct page_target *to, const struct rect *r, const struct page_style *style,
	uint32_t seed, int32_t top);

/* One letter (0…GLYPH_COUNT-1) with its corner at x, y, clipped to r. */
void page_glyph(const struct page_target *to, const struct rect *r, int32_t x, int32_t y, int c,
	uint32_t paper, uint32_t ink);
