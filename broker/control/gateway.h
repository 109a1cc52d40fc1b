/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What gateway.c and viewer.c share: a gate's connection and its calls at work. */
#pragma once

#include "broker/control/control_priv.h"

#define GATEWAY_CALLS_MAX 4000

struct dial;
struct gateway;

/* One call of the gate that is answered later. */
struct gate_call {
	struct gate_call *next;
	struct gateway *g;
	json_t *msg; /* the request; owned */
	void (*drop)(struct gate_call *call); /* frees what hangs on it, not itself */
	struct api_call *api; /* an API call … */
	struct viewer *viewer; /* … or a viewer on the way to its desktop */
	struct dial *dial; /* … or one that waits for a connection to a machine's own screen */
	bool is_streaming;
};

struct gateway {
	struct gateway *next;
	struct control *c;
	struct pst_ctl *ctl;
	char name[CORE_WORD_SIZE];
	bool has_hello;
	size_t sessions;
	struct gate_call *calls;
	size_t call_count;
};

/* NULL: too many; the request has been refused. */
struct gate_call *gate_call_create(struct gateway *g, json_t *msg);
/* Forgets the call; drop is not called. */
void gate_call_free(struct gate_call *call);

/* viewer.c: a viewer's password, its wait for a desktop, its ticket. */
void viewer_auth(struct gateway *g, json_t *msg);
void viewer_connect(struct gateway *g, json_t *msg);
void viewer_redeem(struct gateway *g, json_t *msg);
/* The answer for this user and pool may be another one now. */
void viewer_wake(struct gate_call *call, const char *user_id, const char *pool_id);
