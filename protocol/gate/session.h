/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One display connection as the gate knows it: a worker process, its control channel, and the session that the broker granted. It carries the
 * worker's questions to the broker, hands it the display link, and says how it ended. Loop thread only.
 */
#pragma once

#include <jansson.h>

#include "protocol/gate/limits.h"
#include "protocol/gate/spawn_wire.h"

struct gate;
struct session;

struct session_end {
	bool is_crash;
	const char *code; /* snake_case */
	const char *reason_en, *reason_es;
};

struct session_params {
	enum spawn_front front;
	int client_fd;      /* takes: the client's socket, or one end of a relay's pair */
	const char *remote;
	struct limits_key key;
	bool owns_count;    /* the connection's place in the limits is given back when the session ends */
	bool is_relayed;    /* the stream comes over a WebSocket: no TLS in the front */
	json_t *grant;      /* borrowed; NULL when the front logs in by itself */
	int display_fd;     /* takes; with a grant: a display link, or an RFB server where the grant's endpoint says so */
	struct seat *seat;  /* takes: what the display link leads to, or NULL */
	/* The worker has ended. May be NULL; not called after session_forget. */
	void (*ended)(void *arg, const struct session_end *end);
	void *arg;
};

/* Returns NULL (everything taken is given back) when no worker could be asked for. */
struct session *session_start(struct gate *g, const struct session_params *p);
/* The owner is gone: the worker may finish by itself. */
void session_forget(struct session *s);

/* The broker's words: ends the session with this uuid. */
void session_end_by_broker(struct gate *g, const json_t *msg);
void session_end_all(struct gate *g, const char *code, const char *reason_en, const char *reason_es);
/* The spawner's words. */
void session_exited(struct gate *g, uint32_t serial, int status);
/* For the hello: the uuids of live sessions, and the consoles that are looked at as the broker named them. Returns owned. */
json_t *session_list(const struct gate *g);
json_t *session_consoles(const struct gate *g);
void session_close_all(struct gate *g);
