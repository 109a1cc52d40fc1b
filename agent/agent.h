/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent: one desktop, at most one viewer in it. Joins the pieces of this directory on one loop. */
#pragma once

#include <sys/types.h>
#include <uv.h>

#include "base/err.h"

#define AGENT_GATEWAYS_MAX 7

struct agent;

struct agent_params {
	const char *run;     /* folder of the sockets, the enrolment and the state: /run/puesto */
	const char *display; /* NULL: $DISPLAY */
	const char *fbdir;   /* Xvfb's -fbdir folder, or NULL */
	const char *broker;  /* the broker's socket */
	const char *broker_tls;  /* or its ADDRESS:PORT on another host, NULL for none; wants ca */
	const char *display_tls; /* ADDRESS:PORT for gateways of other hosts, or NULL; wants ca */
	const char *ca;          /* the authority's certificate, or NULL */
	const char *layout;  /* keyboard layout to load at the start, or NULL */
	uid_t gateways[AGENT_GATEWAYS_MAX]; /* that may open the display link, beside root */
	size_t n_gateways;
};

/*
 * The X side, of display, fbdir and layout. Nothing random is drawn and nothing of who this desktop is gets looked at: it may be done in a
 * machine whose memory becomes that of many. lost: the X server is gone and the agent of no more use. Strings are copied. Returns owned,
 * NULL with err.
 */
struct agent *agent_open(uv_loop_t *loop, const struct agent_params *params, void (*lost)(void *arg),
	void *arg, struct pst_err *err);

/* The rest, once: identity, broker, doors. After a failure only agent_destroy may be called. */
int agent_start(struct agent *a, const struct agent_params *params, struct pst_err *err);

/* Says good-bye to the viewer and frees. Accepts NULL. */
void agent_destroy(struct agent *a, const char *reason);
