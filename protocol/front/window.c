/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of frames in flight; see window.h. */
#include "protocol/front/window.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define BYTES_UNKNOWN (128u * 1024)   /* before anything is known: the first picture of a usual screen; 10 ms at 100 Mbit/s */
#define BYTES_MAX (16u * 1024 * 1024)
#define SLACK_MIN (16u * 1024)        /* beyond the product: what is under way in programs and not on the path */
#define SLACK_MAX (128u * 1024)
#define SLACK_MS 13
#define SMALL_RESERVE (16u * 1024)    /* beyond the window, for small frames */
#define ROOM_MIN (16u * 1024)
#define ROOM_MS 20                    /* of the rate: what comes next waits behind a frame so long */
#define QUIET_FRAMES_MAX 15
#define QUIET_BYTES_MAX 4096
#define SAMPLE_BYTES_MIN 2048ull
#define NOISE_NS 3000000ull           /* a shorter time says that the path is fast, and not how fast */
#define TIME_MIN_NS 250000ull
#define RAISE_NS 10000000ull
#define PROBE_AFTER_NS 1000000000ull
#define RTT_SPAN_NS 10000000000ull    /* the smallest round trip is believed for one to two of them */
#define MEASURED_STEP_NS 1000000ull   /* clients count milliseconds */
#define MEASURED_SURE_NS 4000000ull   /* a shorter time says that the path is fast, and not how fast */

void window_init(struct window *w)
{
	memset(w, 0, sizeof(*w));
}

uint64_t window_bytes(const struct window *w)
{
	/* rate × rtt in 128 bits would be exact; a rate below 2^39 B/s and an rtt below 2^24 µs fit 64 bits. */
	uint64_t rtt_us = PST_MIN(w->rtt_min_ns / 1000, 1ull << 24);
	uint64_t rate = PST_MIN(w->rate, 1ull << 39);
	uint64_t bdp = rate * rtt_us / 1000000;
	uint64_t slack = PST_CLAMP(rate * SLACK_MS / 1000, (uint64_t)SLACK_MIN, (uint64_t)SLACK_MAX);
	return w->rate ? PST_MIN(bdp + bdp / 4 + slack, (uint64_t)BYTES_MAX) : BYTES_UNKNOWN;
}

bool window_is_open(const struct window *w)
{
	return w->len < WINDOW_FRAMES_MAX && (w->len == 0 || w->in_flight < window_bytes(w));
}

bool window_is_open_small(const struct window *w)
{
	return w->len < WINDOW_FRAMES_MAX && (w->len == 0 || w->in_flight < window_bytes(w) + SMALL_RESERVE);
}

uint64_t window_room(const struct window *w)
{
	uint64_t window = window_bytes(w);
	uint64_t rest = w->in_flight + ROOM_MIN < window ? window - w->in_flight : ROOM_MIN;
	return w->rate ? PST_MIN(rest, PST_MAX(w->rate * ROOM_MS / 1000, (uint64_t)ROOM_MIN)) : rest;
}

static void note_busy(struct window *w, uint64_t bytes, uint64_t now_ns)
{
	if (w->rate)
		w->busy_until_ns = PST_MAX(w->busy_until_ns, now_ns) + bytes * 1000000 / PST_MAX(w->rate / 1000, (uint64_t)1);
}

void window_sent(struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns)
{
	PRE(w->len < WINDOW_FRAMES_MAX);
	w->frames[(w->first + w->len++) % WINDOW_FRAMES_MAX] = (struct window_frame){ sequence, bytes + w->quiet_bytes, now_ns,
		w->delivered, 1 + w->quiet_frames, bytes <= WINDOW_SMALL, bytes <= WINDOW_SMALL && w->len == 1 };
	w->newest = sequence;
	w->in_flight += bytes + w->quiet_bytes;
	w->quiet_bytes = w->quiet_frames = 0;
	w->frames_sent++;
	note_busy(w, bytes, now_ns);
}

void window_unasked(struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns)
{
	w->newest = sequence;
	w->frames_sent++;
	w->frames_acked++;
	note_busy(w, bytes, now_ns);
}

