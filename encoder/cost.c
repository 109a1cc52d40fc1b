/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Averages by sort and manner, in whole numbers, and the smaller sum of path and weighted processor. */
#include "encoder/cost.h"

#include <string.h>

#include "base/mem.h"

#define HEADER 16    /* bytes of an operation without its pixels, whatever the wire */
#define UNIT 1024    /* pixels that a rate is for */
#define FRACTION 64  /* a rate's unit is one byte's part */
#define AREA_MIN 512 /* less of it says nothing of the average: headers weigh too much */
#define WEIGHT 4     /* a frame of one sort moves the average by a fourth of the way, the first ones by more: before them it is a guess */
#define RATE_MIN 8
#define RATE_MAX (UNIT * FRACTION * 4)
#define TIME_MIN 16
#define TIME_MAX (UNIT * 1000)
#define TOOK_MAX (UINT64_C(1) << 33) /* bytes or nanoseconds of a frame: no product of them is too large */
#define CPU_WEIGHT 2           /* the processor has other sessions: its time counts so many times the path's */
#define DEADLINE_NS 20000000ull /* a frame's coding takes no longer for the sake of bytes */
#define TRIAL_EACH 256 /* frames of a sort, after which the other manner is tried */
#define STAY 16        /* frames for which a manner is kept: one alone may have another picture */

void cost_init(struct cost *c)
{
	*c = (struct cost){
		.rate = {
			[COST_FLAT] = { UNIT * FRACTION / 32, UNIT * FRACTION / 32 },
			[COST_TEXT] = { UNIT * FRACTION / 10, UNIT * FRACTION * 19 / 200 },
			[COST_PICTURE] = { UNIT * FRACTION * 2, UNIT * FRACTION * 2 },
			[COST_LOSSY] = { UNIT * FRACTION / 5, UNIT * FRACTION * 3 / 20 },
		},
		.time = {
			[COST_FLAT] = { UNIT, UNIT },
			[COST_TEXT] = { UNIT * 10, UNIT * 13 },
			[COST_PICTURE] = { UNIT * 30, UNIT * 30 },
			[COST_LOSSY] = { UNIT * 3, UNIT * 6 },
		},
	};
}

enum cost_sort cost_sort_of(uint8_t klass, bool is_lossy)
{
	if (is_lossy)
		return COST_LOSSY;
	return klass == OP_CLASS_FLAT ? COST_FLAT : klass == OP_CLASS_TEXT ? COST_TEXT : COST_PICTURE;
}

static uint64_t bytes_of(const struct cost *c, int sort, int manner, uint64_t area)
{
	return area * c->rate[sort][manner] / UNIT / FRACTION;
}

static uint64_t ns_of(const struct cost *c, int sort, int manner, uint64_t area)
{
	return area * c->time[sort][manner] / UNIT;
}

uint64_t cost_guess(const struct cost *c, enum cost_sort sort, int64_t area)
{
	return HEADER + bytes_of(c, sort, c->manner[sort], (uint64_t)area);
}

uint64_t cost_guess_ns(const struct cost *c, enum cost_sort sort, int64_t area)
{
	return ns_of(c, sort, c->manner[sort], (uint64_t)area);
}

static void scale(uint32_t *value, uint64_t parts, uint64_t of, uint32_t least, uint32_t most)
{
	uint64_t scaled = *value * parts / PST_MAX(of, UINT64_C(1));

	*value = (uint32_t)PST_CLAMP(scaled, (uint64_t)least, (uint64_t)most);
}

