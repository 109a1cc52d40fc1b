/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest: one more viewer of a session that another connection began. Its stream goes to that session's worker by the control channel; no process
 * begins, and the desktop's agent hears nothing of it. Loop thread only.
 */
#pragma once

#include "protocol/gate/session.h"

struct guest;

struct guest_params {
	const json_t *grant; /* borrowed: {session, guest: {id, name, can_input}} */
	const char *remote;
	int client_fd; /* takes: one end of a relay's pair */
	/* The guest has ended, or its session has. Not called after guest_forget. */
	void (*ended)(void *arg, const struct session_end *end);
	void *arg;
};

/* Returns NULL when that session is not carried here, or has no worker that listens. */
struct guest *guest_start(struct gate *g, const struct guest_params *p);
/* The owner is gone: the worker says when the guest is. */
void guest_forget(struct guest *guest);

/* The worker's words. */
void guest_event(struct session *s, const json_t *msg);
/* The broker's, as the worker takes them: ends the guest with this id. */
void guest_end_by_broker(struct gate *g, json_t *msg);
/* The session has ended; end NULL: without a word. */
void guest_drop_all(struct session *s, const struct session_end *end);
/* For the hello: [{guest: {id, …}, session}], returns owned. */
json_t *guest_list(const struct gate *g);
