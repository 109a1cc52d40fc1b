/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction of a relayed connection: a ring of bytes, each with the time at which it may go on. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPE_BYTES (4u << 20) /* what can be under way: 80 Mbit/s with 400 ms */
#define PIPE_CHUNKS 16384

struct path {
	uint64_t delay;      /* ns */
	double bytes_per_ns; /* 0: no limit */
};

/* What the rate allows now; one for all connections of a direction. */
struct bucket {
	double bytes;
	uint64_t filled_at;
};

struct chunk {
	uint64_t due;
	uint32_t bytes;
};

struct pipe {
	int from, to;
	bool is_open;
	bool is_ended, is_shut; /* from has no more; and to was told */
	uint8_t *ring;
	uint32_t head, used; /* in the ring */
	struct chunk *chunks;
	uint32_t first, count;
};

/* Takes nothing: the connection's two descriptors are closed by pipe_break. False when out of memory. */
bool pipe_open(struct pipe *p, int from, int to);
/* Reads what path, bucket and room allow; false when the connection is broken. */
bool pipe_read(struct pipe *p, const struct path *path, struct bucket *b, uint64_t now, uint32_t *ret_got);
/* Writes what is due; false when the connection is broken. */
bool pipe_write(struct pipe *p, uint64_t now);
/* What poll is to look at for reading and for writing, and when time alone lets bytes go on (UINT64_MAX:
 * never). */
uint64_t pipe_await(
	struct pipe *p, const struct path *path, struct bucket *b, uint64_t now, struct pollfd ret[2]);
/* Ends both directions of a connection. */
void pipe_break(struct pipe *p, struct pipe *back);
