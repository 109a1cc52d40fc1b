/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Averages by sort, in whole numbers. */
#include "encoder/cost.h"

#include <string.h>

#include "base/mem.h"

#define HEADER 16    /* bytes of an operation without its pixels, whatever the wire */
#define UNIT 1024    /* pixels that a rate is for */
#define FRACTION 64  /* a rate's unit is one byte's part */
#define AREA_MIN 512 /* less of it says nothing of the average: headers weigh too much */
#define WEIGHT                                                                                            \
	4 /* a frame of one sort moves the average by a fourth of the way, the first ones by more: before \
	     them it is a guess */
#define RATE_MIN 8
#define RATE_MAX (UNIT * FRACTION * 4)

void cost_init(struct cost *c)
{
	*c = (struct cost){ .rate = {
				    [COST_FLAT] = UNIT * FRACTION / 32,
				    [COST_TEXT] = UNIT * FRACTION / 10,
				    [COST_PICTURE] = UNIT * FRACTION * 2,
				    [COST_LOSSY] = UNIT * FRACTION / 5,
			    } };
}

enum cost_sort cost_sort_of(uint8_t klass, bool is_lossy)
{
	if (is_lossy)
		return COST_LOSSY;
	return klass == OP_CLASS_FLAT ? COST_FLAT : klass == OP_CLASS_TEXT ? COST_TEXT : COST_PICTURE;
}

static uint64_t pixels_cost(const struct cost *c, enum cost_sort sort, uint64_t area)
{
	return area * c->rate[sort] / UNIT / FRACTION;
}

uint64_t cost_guess(const struct cost *c, enum cost_sort sort, int64_t area)
{
	return HEADER + pixels_cost(c, sort, (uint64_t)area);
}

void cost_scale(struct cost *c, enum cost_sort sort, uint32_t parts, uint32_t of)
{
	c->rate[sort] = (uint32_t)PST_CLAMP((int64_t)c->rate[sort] * parts / of, RATE_MIN, RATE_MAX);
}

void cost_begin(struct cost *c)
{
	memset(c->area, 0, sizeof(c->area));
	c->fixed = 0;
}

void cost_add(struct cost *c, const struct op *op)
{
	c->fixed += HEADER;
	if (op->kind == OP_VIDEO)
		c->fixed += op->video.len;
	else if (op->kind == OP_LOSSLESS || op->kind == OP_LOSSY)
		c->area[cost_sort_of((uint8_t)op->klass, op->kind == OP_LOSSY)] +=
			(uint64_t)rect_area(&op->rect);
}

/* Every sort moves by its share: a frame of two sorts tells less of each. */
void cost_learn(struct cost *c, uint64_t bytes)
{
	uint64_t pixels = bytes > c->fixed ? bytes - c->fixed : 0, guess[COST_SORTS], sum = 0;

	for (int i = 0; i < COST_SORTS; i++) {
		guess[i] = pixels_cost(c, (enum cost_sort)i, c->area[i]);
		sum += guess[i];
	}
	for (int i = 0; i < COST_SORTS && sum; i++) {
		/* What the sort would have had by its share of the guess. */
		uint64_t rate = c->area[i] < AREA_MIN ? 0 : (uint64_t)c->rate[i] * pixels / sum;
		int64_t way = ((int64_t)rate - (int64_t)c->rate[i]) * (int64_t)guess[i] / (int64_t)sum;

		if (c->area[i] < AREA_MIN)
			continue;
		c->seen[i] = (uint8_t)PST_MIN(c->seen[i] + 1, WEIGHT);
		c->rate[i] = (uint32_t)PST_CLAMP((int64_t)c->rate[i] + way / c->seen[i], RATE_MIN, RATE_MAX);
	}
	cost_begin(c);
}
