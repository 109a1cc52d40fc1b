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
#define ROOM_MIN (8u * 1024)
#define ROOM_MS 12                    /* of the rate: what comes next waits behind a frame so long */
#define QUIET_FRAMES_MAX 15
#define QUIET_BYTES_MAX 4096
#define SAMPLE_BYTES_MIN 2048ull
#define NOISE_NS 3000000ull           /* a shorter time says that the path is fast, and not how fast */
#define FAST_NS 2000000ull            /* the shortest time that such a one is taken to have needed */
#define BURST 4096                    /* bytes that a path may let pass at any speed */
#define NEWEST 4                      /* samples that count whatever their age */
#define SAMPLE_AGE_NS 1000000000ull
#define LATE_NS 150000000ull          /* what comes so late was held up by the path, and not by a machine */
#define NEAR_NS 5000000ull
#define CLIENT_NS_MAX 30000000ull     /* no client takes longer for each picture of a second */
#define NEAR_RATE 62500000u           /* bytes per second */
#define RAISE_NS 10000000ull
#define RECENT_NS 1000000000ull
#define RECENT_LEN 10
#define PROBE_AFTER_NS 1000000000ull
#define RTT_SPAN_NS 30000000000ull    /* the smallest round trip is believed for one to two of them */
#define MEASURED_STEP_NS 1000000ull   /* clients count milliseconds */
#define MEASURED_SURE_NS 4000000ull   /* a shorter time says that the path is fast, and not how fast */

void window_init(struct window *w)
{
	memset(w, 0, sizeof(*w));
}

/* Bytes on an empty path's way and back. */
static uint64_t product(const struct window *w)
{
	/* rate × rtt in 128 bits would be exact; a rate below 2^39 B/s and an rtt below 2^24 µs fit 64 bits. */
	uint64_t rtt_us = PST_MIN(w->rtt_min_ns / 1000, 1ull << 24);

	return PST_MIN(w->rate, 1ull << 39) * rtt_us / 1000000;
}

uint64_t window_bytes(const struct window *w)
{
	uint64_t rate = PST_MIN(w->rate, 1ull << 39), bdp = product(w);
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
		w->small_at_ns != 0 && now_ns < w->small_at_ns + PROBE_AFTER_NS;
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
	return w->len + 1 < WINDOW_FRAMES_MAX && (!w->small_at_ns || now_ns > w->small_at_ns + PROBE_AFTER_NS || (w->is_late && w->len == 0));
}

/*
 * A lone frame waits for nothing of ours. When two in a row take much longer than what was the smallest, the way has become longer (another network
 * under the same connection), and the smallest is forgotten.
 */
static bool is_longer(const struct window *w, uint64_t rtt_ns)
{
	return w->small_at_ns && rtt_ns > w->rtt_min_ns + w->rtt_min_ns / 2 + RAISE_NS;
}

static void note_lone(struct window *w, uint64_t rtt_ns)
{
	bool is_longer_now = is_longer(w, rtt_ns);

	w->is_late = is_longer_now;
	if (is_longer_now && w->raised_ns) {
		w->span_min_ns[0] = PST_MIN(rtt_ns, w->raised_ns);
		w->span_min_ns[1] = 0;
	}
	w->raised_ns = is_longer_now && !w->raised_ns ? rtt_ns : 0;
}

