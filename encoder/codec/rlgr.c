/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RLGR3; see rlgr.h. Two parameters adapt: k for runs of zeros (0: pairs of numbers instead), kr for the Golomb-Rice code of a number. Both
 * are kept eight times as fine as they are used.
 */
#include "encoder/codec/rlgr.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

#define FINE 3 /* bits below those that are used */
#define FINE_MAX 80
#define AFTER_RUN 4
#define AFTER_NUMBER 6
#define AFTER_PAIR 6 /* of zeros up, of others down */

struct rlgr {
	uint8_t *at, *end;
	uint64_t held;
	unsigned len;
	bool is_full;
	int run, number; /* k and kr, fine */
};

static void put_bits(struct rlgr *g, uint32_t value, unsigned n)
{
	g->held = g->held << n | value;
	g->len += n;
	while (g->len >= 8) {
		g->is_full |= g->at == g->end;
		if (g->is_full)
			return;
		g->len -= 8;
		*g->at++ = (uint8_t)(g->held >> g->len);
	}
}

static void adapt(int *fine, int by)
{
	*fine = PST_CLAMP(*fine + by, 0, FINE_MAX);
}

static void put_golomb_rice(struct rlgr *g, uint32_t value)
{
	unsigned kr = (unsigned)g->number >> FINE;
	uint32_t ones = value >> kr;
	for (uint32_t left = ones; left > 0 && !g->is_full; left -= PST_MIN(left, 24u)) {
		unsigned n = PST_MIN(left, 24u);
		put_bits(g, (1u << n) - 1, n);
	}
	put_bits(g, 0, 1);
	put_bits(g, value & ((1u << kr) - 1), kr);
	if (ones == 0)
		adapt(&g->number, -2);
	else if (ones > 1)
		adapt(&g->number, (int)PST_MIN(ones, (uint32_t)FINE_MAX));
}

/* Zeros and the number behind them. Returns how many coefficients that were. */
static size_t put_run(struct rlgr *g, const int16_t *data, size_t n)
{
	size_t zeros = 0;
	while (zeros < n - 1 && data[zeros] == 0)
		zeros++;
	uint32_t left = (uint32_t)zeros;
	while (left >= 1u << (g->run >> FINE)) {
		put_bits(g, 0, 1);
		left -= 1u << (g->run >> FINE);
		adapt(&g->run, AFTER_RUN);
	}
	put_bits(g, 1, 1);
	put_bits(g, left, (unsigned)g->run >> FINE);
	/* A zero at the very end is written as a one: the code has no other way to end. */
	uint32_t size = (uint32_t)abs(data[zeros]);
	put_bits(g, data[zeros] < 0, 1);
	put_golomb_rice(g, size ? size - 1 : 0);
	adapt(&g->run, -AFTER_NUMBER);
	return zeros + 1;
}

/* Twice the size, less one for negative numbers. */
static uint32_t folded(int16_t v)
{
	return v >= 0 ? 2 * (uint32_t)v : 2 * (uint32_t)-v - 1;
}

static size_t put_pair(struct rlgr *g, const int16_t *data, size_t n)
{
	uint32_t a = folded(data[0]), b = n > 1 ? folded(data[1]) : 0;
	put_golomb_rice(g, a + b);
	if (a + b > 0)
		put_bits(g, a, 32 - (unsigned)__builtin_clz(a + b));
	if (a && b)
		adapt(&g->run, -AFTER_PAIR);
	else if (!a && !b)
		adapt(&g->run, AFTER_PAIR);
	return PST_MIN(n, (size_t)2);
}

size_t rlgr3_encode(const int16_t *data, size_t n, uint8_t *out, size_t max)
{
	struct rlgr g = { .at = out, .end = out + max, .run = 1 << FINE, .number = 1 << FINE };
	for (size_t i = 0; i < n && !g.is_full;)
		i += g.run >> FINE ? put_run(&g, data + i, n - i) : put_pair(&g, data + i, n - i);
	put_bits(&g, 0, (8 - g.len % 8) % 8);
	return g.is_full ? 0 : (size_t)(g.at - out);
}
