/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a WebSocket display, and the relay inside it. */
#pragma once

#include <jansson.h>
#include <uv.h>

#include "base/buf.h"
#include "protocol/gate/limits.h"
#include "protocol/gate/ws_frame.h"

struct broker_call;
struct display;
struct gate;
struct guest;
struct pst_timer;
struct relay_pipe;
struct session;
struct stream;

/* What the client's upgrade said. */
struct offer {
	const char *subprotocol; /* static; NULL when it named none */
	char ticket[257];
};

/*
 * Bytes between the WebSocket and the worker's pipe. Towards the client at most one pipe read lies in the stream's queue; towards
 * the worker at most TO_WORKER_MAX, then the client is not read.
 */
struct relay {
	struct display *display;
	struct relay_pipe *pipe; /* NULL before the worker and after its end */
	bool is_stopped, client_is_full, worker_is_full;
	struct ws_parser *parser;
	struct pst_buf from_worker; /* a message that is not whole yet */
	struct pst_buf to_worker;
};

struct display {
	struct gate *gate;
	struct display *next, **at;
	struct stream *stream;
	struct session *session; /* NULL before the grant and after its end */
	struct guest *guest;     /* …or one more viewer of another connection's session */
	struct broker_call *call;
	uint32_t spawn_serial;
	struct pst_timer *timer; /* pings, then the close */
	struct limits_key key;
	char remote[64];
	bool is_rfb, is_spanish, is_closing;
	int silence; /* pings since the client was last heard */
	json_t *grant;
	struct relay relay;
};

/* Says why with a WebSocket close code and ends the connection. */
void display_end(struct display *d, int code, const char *en, const char *es);

int relay_init(struct relay *r);
void relay_finish(struct relay *r);
/* Takes fd, the gate's end of the pair with the worker. */
void relay_start(struct relay *r, struct display *d, int fd);
/* Nothing is relayed any more. */
void relay_stop(struct relay *r);
/* The worker has ended: what it wrote last still goes to the client. */
void relay_drain(struct relay *r);
/* Bytes of the client. */
void relay_from_client(struct relay *r, const uint8_t *bytes, size_t len);
/* The client's socket has room again. */
void relay_client_ready(struct relay *r);