/* On a busy path no frame is alone. When all of a second take much longer than what was the smallest, the way has become longer, too. */
static void note_recent(struct window *w, uint64_t rtt_ns, uint64_t now_ns)
{
	if (now_ns > w->recent_at_ns + RECENT_NS) {
		if (w->recent_len >= RECENT_LEN && is_longer(w, w->recent_min_ns) && w->recent_min_ns > w->rtt_min_ns + CLIENT_NS_MAX) {
			w->span_min_ns[0] = w->rtt_min_ns = w->recent_min_ns;
			w->span_min_ns[1] = 0;
			w->span_at_ns = now_ns;
			if (!w->is_measured) {
				memset(w->samples, 0, sizeof(w->samples)); /* of another path */
				w->rate = 0;
			}
			w->small_at_ns = 0; /* its own length is in it: a probe tells better */
		}
		w->recent_at_ns = now_ns;
		w->recent_len = 0;
	}
	w->recent_min_ns = w->recent_len++ ? PST_MIN(w->recent_min_ns, rtt_ns) : rtt_ns;
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
	} else if (now_ns > w->span_at_ns + RTT_SPAN_NS) {
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

static uint64_t median(uint64_t *list, int n)
{
	for (int i = 1; i < n; i++)
		for (int at = i; at > 0 && list[at - 1] > list[at]; at--) {
			uint64_t t = list[at];

			list[at] = list[at - 1];
			list[at - 1] = t;
		}
	return n ? list[(n - 1) / 2] : 0;
}

/*
 * Behind a short way frames rather wait for a client that decodes slowly than for the path, and coarser or fewer pictures would not help it: there no rate
 * below this one is believed, unless something comes later than any client would let it (LATE_NS).
 */
static bool is_near(const struct window *w)
{
	return w->small_at_ns && w->rtt_min_ns < NEAR_NS && !w->is_late_by_far;
}

/*
 * What a frame alone shows is true or too little, where a busy machine or a slow client came in between: the best of the last second counts, and
 * of the newest four at any time; fewer do not lower it. A busy path's rate is too high where acknowledgements came in a bunch, so there it is the median.
 */
static uint64_t believed_rate(const struct window *w, uint64_t now_ns)
{
	uint64_t low = 0, high = 0, busy[WINDOW_SAMPLES];
	int n = 0;

	for (uint32_t i = 1; i <= WINDOW_SAMPLES; i++) {
		const struct window_sample *s = &w->samples[(w->next_sample - i) % WINDOW_SAMPLES];

		if (!s->at_ns || (n >= NEWEST && now_ns > s->at_ns + SAMPLE_AGE_NS))
			continue;
		low = PST_MAX(low, s->low);
		high = PST_MAX(high, s->high);
		busy[n++] = s->busy;
	}
	uint64_t middle = median(busy, n);

	low = PST_MAX(low, middle);
	high = PST_MAX(high, middle);
	if (is_near(w))
		high = PST_MAX(high, (uint64_t)NEAR_RATE);
	if (!w->rate)
		return high;
	return n < NEWEST ? PST_MAX(w->rate, low) : PST_CLAMP(w->rate, low, high);
}

/* Those that show a lower rate than this one are forgotten. True when there were any. */
static bool refute_below(struct window *w, uint64_t rate)
{
	bool has_refuted = false;

	for (int i = 0; i < WINDOW_SAMPLES; i++) {
		if (!w->samples[i].at_ns || w->samples[i].high >= rate)
			continue;
		w->samples[i].at_ns = 0;
		has_refuted = true;
	}
	return has_refuted;
}

static uint64_t per_second(uint64_t bytes, uint64_t ns)
{
	return bytes * 1000000 / PST_MAX(ns / 1000, (uint64_t)1);
}

/* Bytes that took so long from their sending, in which so many arrived altogether. */
static void note_rate(struct window *w, uint64_t bytes, uint64_t delivered, uint64_t took_ns, uint64_t now_ns)
{
	uint64_t empty_ns = w->rtt_min_ns + w->client_ns, beyond_ns = took_ns > empty_ns ? took_ns - empty_ns : 0;
	uint64_t paced = bytes - PST_MIN((uint64_t)BURST, bytes * 2 / 3);
	bool is_fast = beyond_ns < NOISE_NS;
	struct window_sample s = { .at_ns = now_ns, .busy = PST_MAX(per_second(delivered, took_ns), (uint64_t)1) };

	/* Where the rate is low, less tells something. */
	if (bytes < PST_MIN(SAMPLE_BYTES_MIN, w->rate ? w->rate * NOISE_NS / 1000000000 : UINT64_MAX))
		return;
	if (w->small_at_ns) {
		s.low = per_second(paced, PST_MAX(beyond_ns, FAST_NS));
		s.high = is_fast ? s.low : per_second(bytes, beyond_ns);
	}
	if (is_fast && !refute_below(w, s.low) && (w->rate ? PST_MAX(s.low, s.busy) <= w->rate : bytes < 2 * BURST))
		return;
	if (w->rate && beyond_ns > LATE_NS + delivered * 1000000 / PST_MAX(w->rate / 1000, (uint64_t)1)) {
		memset(w->samples, 0, sizeof(w->samples));
		w->rate = 0;
		w->is_late_by_far = true;
	}
	w->samples[w->next_sample++ % WINDOW_SAMPLES] = s;
	w->rate = believed_rate(w, now_ns);
	w->is_late_by_far &= w->rate < NEAR_RATE;
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
	else if (arrived_ns > newest.sent_ns && is_longer(w, arrived_ns - newest.sent_ns))
		w->is_late = true; /* by its own length, or because the way is longer: a small one will tell */
	note_recent(w, arrived_ns > newest.sent_ns ? arrived_ns - newest.sent_ns : 1, now_ns);
	note_rtt(w, arrived_ns > newest.sent_ns ? arrived_ns - newest.sent_ns : 1, newest.is_small, now_ns);
	if (!w->is_measured)
		note_rate(w, bytes, w->delivered - oldest.delivered, arrived_ns > oldest.sent_ns ? arrived_ns - oldest.sent_ns : 1, now_ns);
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

static uint64_t measured_rate(const struct window *w)
{
	uint64_t busy[WINDOW_SAMPLES];
	int n = 0;

	for (int i = 0; i < WINDOW_SAMPLES; i++) {
		if (w->samples[i].at_ns)
			busy[n++] = w->samples[i].busy;
	}
	return median(busy, n);
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
		memset(w->samples, 0, sizeof(w->samples));
		w->rate = 0;
	}
	w->is_measured = true;
	if (took_ns < MEASURED_SURE_NS)
		rate = PST_MAX(rate, w->rate);
	w->samples[w->next_sample++ % WINDOW_SAMPLES] = (struct window_sample){ .at_ns = 1, .busy = rate };
	w->rate = measured_rate(w);
}

uint32_t window_rate_kbps(const struct window *w)
{
	return (uint32_t)PST_MIN(w->rate * 8 / 1000, (uint64_t)UINT32_MAX);
}

uint32_t window_rtt_us(const struct window *w)
{
	return (uint32_t)PST_MIN(w->rtt_min_ns / 1000, (uint64_t)UINT32_MAX);
}

/* What is in flight beyond what the way holds stands in a queue. The oldest frame may have arrived nearly whole. */
static uint64_t standing_us(const struct window *w)
{
	if (is_near(w))
		return 0; /* in the client, if anywhere */
	uint64_t client = w->rate / 1000 * (w->client_ns / 1000) / 1000; /* arrived, and not yet shown */
	uint64_t moving = product(w) + client + (w->len ? w->frames[w->first].bytes : 0);

	return w->in_flight > moving ? (w->in_flight - moving) * 1000000 / PST_MAX(w->rate, (uint64_t)1) : 0;
}

uint32_t window_backlog_us(const struct window *w, uint64_t now_ns)
{
	uint64_t us = w->busy_until_ns > now_ns ? (w->busy_until_ns - now_ns) / 1000 : 0;

	/* A rate that is guessed a little too high would let the queue grow frame by frame. */
	return w->rate ? (uint32_t)PST_MIN(PST_MAX(us, standing_us(w)), (uint64_t)UINT32_MAX) : 0;
}