bool window_may_be_quiet(const struct window *w, uint64_t bytes, uint64_t now_ns)
{
	return bytes <= WINDOW_QUIET && w->quiet_frames < QUIET_FRAMES_MAX && w->quiet_bytes + bytes <= QUIET_BYTES_MAX &&
		w->small_at_ns != 0 && now_ns - w->small_at_ns < PROBE_AFTER_NS;
}

void window_quiet(struct window *w, uint64_t sequence, uint64_t bytes)
{
	w->quiet_bytes += bytes;
	w->quiet_frames++;
	w->newest = sequence;
	w->frames_sent++;
}

bool window_wants_probe(const struct window *w, uint64_t now_ns)
{
	return w->len + 1 < WINDOW_FRAMES_MAX && (!w->small_at_ns || now_ns - w->small_at_ns > PROBE_AFTER_NS);
}

/*
 * A lone frame waits for nothing of ours. When two in a row take much longer than what was the smallest, the way has become longer (another network
 * under the same connection), and the smallest is forgotten.
 */
static void note_lone(struct window *w, uint64_t rtt_ns)
{
	bool is_longer = w->small_at_ns && rtt_ns > w->rtt_min_ns + w->rtt_min_ns / 2 + RAISE_NS;

	if (is_longer && w->raised_ns) {
		w->span_min_ns[0] = PST_MIN(rtt_ns, w->raised_ns);
		w->span_min_ns[1] = 0;
	}
	w->raised_ns = is_longer && !w->raised_ns ? rtt_ns : 0;
}

/* A large frame's time holds its own length: it counts only where small ones are missing. */
static void note_rtt(struct window *w, uint64_t rtt_ns, bool is_small, uint64_t now_ns)
{
	bool is_first = is_small && !w->small_at_ns;

	if (!is_small && w->small_at_ns && rtt_ns >= w->rtt_min_ns)
		return;
	if (is_first) {
		w->span_min_ns[0] = w->span_min_ns[1] = 0;
		w->span_at_ns = now_ns;
	} else if (now_ns - w->span_at_ns > RTT_SPAN_NS) {
		w->span_min_ns[1] = w->span_min_ns[0];
		w->span_min_ns[0] = 0;
		w->span_at_ns = now_ns;
	}
	if (is_small)
		w->small_at_ns = now_ns;
	if (!w->span_min_ns[0] || rtt_ns < w->span_min_ns[0])
		w->span_min_ns[0] = rtt_ns;
	w->rtt_min_ns = w->span_min_ns[1] ? PST_MIN(w->span_min_ns[0], w->span_min_ns[1]) : w->span_min_ns[0];
}

