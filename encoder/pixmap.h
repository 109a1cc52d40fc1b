/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A borrowed view of pixels: 32 bits each, little-endian B G R X in memory (0xXXRRGGBB as an integer), the X
 * byte undefined. Row y starts at data + y × stride; stride is in bytes and may exceed width × 4. The view
 * owns nothing.
 */
#pragma once

#include "encoder/rect.h"

struct pixmap {
	const uint8_t *data;
	int32_t width, height;
	uint32_t stride;
};

/* True when the sides are 1…SCREEN_SIDE_MAX and stride × height does not run over bytes (the size of what
 * data points at). */
bool pixmap_is_valid(const struct pixmap *p, uint64_t bytes);

/* First pixel of row y at column x. The caller keeps both within the pixmap. */
static inline const uint32_t *pixmap_at(const struct pixmap *p, int32_t x, int32_t y)
{
	return (const uint32_t *)(const void *)(p->data + (size_t)y * p->stride + (size_t)x * 4);
}
