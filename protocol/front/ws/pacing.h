/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much may be in flight to the client. Frames are noted when sent and when acknowledged; from these come the round trip, the
 * delivery rate and a window of 1.25 × their product, never less than two frames. Pure: the caller passes the time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACING_FRAMES_MAX 64 /* frames in flight; the client acknowledges each */

struct pacing_frame {
	uint32_t sequence;
	uint64_t bytes, sent_us;
	uint64_t delivered, delivered_us; /* what had been acknowledged when this one left, and when */
	bool was_limited;                 /* the path was full when it left: its rate sample is the path's */
};

struct pacing {
	struct pacing_frame frames[PACING_FRAMES_MAX]; /* a ring, oldest at head */
	size_t head, len;
	uint64_t in_flight, delivered, delivered_us;
	uint64_t rate;        /* bytes per second, 0 unknown */
	uint64_t rate_us;     /* when rate was last confirmed */
	uint64_t rtt_us;      /* smoothed, decoding taken off; 0 unknown */
	uint64_t rtt_min_us;  /* smallest turn-around (decoding included) of the last RTT_MIN_LIFE */
	uint64_t rtt_min_at;
};

void pacing_init(struct pacing *p);

/* True when another frame may leave now. */
bool pacing_can_send(const struct pacing *p);

/* Bytes that the next frame should not exceed; never 0. */
uint64_t pacing_budget(const struct pacing *p);

/* A frame of so many bytes leaves. Call only when pacing_can_send. */
void pacing_sent(struct pacing *p, uint32_t sequence, uint64_t bytes, uint64_t now_us);

/*
 * The client painted this frame and, by order, all before it; decode_us is its own share. False when the number was never sent or
 * was acknowledged before: the client broke the protocol.
 */
bool pacing_acked(struct pacing *p, uint32_t sequence, uint32_t decode_us, uint64_t now_us);
