/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rectangles: emptiness, overlap, hull. Sums are done in 64 bits, so hostile coordinates cannot wrap. */
#include "encoder/rect.h"

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int32_t clamp32(int64_t v)
{
	return (int32_t)max64(INT32_MIN, min64(INT32_MAX, v));
}

bool rect_is_empty(const struct rect *r)
{
	return r->w <= 0 || r->h <= 0;
}

bool rect_intersect(const struct rect *a, const struct rect *b, struct rect *ret)
{
	int64_t x0 = max64(a->x, b->x), y0 = max64(a->y, b->y);
	int64_t x1 = min64((int64_t)a->x + a->w, (int64_t)b->x + b->w);
	int64_t y1 = min64((int64_t)a->y + a->h, (int64_t)b->y + b->h);

	if (rect_is_empty(a) || rect_is_empty(b) || x1 <= x0 || y1 <= y0) {
		*ret = (struct rect){ 0, 0, 0, 0 };
		return false;
	}

	*ret = (struct rect){ (int32_t)x0, (int32_t)y0, clamp32(x1 - x0), clamp32(y1 - y0) };
	return true;
}

struct rect rect_union(const struct rect *a, const struct rect *b)
{
	if (rect_is_empty(a))
		return rect_is_empty(b) ? (struct rect){ 0, 0, 0, 0 } : *b;
	if (rect_is_empty(b))
		return *a;

	int64_t x0 = min64(a->x, b->x), y0 = min64(a->y, b->y);
	int64_t x1 = max64((int64_t)a->x + a->w, (int64_t)b->x + b->w);
	int64_t y1 = max64((int64_t)a->y + a->h, (int64_t)b->y + b->h);

	return (struct rect){ (int32_t)x0, (int32_t)y0, clamp32(x1 - x0), clamp32(y1 - y0) };
}

bool rect_contains(const struct rect *outer, const struct rect *inner)
{
	if (rect_is_empty(inner))
		return true;

	return inner->x >= outer->x && inner->y >= outer->y &&
	       (int64_t)inner->x + inner->w <= (int64_t)outer->x + outer->w &&
	       (int64_t)inner->y + inner->h <= (int64_t)outer->y + outer->h;
}

int64_t rect_area(const struct rect *r)
{
	return rect_is_empty(r) ? 0 : (int64_t)r->w * r->h;
}
