/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TLS connection on the loop: handshake, reading with pause, writing through a bounded queue. All calls and events are on the
 * loop thread. Any event may close the stream; its memory goes away in a later turn of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/err.h"

struct stream;
struct tls_server;

struct stream_events {
	void (*opened)(void *arg); /* the handshake is done */
	/* Bytes came; borrowed. Not called while paused. */
	void (*data)(void *arg, const uint8_t *bytes, size_t len);
	/* The queue has become empty after it was not. */
	void (*drained)(void *arg);
	/* The end, by either side. Nothing comes after it; the pointer is dead when it returns. */
	void (*closed)(void *arg, const char *reason);
};

/* Takes fd (connected, non-blocking; closed on failure too). queue_max: ceiling of unsent bytes. */
struct stream *stream_create(uv_loop_t *loop, int fd, struct tls_server *tls, size_t queue_max, const struct stream_events *ev, void *arg,
			     struct pst_err *err);
/* Hands the stream to another owner. */
void stream_set_events(struct stream *s, const struct stream_events *ev, void *arg);

/* Queues a copy; it travels at the next flush. 0, or PST_ELIMIT when the queue is full (the caller should then close). */
int stream_write(struct stream *s, const void *data, size_t len);
/* Sends what the socket takes now, the rest as it becomes writable. May call closed. */
void stream_flush(struct stream *s);
size_t stream_queued(const struct stream *s);

void stream_pause(struct stream *s, bool is_paused);
/* Sends what is queued, then ends; closed follows. The owner keeps a deadline. */
void stream_end(struct stream *s);
/* Ends at once, no event. Accepts NULL. */
void stream_close(struct stream *s);
