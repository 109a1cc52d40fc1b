/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Painting into the RFB client's picture. */
#include "protocol/source/rfb/screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

int rfb_screen_init(struct rfb_screen *s, int32_t width, int32_t height, const struct rfb_screen *old)
{
	int32_t w, h;

	if (width < 1 || height < 1 || width > SCREEN_SIDE_MAX || height > SCREEN_SIDE_MAX)
		return PST_ELIMIT;
	*s = (struct rfb_screen){ pst_zalloc((size_t)width * (size_t)height, sizeof(*s->pixels)), width,
		height };
	if (!s->pixels)
		return PST_ENOMEM;
	w = PST_MIN(width, old->width);
	h = PST_MIN(height, old->height);
	for (int32_t y = 0; old->pixels && y < h; y++)
		memcpy(rfb_screen_at(s, 0, y), rfb_screen_at(old, 0, y), (size_t)w * 4);
	return 0;
}

void rfb_screen_finish(struct rfb_screen *s)
{
	free(s->pixels);
	*s = (struct rfb_screen){ 0 };
}

bool rfb_screen_has(const struct rfb_screen *s, const struct rect *r)
{
	return r->x >= 0 && r->y >= 0 && r->w >= 0 && r->h >= 0 && r->x + r->w <= s->width &&
	       r->y + r->h <= s->height;
}

struct pixmap rfb_screen_pixmap(const struct rfb_screen *s)
{
	return (struct pixmap){ (const uint8_t *)s->pixels, s->width, s->height, (uint32_t)s->width * 4 };
}

void rfb_screen_fill(struct rfb_screen *s, const struct rect *r, uint32_t colour)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			*rfb_screen_at(s, x, y) = colour;
}

void rfb_screen_put(struct rfb_screen *s, const struct rect *r, const uint32_t *pixels)
{
	for (int32_t y = 0; y < r->h; y++)
		memcpy(rfb_screen_at(s, r->x, r->y + y), pixels + (size_t)y * (size_t)r->w, (size_t)r->w * 4);
}

void rfb_screen_copy(struct rfb_screen *s, const struct rect *r, int32_t x, int32_t y)
{
	for (int32_t i = 0; i < r->h; i++) {
		/* Downwards the last row goes first: it is read before it is written. */
		int32_t row = r->y > y ? r->h - 1 - i : i;

		memmove(rfb_screen_at(s, r->x, r->y + row), rfb_screen_at(s, x, y + row), (size_t)r->w * 4);
	}
}
