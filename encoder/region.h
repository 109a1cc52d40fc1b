/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A region: a short list of rectangles with a ceiling. Rectangles that hold or nearly fill each other are
 * joined; when the list is full the cheapest pair is joined, so a region always covers everything that was
 * added, sometimes a little more.
 */
#pragma once

#include "encoder/rect.h"

#define REGION_RECTS_MAX 32

struct region {
	struct rect rects[REGION_RECTS_MAX];
	size_t len;
};

void region_clear(struct region *g);

/* Adds r (empty ones count for nothing), joining where the hull wastes no more than an eighth. */
void region_add(struct region *g, const struct rect *r);

/* Joins the cheapest pairs until at most n rectangles are left; n is at least 1. */
void region_limit(struct region *g, size_t n);

/* True when one of the rectangles shares a pixel with r. */
bool region_touches(const struct region *g, const struct rect *r);
