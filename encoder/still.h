/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which blocks of a video region are as they were. Blocks are H.264's macroblocks: 16 × 16 from the region's
 * corner, row by row, less at its right and lower edge.
 */
#pragma once

#include "encoder/encoder_priv.h"

#define STILL_SIDE 16

/* Blocks that cover w × h. */
size_t still_count(int32_t w, int32_t h);

/* Writes 1 for each block of r whose pixels on the screen equal the sent picture, else 0. r lies within both.
 */
void still_find(
	const struct encoder *e, const struct pixmap *screen, const struct rect *r, uint8_t *ret_still);

/* Writes 0 for each block of r that `changed` touches. */
void still_clear(uint8_t *still, const struct rect *r, const struct rect *changed);

/* Copies what is not still from the screen into the sent picture. What is still stays as it was compared: it
 * may have changed on the screen since, and then differs again next time. */
void still_take(struct encoder *e, const struct pixmap *screen, const struct rect *r, const uint8_t *still);
