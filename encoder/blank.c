/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A copy, and rectangles in it. */
#include "encoder/blank.h"

#include <string.h>

#include "base/err.h"

int blank_repeats(const struct op *op, const struct pixmap *sent, struct pst_buf *ret_pixels, struct pixmap *ret)
{
	const struct rect *all = &op->rect;
	size_t row = (size_t)all->w * 4;
	uint32_t *px;

	pst_buf_reset(ret_pixels);
	px = (uint32_t *)(void *)pst_buf_reserve(ret_pixels, row * (size_t)all->h);
	if (!px)
		return PST_ELIMIT;
	for (int32_t y = 0; y < all->h; y++)
		memcpy(px + (size_t)y * (size_t)all->w, pixmap_at(sent, all->x, all->y + y), row);
	for (size_t i = 0; i < op->lossless.repeats_len; i++) {
		const struct rect *r = &op->lossless.repeats[i].rect;

		for (int32_t y = r->y - all->y; y < r->y - all->y + r->h; y++)
			for (int32_t x = r->x - all->x; x < r->x - all->x + r->w; x++)
				px[y * all->w + x] = op->lossless.paper;
	}
	pst_buf_commit(ret_pixels, row * (size_t)all->h);
	*ret = (struct pixmap){ (const uint8_t *)px, all->w, all->h, (uint32_t)row };
	return 0;
}