void cost_scale(struct cost *c, enum cost_sort sort, uint32_t parts, uint32_t of)
{
	for (int m = 0; m < COST_MANNERS; m++)
		scale(&c->rate[sort][m], parts, of, RATE_MIN, RATE_MAX);
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

/* What the frame's pixels of a sort cost in a manner: the path's time and the weighted processor's. */
static uint64_t price(const struct cost *c, int sort, int manner, uint32_t rate_kbps)
{
	return bytes_of(c, sort, manner, c->area[sort]) * 8000000 / rate_kbps + CPU_WEIGHT * ns_of(c, sort, manner, c->area[sort]);
}

/* The manner that costs less; nothing that a frame has no time for. */
static enum cost_manner cheaper(const struct cost *c, int sort, uint32_t rate_kbps)
{
	bool is_late = ns_of(c, sort, COST_THRIFTY, c->area[sort]) > DEADLINE_NS;

	return !is_late && price(c, sort, COST_THRIFTY, rate_kbps) < price(c, sort, COST_PLAIN, rate_kbps) ? COST_THRIFTY : COST_PLAIN;
}

void cost_choose(struct cost *c, uint32_t rate_kbps)
{
	for (int i = 0; i < COST_SORTS; i++) {
		enum cost_manner manner;

		if (c->area[i] < AREA_MIN || (rate_kbps && c->since[i] < STAY))
			continue;
		manner = rate_kbps ? cheaper(c, i, rate_kbps) : COST_PLAIN;
		if (rate_kbps && ++c->until_trial[i] >= TRIAL_EACH && ns_of(c, i, COST_THRIFTY, c->area[i]) <= DEADLINE_NS) {
			manner = manner == COST_PLAIN ? COST_THRIFTY : COST_PLAIN;
			c->until_trial[i] = 0;
		}
		if (manner != c->manner[i]) {
			c->manner[i] = (uint8_t)manner;
			c->since[i] = 0;
			c->spans[i][manner] = (struct cost_span){ 0 };
		}
	}
}

static void add_span(struct cost_span *s, uint64_t px, uint64_t bytes, uint64_t ns)
{
	s->px += px - s->px / STAY;
	s->bytes += bytes - s->bytes / STAY;
	s->ns += ns - s->ns / STAY;
}

/* What the other manner took of this one's, a fourth of the way. */
static void compare(uint32_t values[COST_MANNERS], int manner, uint64_t took, uint64_t px, uint64_t other_took, uint64_t other_px, uint32_t least, uint32_t most)
{
	uint32_t seen = values[manner], before = values[!manner];

	if (!took || !other_took || !other_px)
		return;
	scale(&seen, other_took * px / other_px, took, least, most);
	values[!manner] = (before * (WEIGHT - 1) + seen) / WEIGHT;
}

/* When a manner has been kept for a while, what it took is compared with what the other one took before. */
static void note_span(struct cost *c, int sort, uint64_t bytes, uint64_t ns)
{
	int m = c->manner[sort];
	struct cost_span *s = &c->spans[sort][m], *other = &c->spans[sort][!m];

	add_span(s, c->area[sort], bytes, ns);
	if (++c->since[sort] != STAY)
		return;
	compare(c->rate[sort], m, s->bytes, s->px, other->bytes, other->px, RATE_MIN, RATE_MAX);
	compare(c->time[sort], m, s->ns, s->px, other->ns, other->px, TIME_MIN, TIME_MAX);
}

/* A value moves by its sort's share of the frame and the weight's part of the way, and the other manner's with it: one of two sorts tells less of each. Returns what was the sort's. */
static uint64_t learn(uint32_t values[COST_MANNERS], int manner, uint64_t took, uint64_t guess, uint64_t sum, uint8_t weight, uint32_t least, uint32_t most)
{
	int64_t now = values[manner], seen = (int64_t)((uint64_t)now * took / sum), way = (seen - now) * (int64_t)guess / (int64_t)sum / weight;
	uint64_t next = (uint64_t)PST_CLAMP(now + way, (int64_t)least, (int64_t)most);

	scale(&values[!manner], next, (uint64_t)now, least, most);
	values[manner] = (uint32_t)next;
	return guess * took / sum;
}

void cost_learn(struct cost *c, uint64_t bytes, uint64_t cpu_ns)
{
	uint64_t pixels = bytes > c->fixed ? PST_MIN(bytes - c->fixed, TOOK_MAX) : 0, guess[COST_SORTS], ns[COST_SORTS], sum = 0, ns_sum = 0;

	for (int i = 0; i < COST_SORTS; i++) {
		guess[i] = bytes_of(c, i, c->manner[i], c->area[i]);
		ns[i] = ns_of(c, i, c->manner[i], c->area[i]);
		sum += guess[i];
		ns_sum += ns[i];
	}
	for (int i = 0; i < COST_SORTS && sum; i++) {
		uint8_t m = c->manner[i];
		uint64_t took_ns = 0, took;

		if (c->area[i] < AREA_MIN)
			continue;
		/* Films differ from picture to picture: the first one says less of them. */
		c->seen[i] = i == COST_LOSSY ? WEIGHT : (uint8_t)PST_MIN(c->seen[i] + 1, WEIGHT);
		took = learn(c->rate[i], m, pixels, guess[i], sum, c->seen[i], RATE_MIN, RATE_MAX);
		if (cpu_ns && ns_sum)
			took_ns = learn(c->time[i], m, PST_MIN(cpu_ns, TOOK_MAX), ns[i], ns_sum, WEIGHT, TIME_MIN, TIME_MAX);
		note_span(c, i, took, took_ns);
	}
	cost_begin(c);
}
