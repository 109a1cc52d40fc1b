/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An X region lists its rectangles in bands from top to bottom, so neighbours in the list are neighbours on
 * the screen. */
#include "agent/capture/merge.h"

#include "base/mem.h"

/* A message costs 8 bytes a rectangle, a needless pixel some hashing: joining may waste this many pixels, or
 * an eighth. */
#define WASTE_PIXELS 1024
#define WASTE_SHARE 8

static bool clip(struct rect *r, int32_t width, int32_t height)
{
	int32_t x2 = PST_MIN(r->x + r->w, width), y2 = PST_MIN(r->y + r->h, height);

	r->x = PST_MAX(r->x, 0);
	r->y = PST_MAX(r->y, 0);
	r->w = x2 - r->x;
	r->h = y2 - r->y;
	return r->w > 0 && r->h > 0;
}

static struct rect join(const struct rect *a, const struct rect *b)
{
	int32_t x = PST_MIN(a->x, b->x), y = PST_MIN(a->y, b->y);

	return (struct rect){ x, y, PST_MAX(a->x + a->w, b->x + b->w) - x,
		PST_MAX(a->y + a->h, b->y + b->h) - y };
}

static int64_t area(const struct rect *r)
{
	return (int64_t)r->w * r->h;
}

static bool is_worth_joining(const struct rect *a, const struct rect *b)
{
	struct rect u = join(a, b);
	int64_t waste = area(&u) - area(a) - area(b);

	return waste <= WASTE_PIXELS || waste <= area(&u) / WASTE_SHARE;
}

static size_t join_neighbours(struct rect *rects, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && is_worth_joining(&rects[kept - 1], &rects[i]))
			rects[kept - 1] = join(&rects[kept - 1], &rects[i]);
		else
			rects[kept++] = rects[i];
	}
	return kept;
}

static size_t join_pairs(struct rect *rects, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i += 2)
		rects[kept++] = i + 1 < n ? join(&rects[i], &rects[i + 1]) : rects[i];
	return kept;
}

size_t merge_rects(struct rect *rects, size_t n, int32_t width, int32_t height, size_t max)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (clip(&rects[i], width, height))
			rects[kept++] = rects[i];
	kept = join_neighbours(rects, kept);
	while (kept > max)
		kept = join_pairs(rects, kept);
	return kept;
}
