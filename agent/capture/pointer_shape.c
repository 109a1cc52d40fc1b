/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XFixes gives premultiplied ARGB, which is what the link wants, but in longs of 64 bits. */
#include "agent/capture/pointer_shape.h"

#include <X11/extensions/Xfixes.h>

#include "base/mem.h"

/* Where a window of at most CURSOR_SIDE_MAX begins so that it holds the hot spot. */
static unsigned cut_start(unsigned side, unsigned hot)
{
	if (side <= CURSOR_SIDE_MAX)
		return 0;
	unsigned start = hot > CURSOR_SIDE_MAX / 2 ? hot - CURSOR_SIDE_MAX / 2 : 0;
	return PST_MIN(start, side - CURSOR_SIDE_MAX);
}

void pointer_shape_cut(const unsigned long *from, unsigned w, unsigned h, unsigned hot_x, unsigned hot_y,
	uint32_t *pixels, struct cursor_image *ret)
{
	*ret = (struct cursor_image){ .pixels = pixels };
	if (w == 0 || h == 0)
		return;

	hot_x = PST_MIN(hot_x, w - 1);
	hot_y = PST_MIN(hot_y, h - 1);
	unsigned x0 = cut_start(w, hot_x), y0 = cut_start(h, hot_y);
	ret->w = (uint16_t)PST_MIN(w, (unsigned)CURSOR_SIDE_MAX);
	ret->h = (uint16_t)PST_MIN(h, (unsigned)CURSOR_SIDE_MAX);
	ret->hot_x = (uint16_t)(hot_x - x0);
	ret->hot_y = (uint16_t)(hot_y - y0);
	for (unsigned y = 0; y < ret->h; y++)
		for (unsigned x = 0; x < ret->w; x++)
			pixels[(size_t)y * ret->w + x] = (uint32_t)from[(size_t)(y + y0) * w + x + x0];
}

bool pointer_shape_get(struct x11 *x, uint32_t *pixels, struct cursor_image *ret)
{
	XFixesCursorImage *image = x->is_lost ? NULL : XFixesGetCursorImage(x->dpy);
	if (!image)
		return false;

	pointer_shape_cut(image->pixels, image->width, image->height, image->xhot, image->yhot, pixels, ret);
	XFree(image);
	return true;
}
