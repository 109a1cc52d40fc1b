/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one check of a pixmap's numbers before anybody reads its pixels. */
#include "encoder/pixmap.h"

bool pixmap_is_valid(const struct pixmap *p, uint64_t bytes)
{
	if (!p->data || p->width < 1 || p->height < 1 || p->width > SCREEN_SIDE_MAX ||
		p->height > SCREEN_SIDE_MAX)
		return false;
	if (p->stride % 4 || (uintptr_t)p->data % 4 || p->stride < (uint64_t)p->width * 4)
		return false;

	/* The last row need not be padded. */
	return (uint64_t)p->stride * (uint64_t)(p->height - 1) + (uint64_t)p->width * 4 <= bytes;
}
