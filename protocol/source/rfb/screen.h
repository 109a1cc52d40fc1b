/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture that an RFB client keeps: rows of 32 bits, B G R X in memory, without padding. Callers of the
 * painting functions have checked that the rectangle lies on it.
 */
#pragma once

#include <stdbool.h>

#include "encoder/pixmap.h"

struct rfb_screen {
	uint32_t *pixels; /* NULL before the first size */
	int32_t width, height;
};

/* A black one of this size with what old has of it; old may be empty and stays. Sides are 1…SCREEN_SIDE_MAX:
 * PST_ELIMIT, PST_ENOMEM. */
int rfb_screen_init(struct rfb_screen *s, int32_t width, int32_t height, const struct rfb_screen *old);
/* Accepts an empty one. */
void rfb_screen_finish(struct rfb_screen *s);

bool rfb_screen_has(const struct rfb_screen *s, const struct rect *r);
struct pixmap rfb_screen_pixmap(const struct rfb_screen *s);

static inline uint32_t *rfb_screen_at(const struct rfb_screen *s, int32_t x, int32_t y)
{
	return s->pixels + (size_t)y * (size_t)s->width + (size_t)x;
}

void rfb_screen_fill(struct rfb_screen *s, const struct rect *r, uint32_t colour);
/* pixels: r->w × r->h, without padding. */
void rfb_screen_put(struct rfb_screen *s, const struct rect *r, const uint32_t *pixels);
/* From the rectangle of r's size at x, y, which may overlap r. */
void rfb_screen_copy(struct rfb_screen *s, const struct rect *r, int32_t x, int32_t y);
