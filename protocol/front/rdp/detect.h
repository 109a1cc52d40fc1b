/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network characteristics detection, [MS-RDPBCGR] 2.2.14, as decisions: when the client is asked for a round trip or for how fast a
 * frame came, and what its answer is worth. One question of each kind is open at a time, so a client that does not answer is never
 * asked again, and answers to nothing count for nothing. Pure: time is a parameter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DETECT_FRAME_MIN 6144 /* bytes of a frame that is worth the question */

struct detect_question {
	uint16_t sequence;
	bool is_open;
	uint64_t asked_ns, bytes;
};

struct detect {
	uint16_t sequence; /* the newest */
	bool was_idle;     /* nothing was on the way when the round trip was asked for */
	bool is_counting;  /* between start and stop */
	struct detect_question trip, rate;
};

/* A round trip is asked for now. Returns the sequence, 0 when the last question is still open. */
uint16_t detect_ask_trip(struct detect *d, bool is_idle, uint64_t now_ns);
/* True when the answer is to the open question; then *ret_ns is the round trip and *ret_was_idle what was given. */
bool detect_answer_trip(struct detect *d, uint16_t sequence, uint64_t now_ns, uint64_t *ret_ns, bool *ret_was_idle);

/* A frame follows whose time is to be measured: the sequence of its start; 0 when it is too early for another, or one is open. */
uint16_t detect_start(struct detect *d, uint64_t now_ns);
/* The frame has gone, with so many bytes: the sequence of its stop; 0 when it was not started. */
uint16_t detect_stop(struct detect *d, uint64_t bytes);
/*
 * The client says that count bytes took it took_ms. True when that is to the open question and possible: then *ret_bytes are those that can have
 * come. The time cannot be longer than since the start.
 */
bool detect_answer_rate(struct detect *d, uint16_t sequence, uint32_t took_ms, uint32_t count, uint64_t now_ns, uint64_t *ret_bytes);
