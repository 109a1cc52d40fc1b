/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction of a relayed connection; see relay_pipe.h. */
#include "relay_pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BURST_NS 2000000   /* the bucket holds what the rate gives in 2 ms, */
#define BURST_BYTES 3000   /* but two packets at least */
#define READ_BYTES_MIN 512 /* with fewer to spend it waits */

bool pipe_open(struct pipe *p, int from, int to)
{
	*p = (struct pipe){ .from = from, .to = to, .is_open = true };
	p->ring = malloc(PIPE_BYTES);
	p->chunks = malloc(PIPE_CHUNKS * sizeof(*p->chunks));
	return p->ring && p->chunks;
}

void pipe_break(struct pipe *p, struct pipe *back)
{
	close(p->from);
	close(p->to);
	free(p->ring);
	free(p->chunks);
	free(back->ring);
	free(back->chunks);
	*p = *back = (struct pipe){ 0 };
}

static void fill(struct bucket *b, const struct path *path, uint64_t now)
{
	double most = path->bytes_per_ns * BURST_NS;

	most = most < BURST_BYTES ? BURST_BYTES : most;
	b->bytes += b->filled_at ? (double)(now - b->filled_at) * path->bytes_per_ns : most;
	b->bytes = b->bytes < most ? b->bytes : most;
	b->filled_at = now;
}

static bool has_room(const struct pipe *p)
{
	return p->used < PIPE_BYTES && p->count < PIPE_CHUNKS && !p->is_ended;
}

bool pipe_read(struct pipe *p, const struct path *path, struct bucket *b, uint64_t now, uint32_t *ret_got)
{
	uint32_t tail = (p->head + p->used) % PIPE_BYTES, most = PIPE_BYTES - p->used;
	ssize_t n;

	*ret_got = 0;
	most = most < PIPE_BYTES - tail ? most : PIPE_BYTES - tail;
	if (path->bytes_per_ns > 0) {
		fill(b, path, now);
		if (b->bytes < READ_BYTES_MIN)
			return true;
		most = b->bytes < most ? (uint32_t)b->bytes : most;
	}
	if (!has_room(p))
		return true;
	n = recv(p->from, p->ring + tail, most, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		p->is_ended = true;
		return true;
	}
	b->bytes -= path->bytes_per_ns > 0 ? (double)n : 0;
	p->chunks[(p->first + p->count++) % PIPE_CHUNKS] = (struct chunk){ now + path->delay, (uint32_t)n };
	p->used += (uint32_t)n;
	*ret_got = (uint32_t)n;
	return true;
}

static void drop_sent(struct pipe *p, uint32_t sent)
{
	struct chunk *c = &p->chunks[p->first];

	p->head = (p->head + sent) % PIPE_BYTES;
	p->used -= sent;
	c->bytes -= sent;
	if (!c->bytes) {
		p->first = (p->first + 1) % PIPE_CHUNKS;
		p->count--;
	}
}

bool pipe_write(struct pipe *p, uint64_t now)
{
	while (p->count && p->chunks[p->first].due <= now) {
		uint32_t n = p->chunks[p->first].bytes, to_end = PIPE_BYTES - p->head;
		ssize_t sent = send(p->to, p->ring + p->head, n < to_end ? n : to_end, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
		drop_sent(p, (uint32_t)sent);
	}
	if (p->is_ended && !p->count && !p->is_shut) {
		shutdown(p->to, SHUT_WR);
		p->is_shut = true;
	}
	return true;
}

uint64_t pipe_await(
	struct pipe *p, const struct path *path, struct bucket *b, uint64_t now, struct pollfd ret[2])
{
	uint64_t next = UINT64_MAX;

	ret[0] = (struct pollfd){ .fd = -1, .events = POLLIN };
	ret[1] = (struct pollfd){ .fd = -1, .events = POLLOUT };
	if (!p->is_open)
		return next;
	if (path->bytes_per_ns > 0)
		fill(b, path, now);
	if (has_room(p) && path->bytes_per_ns > 0 && b->bytes < READ_BYTES_MIN)
		next = now + (uint64_t)((READ_BYTES_MIN - b->bytes) / path->bytes_per_ns) + 1000;
	else if (has_room(p))
		ret[0].fd = p->from;
	if (p->count && p->chunks[p->first].due > now)
		next = p->chunks[p->first].due < next ? p->chunks[p->first].due : next;
	else if (p->count)
		ret[1].fd = p->to;
	return next;
}
