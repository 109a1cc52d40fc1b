/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bounded list of rectangles that covers what was added. */
#include "encoder/region.h"

/* Pixels that the hull of both covers and neither does (overlap counts in favour). */
static int64_t join_waste(const struct rect *a, const struct rect *b)
{
	struct rect hull = rect_union(a, b), common;

	rect_intersect(a, b, &common);
	return rect_area(&hull) - rect_area(a) - rect_area(b) + rect_area(&common);
}

static void remove_at(struct region *g, size_t i)
{
	g->rects[i] = g->rects[--g->len];
}

static bool is_worth_joining(const struct rect *a, const struct rect *b)
{
	return join_waste(a, b) * 8 <= rect_area(a) + rect_area(b);
}

static void join_cheapest(struct region *g)
{
	size_t best_i = 0, best_j = 1;
	int64_t best = INT64_MAX;

	for (size_t i = 0; i < g->len; i++) {
		for (size_t j = i + 1; j < g->len; j++) {
			int64_t waste = join_waste(&g->rects[i], &g->rects[j]);

			if (waste < best) {
				best = waste;
				best_i = i;
				best_j = j;
			}
		}
	}
	g->rects[best_i] = rect_union(&g->rects[best_i], &g->rects[best_j]);
	remove_at(g, best_j);
}

void region_clear(struct region *g)
{
	g->len = 0;
}

void region_add(struct region *g, const struct rect *r)
{
	struct rect cur = *r;

	if (rect_is_empty(r))
		return;

	/* A grown rectangle may now reach another one: start over until none joins. At most len rounds. */
	for (size_t i = 0; i < g->len;) {
		if (is_worth_joining(&g->rects[i], &cur)) {
			cur = rect_union(&g->rects[i], &cur);
			remove_at(g, i);
			i = 0;
		} else {
			i++;
		}
	}
	if (g->len == REGION_RECTS_MAX)
		join_cheapest(g);
	g->rects[g->len++] = cur;
}

void region_limit(struct region *g, size_t n)
{
	while (g->len > n && g->len > 1)
		join_cheapest(g);
}

bool region_touches(const struct region *g, const struct rect *r)
{
	struct rect common;

	for (size_t i = 0; i < g->len; i++)
		if (rect_intersect(&g->rects[i], r, &common))
			return true;
	return false;
}
