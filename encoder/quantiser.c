/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cost and bucket, in whole numbers: the same on every machine. */
#include "encoder/quantiser.h"

#include "base/mem.h"

#define FRAMES_PER_S 30 /* a guess: frames come when the screen changes */
#define BUCKET_MS 40 /* what one frame may take at most, so that little waits behind it */
#define VIDEO_SHARE_PCT 65 /* the rest is for text, input echo and audio */
#define RATE_MIN_KBPS 200
#define COST_MIN 300    /* bits a pixel in 1/1024: there QUANTISER_MIN is right */
#define FOLLOW_MAX 30  /* as far as cost alone raises it: beyond, grain and leaves become mud */
#define FALL_STEPS 3   /* it falls by this or not at all, */
#define FALL_FRAMES 15 /* and at most each so many frames */

static int64_t bucket_size(const struct quantiser *q)
{
	return q->frame_bits * FRAMES_PER_S * BUCKET_MS / 1000;
}

void quantiser_set_rate(struct quantiser *q, uint32_t rate_kbps)
{
	int64_t kbps = PST_MAX((int64_t)rate_kbps * VIDEO_SHARE_PCT / 100, (int64_t)RATE_MIN_KBPS);

	q->frame_bits = rate_kbps ? kbps * 1000 / FRAMES_PER_S : 0;
}

/* A step makes a frame a ninth smaller. */
static int64_t steps_down(int64_t bits, int32_t steps)
{
	for (; steps > 0; steps--)
		bits = bits * 8 / 9;
	return bits;
}

static int64_t steps_up(int64_t bits, int32_t steps)
{
	for (; steps > 0 && bits < INT64_MAX / 16; steps--)
		bits = bits * 9 / 8;
	return bits;
}

void quantiser_init(struct quantiser *q, int32_t width, int32_t height, uint32_t rate_kbps)
{
	*q = (struct quantiser){ .area = (int64_t)width * height, .cost = 2 * COST_MIN };
	/* A guess: a bit a pixel at 26. */
	q->key_bits = steps_up(q->area, 26 - QUANTISER_MIN);
	quantiser_set_rate(q, rate_kbps);
}

/* A third of a doubling of the cost is a step. */
static int32_t follow_cost(const struct quantiser *q)
{
	int64_t limit = COST_MIN;
	int32_t qp = QUANTISER_MIN;

	for (; q->cost > limit && qp < FOLLOW_MAX; qp++)
		limit = limit * 5 / 4;
	return qp;
}

/* The quantiser from qp on at which a frame like the last ones fits into what is left of the bucket. */
static int32_t fit(const struct quantiser *q, int32_t qp, bool is_key)
{
	int64_t bits = steps_down(is_key ? q->key_bits : q->late_bits, qp - QUANTISER_MIN);
	int64_t room = PST_MAX(bucket_size(q) - (is_key ? 0 : q->bucket_bits), q->frame_bits / 4);

	for (; q->frame_bits && bits > room && qp < QUANTISER_MAX; qp++)
		bits = bits * 8 / 9;
	return qp;
}

uint8_t quantiser_next(struct quantiser *q, bool is_key)
{
	int32_t want = fit(q, follow_cost(q), is_key);

	q->since_fall++;
	if (is_key || want > q->qp + 1 || (q->frame_bits && want > q->qp)) {
		q->qp = (uint8_t)want;
	} else if (want <= q->qp - FALL_STEPS && q->since_fall >= FALL_FRAMES) {
		/* Half of the way: what a finer quantiser costs is known when it is tried. */
		q->qp = (uint8_t)((q->qp + want + 1) / 2);
		q->since_fall = 0;
	}
	return q->qp;
}

void quantiser_note(struct quantiser *q, size_t bytes, bool is_key)
{
	int64_t bits = (int64_t)bytes * 8, plain = steps_up(bits, q->qp - QUANTISER_MIN);

	q->bucket_bits = PST_CLAMP(q->bucket_bits + bits - q->frame_bits, 0, 4 * bucket_size(q));
	/* The frame with which it falls does all that is still once more: it says nothing of the others. */
	if (!is_key && !q->since_fall)
		return;
	/* What grows is believed at once. */
	if (is_key)
		q->key_bits = PST_MAX(plain, (q->key_bits + plain) / 2);
	else
		q->late_bits = PST_MAX(plain, (q->late_bits * 7 + plain) / 8);
	if (!is_key) /* a key frame says little of the ones that follow */
		q->cost = (q->cost * 3 + bits * 1024 / q->area) / 4;
}
