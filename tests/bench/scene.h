/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A drawn desktop for the encoder's bench: pages of anti-aliased text, windows, a photo, a clip. All from
 * fixed seeds, the same everywhere. */
#pragma once

#include "encoder/pixmap.h"

struct scene {
	uint32_t *px;
	struct pixmap view;
	uint32_t *photo; /* 1600 × 1200 */
};

/* NULL when out of memory. */
struct scene *scene_create(int32_t width, int32_t height);
void scene_destroy(struct scene *s);

void scene_fill(struct scene *s, const struct rect *r, uint32_t colour);
/* One letter in a cell of GLYPH_WIDTH × GLYPH_HEIGHT, dark on white. */
void scene_glyph(struct scene *s, int32_t x, int32_t y, int c);
/* The part r of an endless text, scrolled by top pixels; page tells texts apart. */
void scene_text(struct scene *s, const struct rect *r, uint32_t page, int32_t top);
/* The same of an editor: coloured words on a dark ground, more than 256 colours together. */
void scene_code(struct scene *s, const struct rect *r, uint32_t page, int32_t top);
/* The photo's part at sx, sy. */
void scene_photo(struct scene *s, const struct rect *r, int32_t sx, int32_t sy);
/* Frame n of a clip: takes with a still camera and things that move, and takes where all moves by parts of a
 * pixel. */
void scene_clip(struct scene *s, const struct rect *r, int frame);
