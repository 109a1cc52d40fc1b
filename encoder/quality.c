/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames against quality, in whole numbers: the same on every machine. */
#include "encoder/quality.h"

#include <stdbool.h>

#include "base/mem.h"

#define SHARE_PCT 75         /* of the path: the rest is for text, echo, and what was guessed too low */
#define ALL_FRAMES_FROM 40   /* below it fewer frames are put up with: */
#define NO_FRAMES_AT 10      /* … down to none here */
#define RISE_AFTER_NS 500000000ull
#define RISE_PCT 115         /* it rises where there is room for so much of what is needed */

uint32_t quality_weight(uint8_t quality)
{
	/* A film through the JPEG of encoder/codec/jpeg.c, at each fifth quality. */
	static const uint16_t weights[] = { 9, 10, 13, 16, 20, 24, 28, 31, 35, 38, 41, 45, 48, 54, 60, 67, 76, 92, 121, 170, 250 };
	uint32_t low = quality / QUALITY_STEP, part = quality % QUALITY_STEP;

	if (low + 1 >= PST_ARRAY_LEN(weights))
		return weights[PST_ARRAY_LEN(weights) - 1];
	return weights[low] + (weights[low + 1] - weights[low]) * part / QUALITY_STEP;
}

/* Percent of the frames that a quality is worth. */
static uint64_t wanted_pct(uint8_t quality)
{
	return quality >= ALL_FRAMES_FROM ? 100 : (uint64_t)(quality - NO_FRAMES_AT) * 100 / (ALL_FRAMES_FROM - NO_FRAMES_AT);
}

/* Whether the path carries the frames that this quality is worth, with some percent of room. */
static bool fits(const struct quality *q, uint8_t quality, const struct quality_load *load, uint64_t pct)
{
	uint64_t path = load->rate_kbps * UINT64_C(125) * SHARE_PCT / 100;
	uint64_t px_bytes = load->px_bytes * quality_weight(quality) / quality_weight(q->now);

	return path >= (load->px_per_s * wanted_pct(quality) / 100 * px_bytes >> 16) * pct / 100;
}

static uint8_t lower_until_it_fits(const struct quality *q, uint8_t quality, const struct quality_load *load)
{
	while (quality > QUALITY_MIN && !fits(q, quality, load, 100))
		quality = (uint8_t)PST_MAX((quality - 1) / QUALITY_STEP * QUALITY_STEP, QUALITY_MIN);
	return quality;
}

uint8_t quality_next(struct quality *q, uint8_t ceiling, const struct quality_load *load, uint64_t now_ns)
{
	uint8_t before = q->now, higher = (uint8_t)PST_MIN(q->now + QUALITY_STEP, ceiling);

	if (!q->now || !load->px_per_s || !load->rate_kbps || ceiling < QUALITY_MIN)
		q->now = ceiling;
	else if (q->now > ceiling || !fits(q, q->now, load, 100))
		q->now = lower_until_it_fits(q, (uint8_t)PST_MIN(q->now, ceiling), load);
	else if (now_ns - q->changed_ns > RISE_AFTER_NS && fits(q, higher, load, RISE_PCT))
		q->now = higher;
	if (q->now != before)
		q->changed_ns = now_ns;
	return q->now;
}
