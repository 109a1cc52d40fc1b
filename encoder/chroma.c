/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blue and red less green stand for the chroma; a pair of rows in sixteen stands for all, each time another
 * one: lines of text have a pitch, too. */
#include "encoder/chroma.h"

#include <stdlib.h>

#define STEP 16 /* rows */
#define TURN 6  /* how much further down in its step each pair lies than the one before */

static int32_t blue(uint32_t px)
{
	return (int32_t)(px & 255) - (int32_t)(px >> 8 & 255);
}

static int32_t red(uint32_t px)
{
	return (int32_t)(px >> 16 & 255) - (int32_t)(px >> 8 & 255);
}

/* Four times each one's distance from the mean of the four. */
static uint32_t spread(const int32_t v[4])
{
	int32_t sum = v[0] + v[1] + v[2] + v[3];

	return (uint32_t)(abs(4 * v[0] - sum) + abs(4 * v[1] - sum) + abs(4 * v[2] - sum) +
			  abs(4 * v[3] - sum));
}

static uint64_t loss_of_rows(const uint32_t *a, const uint32_t *b, int32_t n)
{
	uint64_t loss = 0;

	for (int32_t x = 0; x + 1 < n; x += 2) {
		const int32_t blues[4] = { blue(a[x]), blue(a[x + 1]), blue(b[x]), blue(b[x + 1]) };
		const int32_t reds[4] = { red(a[x]), red(a[x + 1]), red(b[x]), red(b[x + 1]) };

		loss += spread(blues) + spread(reds);
	}
	return loss;
}

uint32_t chroma_loss(const struct pixmap *p, const struct rect *r)
{
	uint64_t loss = 0, values = 0;

	for (int32_t i = 0; i * STEP < r->h; i++) {
		int32_t y = i * STEP + i * TURN % STEP;

		if (y + 1 >= r->h)
			continue;
		loss += loss_of_rows(pixmap_at(p, r->x, r->y + y), pixmap_at(p, r->x, r->y + y + 1), r->w);
		values += (uint64_t)(r->w / 2) * 8;
	}
	return values ? (uint32_t)(loss * 4 / values) : 0;
}
