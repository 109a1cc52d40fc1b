/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much may be on its way to a client: frames that were sent and not yet acknowledged, the round trip and the rate that their
 * acknowledgements show, and from both a window of 1.25 bandwidth-delay products and a little. Pure: time is a parameter.
 *
 * The rate is the path's, not ours: each frame shows two rates below which it cannot lie, its bytes by the time that it needs beyond an empty path's
 * round trip (exact for a frame alone), and all bytes that arrived between its sending and its acknowledgement (exact on a busy path). A screen that
 * changes little does not make the path look narrow, and acknowledgements that come in a bunch do not make it look wide.
 * Many paths let a few packets pass at any speed before their rate holds: each sample is two bounds, with these and without them, and the rate moves only
 * as far as the bounds ask. A frame that passes at once refutes what a busy machine made of others before it; one that is late by far makes them old.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_FRAMES_MAX 64
#define WINDOW_SAMPLES 16
#define WINDOW_SMALL 2048 /* bytes up to which a frame may leave although the window is full, and shows the empty path's round trip */
#define WINDOW_QUIET 512  /* bytes up to which a frame need not be acknowledged */

struct window_frame {
	uint64_t sequence, bytes, sent_ns, delivered; /* the last: by others, when it was sent */
	uint32_t frames; /* quiet ones before it, and itself */
	bool is_small, is_lone; /* lone: small, and nothing was before it on the way */
};

struct window_sample {
	uint64_t at_ns; /* 0: none */
	uint64_t low, high, busy; /* bytes per second: of the frame alone, at least and at most; of all that arrived meanwhile */
};

struct window {
	uint64_t client_ns; /* what a client takes to show a frame before it acknowledges, where it does not tell; no path's time */
	struct window_frame frames[WINDOW_FRAMES_MAX]; /* a ring: first … first + len */
	uint32_t first, len;
	uint64_t newest;     /* sequence of the last frame sent */
	uint64_t in_flight;  /* bytes */
	uint64_t quiet_bytes; /* in frames without an acknowledgement since the last one that has one */
	uint32_t quiet_frames;
	uint64_t delivered;   /* bytes acknowledged since the start */
	uint64_t rtt_min_ns;  /* the smaller of this span of time and the one before */
	uint64_t span_min_ns[2], span_at_ns;
	uint64_t raised_ns;   /* a lone frame's round trip that was much longer; the next one decides whether the way is */
	uint64_t recent_min_ns, recent_at_ns; /* the smallest of all frames of the second that goes on, since when */
	uint32_t recent_len;
	bool is_late_by_far;  /* something came so late that the path has become narrow, and nothing has shown otherwise since */
	bool is_late;         /* something took so long that the way may have become longer */
	uint64_t small_at_ns; /* when a small frame last showed the round trip, 0 never */
	bool is_measured;    /* the client tells how fast bytes come */
	uint64_t busy_until_ns; /* when the path has forwarded what it was given, by our estimate */
	uint64_t rate; /* bytes per second, 0 unknown */
	struct window_sample samples[WINDOW_SAMPLES]; /* a ring: what the newest acknowledgements show of it, see above */
	uint32_t next_sample;
	uint64_t frames_sent, frames_acked;
};

void window_init(struct window *w);

/* True when another frame may leave: bytes in flight are below the window and the ring has room. */
bool window_is_open(const struct window *w);
/* True when at least a small one may. */
bool window_is_open_small(const struct window *w);

/* Notes a frame of so many bytes that will be acknowledged. The window is open; sequences rise. */
void window_sent(struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns);

/* Notes a frame that nobody will acknowledge, as the protocol has it: it shows nothing of the path. */
void window_unasked(struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns);

/*
 * Whether a frame of so many bytes may do without an acknowledgement: at most 15 in a row and 4 KB, so a client that does nothing is found out soon, and not
 * when the round trip was not seen for a second.
 * window_quiet notes such a frame; its sequence may be acknowledged all the same.
 */
bool window_may_be_quiet(const struct window *w, uint64_t bytes, uint64_t now_ns);
void window_quiet(struct window *w, uint64_t sequence, uint64_t bytes);

/*
 * True when the round trip of the empty path was not seen for a second, or may have become longer and the path is empty: something small should be sent
 * ahead of a large frame.
 */
bool window_wants_probe(const struct window *w, uint64_t now_ns);

/*
 * The client has taken everything up to sequence, and spent client_ns on the last of it as it says itself (0 unknown). False when it never was sent:
 * the client lies. Repeats are harmless.
 */
bool window_acked(struct window *w, uint64_t sequence, uint64_t now_ns);
bool window_acked_after(struct window *w, uint64_t sequence, uint64_t client_ns, uint64_t now_ns);

/*
 * Something small that is no frame (an echo of the protocol's own) came back rtt_ns after it was sent. Lone: nothing was before it on the way, as
 * window_is_idle told when it left.
 */
void window_echo(struct window *w, uint64_t rtt_ns, bool is_lone, uint64_t now_ns);
bool window_is_idle(const struct window *w);

/*
 * The client has measured that so many bytes took took_ns to arrive, to within a millisecond. That is the path's own time: from then on only such figures
 * count for the rate, and not those of acknowledgements, which hold the client's time too.
 */
void window_measured(struct window *w, uint64_t bytes, uint64_t took_ns);

/* Bytes that may be on their way at once. */
uint64_t window_bytes(const struct window *w);
/* What the next frame may weigh: the rest of the window, 12 ms of the rate at most, and never so little that headers dominate. */
uint64_t window_room(const struct window *w);
uint32_t window_rate_kbps(const struct window *w);
uint32_t window_rtt_us(const struct window *w);
/* How long the path still forwards what it was given, by our estimate; 0 when the rate is unknown. */
uint32_t window_backlog_us(const struct window *w, uint64_t now_ns);
