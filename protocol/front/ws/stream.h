/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's stream: a socket on the loop that carries messages, each behind a 4-byte big-endian length, in both directions.
 * The gate on the other end turns them into WebSocket messages. Loop thread only.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"

#define WS_OUT_MAX (384u * 1024 * 1024) /* bytes that wait for the socket: the largest FRAME and its headers */

struct ws_stream;

struct ws_stream_events {
	/* One message of 1…WS_MESSAGE_MAX bytes, borrowed. The stream may be destroyed from here. */
	void (*message)(void *arg, const uint8_t *data, size_t len);
	/* Everything that was put has left for the socket. */
	void (*drained)(void *arg);
	/* The end; nothing follows. code 0: the other side closed. */
	void (*failed)(void *arg, int code, const char *reason);
};

/* Takes fd, also on failure. Returns owned or NULL. */
struct ws_stream *ws_stream_create(uv_loop_t *loop, int fd, const struct ws_stream_events *ev, void *arg);

/* No event follows; bytes that wait are tried once more and then dropped. Accepts NULL. */
void ws_stream_destroy(struct ws_stream *s);

/* Sends a body of any length as one message, in parts where it must. 0, or negative when the stream cannot take it and is dead. */
int ws_stream_put(struct ws_stream *s, uint8_t type, const uint8_t *body, size_t len);

/* Ends the stream from our side: `failed` follows from the loop with this constant reason. */
void ws_stream_break(struct ws_stream *s, const char *reason);

/* Closes the writing side once everything has left; `failed` follows when the other side closes too. */
void ws_stream_finish(struct ws_stream *s);

uv_loop_t *ws_stream_loop(const struct ws_stream *s);

/* Bytes that have not reached the socket yet. */
size_t ws_stream_queued(const struct ws_stream *s);
uint64_t ws_stream_sent(const struct ws_stream *s);
uint64_t ws_stream_received(const struct ws_stream *s);