static uint64_t median(const uint64_t rates[WINDOW_SAMPLES])
{
	uint64_t sorted[WINDOW_SAMPLES];
	int n = 0;

	for (int i = 0; i < WINDOW_SAMPLES; i++) {
		int at = n;

		if (!rates[i])
			continue;
		for (; at > 0 && sorted[at - 1] > rates[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = rates[i];
		n++;
	}
	return n ? sorted[(n - 1) / 2] : 0;
}

/*
 * What a frame alone shows is true or too little, where a busy machine or a slow client came in between: the best counts. A busy path's
 * rate is too high where acknowledgements came in a bunch, so there it is the median.
 */
static uint64_t best_rate(const struct window *w)
{
	uint64_t best = median(w->busy);

	for (int i = 0; i < WINDOW_SAMPLES; i++)
		best = PST_MAX(best, w->alone[i]);
	return best;
}

/* Bytes that took so long from their sending, in which so many arrived altogether. */
static void note_rate(struct window *w, uint64_t bytes, uint64_t delivered, uint64_t took_ns)
{
	uint64_t empty_ns = w->rtt_min_ns + w->client_ns, beyond_ns = took_ns > empty_ns ? took_ns - empty_ns : 0;
	uint64_t alone = w->small_at_ns ? bytes * 1000000 / (PST_MAX(beyond_ns, TIME_MIN_NS) / 1000) : 0;
	uint64_t busy = delivered * 1000000 / PST_MAX(took_ns / 1000, (uint64_t)1);

	/* Where the rate is low, less tells something. */
	if (bytes < PST_MIN(SAMPLE_BYTES_MIN, w->rate ? w->rate * NOISE_NS / 1000000000 : UINT64_MAX) ||
		(beyond_ns < NOISE_NS && PST_MAX(alone, busy) < w->rate))
		return;
	w->alone[w->next_rate] = alone;
	w->busy[w->next_rate] = PST_MAX(busy, (uint64_t)1);
	w->next_rate = (w->next_rate + 1) % WINDOW_SAMPLES;
	w->rate = best_rate(w);
}

bool window_acked_after(struct window *w, uint64_t sequence, uint64_t client_ns, uint64_t now_ns)
{
	struct window_frame oldest = { 0 }, newest = { 0 };
	uint64_t bytes = 0, arrived_ns = now_ns > client_ns ? now_ns - client_ns : 0;
	bool is_new = false;

	if (sequence > w->newest)
		return false;
	for (; w->len > 0 && w->frames[w->first].sequence <= sequence; w->len--) {
		newest = w->frames[w->first];
		oldest = is_new ? oldest : newest;
		is_new = true;
		bytes += newest.bytes;
		w->in_flight -= newest.bytes;
		w->frames_acked += newest.frames;
		w->first = (w->first + 1) % WINDOW_FRAMES_MAX;
	}
	w->delivered += bytes;
	if (!is_new)
		return true;
	if (newest.is_lone)
		note_lone(w, arrived_ns > newest.sent_ns ? arrived_ns - newest.sent_ns : 1);
	note_rtt(w, arrived_ns > newest.sent_ns ? arrived_ns - newest.sent_ns : 1, newest.is_small, now_ns);
	if (!w->is_measured)
		note_rate(w, bytes, w->delivered - oldest.delivered, arrived_ns > oldest.sent_ns ? arrived_ns - oldest.sent_ns : 1);
	return true;
}

bool window_acked(struct window *w, uint64_t sequence, uint64_t now_ns)
{
	return window_acked_after(w, sequence, 0, now_ns);
}

bool window_is_idle(const struct window *w)
{
	return w->len == 0;
}

void window_echo(struct window *w, uint64_t rtt_ns, bool is_lone, uint64_t now_ns)
{
	uint64_t rtt = PST_MAX(rtt_ns, (uint64_t)1);

	if (is_lone)
		note_lone(w, rtt);
	note_rtt(w, rtt, true, now_ns);
}

/*
 * It may be too little (a sender that pauses) or too much (a client that reads late): the median counts. A short time says that the path is at least so
 * fast, and speaks for what is known.
 */
void window_measured(struct window *w, uint64_t bytes, uint64_t took_ns)
{
	uint64_t rate = PST_MAX(bytes * 1000000 / ((took_ns + MEASURED_STEP_NS) / 1000), (uint64_t)1);

	if (bytes < SAMPLE_BYTES_MIN)
		return;
	if (!w->is_measured) {
		memset(w->alone, 0, sizeof(w->alone));
		memset(w->busy, 0, sizeof(w->busy));
		w->rate = 0;
	}
	w->is_measured = true;
	if (took_ns < MEASURED_SURE_NS)
		rate = PST_MAX(rate, w->rate);
	w->alone[w->next_rate] = 0;
	w->busy[w->next_rate] = rate;
	w->next_rate = (w->next_rate + 1) % WINDOW_SAMPLES;
	w->rate = best_rate(w);
}

uint32_t window_rate_kbps(const struct window *w)
{
	return (uint32_t)PST_MIN(w->rate * 8 / 1000, (uint64_t)UINT32_MAX);
}

uint32_t window_rtt_us(const struct window *w)
{
	return (uint32_t)PST_MIN(w->rtt_min_ns / 1000, (uint64_t)UINT32_MAX);
}

uint32_t window_backlog_us(const struct window *w, uint64_t now_ns)
{
	return w->busy_until_ns > now_ns ? (uint32_t)PST_MIN((w->busy_until_ns - now_ns) / 1000, (uint64_t)UINT32_MAX) : 0;
}
