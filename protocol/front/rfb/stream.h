/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A byte stream to the viewer: a socket on the loop, in clear or under TLS (GnuTLS), with bounded buffers in both
 * directions. Loop thread only.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"
#include "base/err.h"

#define RFB_IN_MAX (1024 * 1024 + 64 * 1024) /* a clipboard message and some small ones */
#define RFB_OUT_MAX (320u * 1024 * 1024)     /* one raw frame of 8192 × 8192 and its headers */

struct rfb_stream;

struct rfb_stream_events {
	/* New bytes stand in `in`; the callee consumes what it can use. */
	void (*readable)(void *arg, struct pst_buf *in);
	/* What had to wait in the output has left for the socket. Never from inside rfb_stream_flush. */
	void (*drained)(void *arg);
	/* The TLS handshake is over. */
	void (*secured)(void *arg);
	/* The end; nothing follows. code 0: the viewer closed the connection. */
	void (*failed)(void *arg, int code, const char *reason);
};

/* Takes fd (also on failure). Returns owned or NULL. */
struct rfb_stream *rfb_stream_create(uv_loop_t *loop, int fd, const struct rfb_stream_events *ev, void *arg);
/* No event follows; the memory goes when the loop has let go of the handle. Accepts NULL. */
void rfb_stream_destroy(struct rfb_stream *s);

/* Begins TLS as the server; `secured` follows. PEM texts are borrowed for the call. */
int rfb_stream_secure(struct rfb_stream *s, const char *cert_pem, const char *key_pem, struct pst_err *err);

/* The output: append, then flush. */
struct pst_buf *rfb_stream_out(struct rfb_stream *s);
void rfb_stream_flush(struct rfb_stream *s);
/* Bytes that have not reached the socket yet. */
size_t rfb_stream_queued(const struct rfb_stream *s);
uint64_t rfb_stream_sent(const struct rfb_stream *s);
uint64_t rfb_stream_received(const struct rfb_stream *s);
