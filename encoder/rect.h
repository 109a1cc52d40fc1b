/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rectangle in pixels, origin top left, half open: [x, x+w) × [y, y+h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest screen side that any part of Puesto accepts, in pixels. */
#define SCREEN_SIDE_MAX 8192

struct rect {
	int32_t x, y, w, h;
};

/* True when the rectangle holds no pixel (a width or height of zero or less). */
bool rect_is_empty(const struct rect *r);

/* The part that both cover; false (and an empty *ret) when there is none. Sums are done in 64 bits. */
bool rect_intersect(const struct rect *a, const struct rect *b, struct rect *ret);

/* The smallest rectangle around both; an empty one counts for nothing. */
struct rect rect_union(const struct rect *a, const struct rect *b);

/* True when every pixel of inner lies in outer. */
bool rect_contains(const struct rect *outer, const struct rect *inner);

/* Pixels covered; 0 when empty. */
int64_t rect_area(const struct rect *r);
