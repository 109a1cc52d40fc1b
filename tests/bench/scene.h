/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A drawn desktop for the encoder's bench: pages of anti-aliased text, windows, a photo, a clip. All from
 * fixed seeds, the same everywhere. */
#pragma once

#include "encoder/pixmap.h"

struct scene {
	uint32_t *px;
	struct pixmap view;
	uint8_t glyphs[96][16][9]; /* coverage 0…255 */
	uint32_t *photo;           /* 1600 × 1200 */
};

/* NULL when out of memory. */
struct scene *scene_create(int32_t width, int32_t height);
void scene_destroy(struct scene *s);

void scene_fill(struct scene *s, const struct rect *r, uint32_t colour);
/* One character, 9 × 16, black on white. */
void scene_glyph(struct scene *s, int32_t x, int32_t y, int c);
/* The part r of an endless text, scrolled by top pixels; page tells texts apart. */
void scene_text(struct scene *s, const struct rect *r, uint32_t page, int32_t top);
/* The photo's part at sx, sy. */
void scene_photo(struct scene *s, const struct rect *r, int32_t sx, int32_t sy);
/* Frame n of a clip with moving parts and a little grain. */
void scene_clip(struct scene *s, const struct rect *r, int frame);
