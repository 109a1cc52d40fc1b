/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A path to a client: a rate, a delay in both directions, and a queue in front of the rate without a limit. A few bytes pass at any speed, as most limits let
 * them. The client acknowledges what it has shown, sooner or later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PATH_UNITS_MAX 4096

struct path_unit {
	uint64_t sequence, bytes, sent_ns, shown_ns;
	bool is_quiet, has_video;
};

struct path {
	uint64_t bytes_per_s, delay_ns; /* one way */
	uint64_t client_ns;             /* what a client needs to show a unit, */
	uint64_t video_ns;              /* and one with a video, where that is more */
	uint64_t burst;                 /* bytes that pass at once when nothing has passed for a while */
	uint64_t jitter_ns;             /* what a client needs more than client_ns, at most */
	uint32_t seed;
	uint64_t shown_ns;              /* of the last unit */
	uint64_t free_ns;               /* when the link has forwarded all that it was given */
	struct path_unit units[PATH_UNITS_MAX];
	uint32_t first, len; /* units whose acknowledgement has not come back */
};

/* Gives the path a unit. Returns when its client shows it. */
uint64_t path_send(struct path *p, const struct path_unit *unit);
/* Bytes before the link. */
uint64_t path_queued(const struct path *p, uint64_t now_ns);
/* The next acknowledgement that is there at now_ns, quiet units passed over; false when there is none. */
bool path_ack(struct path *p, uint64_t now_ns, uint64_t *ret_sequence);
/* When the next one comes; UINT64_MAX for never. */
uint64_t path_next_ack(const struct path *p);
