/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of frames in flight; see window.h. */
#include "protocol/front/window.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define BYTES_MIN (128u * 1024)      /* before anything is known: about 10 ms at 100 Mbit/s */
#define BYTES_MAX (16u * 1024 * 1024)
#define RTT_MIN_AGE_NS 10000000000ull /* a smaller round trip is believed for 10 s */

void window_init(struct window *w)
{
	memset(w, 0, sizeof(*w));
}

static uint64_t best_rate(const struct window *w)
{
	uint64_t best = 0;
	for (int i = 0; i < WINDOW_SAMPLES; i++)
		best = PST_MAX(best, w->rates[i]);
	return best;
}

uint64_t window_bytes(const struct window *w)
{
	/* rate × rtt in 128 bits would be exact; a rate below 2^40 B/s and an rtt below 2^24 µs fit 64 bits. */
	uint64_t rtt_us = PST_MIN(w->rtt_min_ns / 1000, 1ull << 24);
	uint64_t rate = PST_MIN(best_rate(w), 1ull << 39);
	uint64_t bdp = rate * rtt_us / 1000000;
	return PST_CLAMP(bdp + bdp / 4, (uint64_t)BYTES_MIN, (uint64_t)BYTES_MAX);
}

bool window_is_open(const struct window *w)
{
	return w->len < WINDOW_FRAMES_MAX && (w->len == 0 || w->in_flight < window_bytes(w));
}

void window_sent(struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns)
{
	PRE(w->len < WINDOW_FRAMES_MAX);
	w->frames[(w->first + w->len++) % WINDOW_FRAMES_MAX] =
		(struct window_frame){ sequence, bytes, now_ns, w->delivered };
	w->newest = sequence;
	w->in_flight += bytes;
	w->frames_sent++;
}

static void note_rtt(struct window *w, uint64_t rtt_ns, uint64_t now_ns)
{
	w->rtt_last_ns = rtt_ns;
	if (w->rtt_min_ns == 0 || rtt_ns < w->rtt_min_ns || now_ns - w->rtt_min_at_ns > RTT_MIN_AGE_NS) {
		w->rtt_min_ns = PST_MAX(rtt_ns, (uint64_t)1);
		w->rtt_min_at_ns = now_ns;
	}
}

static void retire(struct window *w, uint64_t now_ns)
{
	struct window_frame f = w->frames[w->first];
	w->first = (w->first + 1) % WINDOW_FRAMES_MAX;
	w->len--;
	w->in_flight -= f.bytes;
	w->delivered += f.bytes;
	w->frames_acked++;
	uint64_t took_ns = now_ns > f.sent_ns ? now_ns - f.sent_ns : 1;
	note_rtt(w, took_ns, now_ns);
	/* Small frames say nothing about bandwidth. */
	uint64_t bytes = w->delivered - f.delivered_at_send;
	if (bytes < 8192)
		return;
	w->rates[w->next_rate] = bytes * 1000000 / PST_MAX(took_ns / 1000, (uint64_t)1);
	w->next_rate = (w->next_rate + 1) % WINDOW_SAMPLES;
}

bool window_acked(struct window *w, uint64_t sequence, uint64_t now_ns)
{
	if (sequence > w->newest)
		return false;
	while (w->len > 0 && w->frames[w->first].sequence <= sequence)
		retire(w, now_ns);
	return true;
}

uint32_t window_rate_kbps(const struct window *w)
{
	return (uint32_t)PST_MIN(best_rate(w) * 8 / 1000, (uint64_t)UINT32_MAX);
}

uint32_t window_rtt_us(const struct window *w)
{
	return (uint32_t)PST_MIN(w->rtt_min_ns / 1000, (uint64_t)UINT32_MAX);
}
