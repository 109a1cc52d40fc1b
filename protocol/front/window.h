/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much may be on its way to a client: frames that were sent and not yet acknowledged, the round trip and the
 * delivery rate that their acknowledgements show, and from both a window of 1.25 bandwidth-delay products. Pure: time is a parameter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_FRAMES_MAX 64
#define WINDOW_SAMPLES 16

struct window_frame {
	uint64_t sequence, bytes, sent_ns, delivered_at_send;
};

struct window {
	struct window_frame frames[WINDOW_FRAMES_MAX]; /* a ring: first … first + len */
	uint32_t first, len;
	uint64_t newest;     /* sequence of the last frame sent */
	uint64_t in_flight;  /* bytes */
	uint64_t delivered;  /* bytes acknowledged since the start */
	uint64_t rtt_min_ns, rtt_min_at_ns, rtt_last_ns;
	uint64_t rates[WINDOW_SAMPLES]; /* bytes per second of the newest acknowledgements */
	uint32_t next_rate;
	uint64_t frames_sent, frames_acked;
};

void window_init(struct window *w);

/* True when another frame may leave: bytes in flight are below the window and the ring has room. */
bool window_is_open(const struct window *w);

/* Notes a frame of so many bytes. The window is open; sequences rise. */
void window_sent(struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns);

/* The client has taken everything up to sequence. False when it never was sent: the client lies. Repeats are harmless. */
bool window_acked(struct window *w, uint64_t sequence, uint64_t now_ns);

/* Bytes that may be on their way at once. */
uint64_t window_bytes(const struct window *w);
/* Highest delivery rate among the newest samples, 0 when unknown. */
uint32_t window_rate_kbps(const struct window *w);
uint32_t window_rtt_us(const struct window *w);
