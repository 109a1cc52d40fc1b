/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window: delivery rate (a decaying maximum) × smallest turn-around × 1.25. */
#include "protocol/front/ws/pacing.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define WINDOW_MIN (32u * 1024)
#define WINDOW_START (256u * 1024)        /* until the first rate is known */
#define WINDOW_MAX (32u * 1024 * 1024)
#define BUDGET_MIN (16u * 1024)
#define FRAMES_MIN 2
#define RTT_MIN_LIFE_US (10u * 1000 * 1000)
#define RATE_LIFE_US (2u * 1000 * 1000)   /* an unconfirmed maximum gives way after this */

void pacing_init(struct pacing *p)
{
	memset(p, 0, sizeof(*p));
}

static uint64_t window(const struct pacing *p)
{
	if (p->rate == 0 || p->rtt_min_us == 0)
		return WINDOW_START;

	/* rate < 2^40 and rtt < 2^32 by the clamps below, so that the product fits. */
	uint64_t bdp = p->rate * p->rtt_min_us / 1000000;

	return PST_CLAMP(bdp + bdp / 4, (uint64_t)WINDOW_MIN, (uint64_t)WINDOW_MAX);
}

bool pacing_can_send(const struct pacing *p)
{
	if (p->len < FRAMES_MIN)
		return true;
	return p->len < PACING_FRAMES_MAX && p->in_flight < window(p);
}

uint64_t pacing_budget(const struct pacing *p)
{
	uint64_t w = window(p);

	return p->in_flight + BUDGET_MIN < w ? w - p->in_flight : BUDGET_MIN;
}

void pacing_sent(struct pacing *p, uint32_t sequence, uint64_t bytes, uint64_t now_us)
{
	PRE(p->len < PACING_FRAMES_MAX);
	struct pacing_frame *f = &p->frames[(p->head + p->len) % PACING_FRAMES_MAX];

	if (p->len == 0)
		p->delivered_us = now_us; /* nothing was under way: idle time is no part of a rate */
	p->in_flight += bytes;
	*f = (struct pacing_frame){
		.sequence = sequence,
		.bytes = bytes,
		.sent_us = now_us,
		.delivered = p->delivered,
		.delivered_us = p->delivered_us,
		.was_limited = p->in_flight * 2 >= window(p),
	};
	p->len++;
}

static void note_rtt(struct pacing *p, uint64_t turn_us, uint32_t decode_us, uint64_t now_us)
{
	uint64_t rtt = turn_us > decode_us ? turn_us - decode_us : 1;

	turn_us = PST_CLAMP(turn_us, (uint64_t)1, (uint64_t)UINT32_MAX);
	p->rtt_us = p->rtt_us ? (p->rtt_us * 7 + rtt) / 8 : rtt;
	if (p->rtt_min_us == 0 || turn_us <= p->rtt_min_us || now_us - p->rtt_min_at > RTT_MIN_LIFE_US) {
		p->rtt_min_us = turn_us;
		p->rtt_min_at = now_us;
	}
}

/* A sample of a path that was not full only shows that it can do at least this much. */
static void note_rate(struct pacing *p, const struct pacing_frame *f, uint64_t now_us)
{
	uint64_t since = PST_MAX(now_us - f->delivered_us, now_us - f->sent_us);

	if (since == 0)
		since = 1;
	uint64_t rate = PST_MIN((p->delivered - f->delivered) * 1000000 / since, (uint64_t)1 << 36);

	if (rate >= p->rate) {
		p->rate = rate;
		p->rate_us = now_us;
	} else if (f->was_limited && now_us - p->rate_us > RATE_LIFE_US) {
		p->rate = (p->rate * 3 + rate) / 4;
		p->rate_us = now_us - RATE_LIFE_US / 2;
	}
}

bool pacing_acked(struct pacing *p, uint32_t sequence, uint32_t decode_us, uint64_t now_us)
{
	size_t n = 0;

	while (n < p->len && p->frames[(p->head + n) % PACING_FRAMES_MAX].sequence != sequence)
		n++;
	if (n == p->len)
		return false;

	struct pacing_frame last = p->frames[(p->head + n) % PACING_FRAMES_MAX];

	for (size_t i = 0; i <= n; i++) {
		uint64_t bytes = p->frames[p->head].bytes;

		p->head = (p->head + 1) % PACING_FRAMES_MAX;
		p->len--;
		p->in_flight -= bytes;
		p->delivered += bytes;
	}
	p->delivered_us = now_us;
	note_rtt(p, now_us - last.sent_us, decode_us, now_us);
	note_rate(p, &last, now_us);
	return true;
}
