/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One of several viewers of a picture whose frames are encoded once: whether it takes what it is sent. In
 * step it gets every frame. A viewer with too much on its way falls out of step: it gets nothing until all
 * has arrived, and then a picture to go on from.
 *
 *   BEHIND ──all has arrived: a snapshot──► IN STEP
 *     │  ▲─────── too much, or too long, on its way ──┘
 *     └── 30 s ──► lost
 *
 * Pure: time is a parameter, and the window notes what is on its way.
 */
#pragma once

#include "protocol/front/window.h"

#define WS_MEMBER_FLIGHT_MAX \
	(1024u * 1024) /* bytes that may be on their way to a viewer, besides its snapshot */
#define WS_MEMBER_AGE_MAX_NS 2000000000ull /* …and for how long */
#define WS_MEMBER_LOST_NS 30000000000ull   /* how long a viewer may be out of step, or a snapshot on its way \
					    */

struct ws_member {
	bool is_in_step;
	uint64_t snapshot, snapshot_bytes; /* its sequence and size while it is on its way, else 0 */
	uint64_t behind_ns;                /* since when it is out of step */
};

void ws_member_init(struct ws_member *m, uint64_t now_ns);

/* A snapshot of so many bytes leaves now: the frames after it follow. */
void ws_member_join(
	struct ws_member *m, struct window *w, uint64_t sequence, uint64_t bytes, uint64_t now_ns);

/* Notes a frame that leaves now. False when the viewer does not keep up: the frame must not be sent, and the
 * viewer is out of step. */
bool ws_member_take(struct ws_member *m, struct window *w, uint64_t sequence, uint64_t bytes, bool is_quiet,
	uint64_t now_ns);

/* Its picture is not to be trusted any more: it is out of step. */
void ws_member_fall(struct ws_member *m, uint64_t now_ns);

/* Out of step, and all that was sent has been acknowledged. */
bool ws_member_wants_snapshot(const struct ws_member *m, const struct window *w);

/* When it is lost if nothing is acknowledged; UINT64_MAX in step. */
uint64_t ws_member_lost_at(const struct ws_member *m);
