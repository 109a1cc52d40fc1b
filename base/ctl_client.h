/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A control connection that is kept: connects to a path, and again with growing pauses
 * (50 ms to 2 s, with jitter) after it is lost. Loop thread only.
 */
#pragma once

#include "base/ctl.h"

struct pst_ctl_client;

struct pst_ctl_client_events {
	/* A connection stands; ctl is borrowed until `closed`. Say hello here. */
	void (*connected)(struct pst_ctl_client *client, struct pst_ctl *ctl, void *arg);
	/* As in pst_ctl_events. */
	void (*message)(struct pst_ctl_client *client, json_t *msg, int fd, void *arg);
	/* The connection is lost and will be tried again. May be NULL. */
	void (*closed)(struct pst_ctl_client *client, const char *reason, void *arg);
};

/*
 * The first try is made in the loop's next turn. path is copied; events must outlive the
 * client. NULL on no memory.
 */
struct pst_ctl_client *pst_ctl_client_create(uv_loop_t *loop, const char *path,
	const struct pst_ctl_client_events *events, void *arg);

/*
 * The same over a connection that dial makes: it returns a connected stream socket (owned) or PST_E… with err. name is for messages.
 */
typedef int (*pst_ctl_dial_cb)(void *dial_arg, struct pst_err *err);
struct pst_ctl_client *pst_ctl_client_create_dial(uv_loop_t *loop, const char *name, pst_ctl_dial_cb dial, void *dial_arg,
	const struct pst_ctl_client_events *events, void *arg);

/* Ends it without further events; pending calls end with PST_ECLOSED. Accepts NULL. */
void pst_ctl_client_close(struct pst_ctl_client *client);

/* The live connection, borrowed, or NULL while there is none. */
struct pst_ctl *pst_ctl_client_ctl(struct pst_ctl_client *client);

/* As on a connection; without one: PST_ECLOSED (send), or done with PST_ECLOSED (call). */
int pst_ctl_client_send(struct pst_ctl_client *client, json_t *msg);
void pst_ctl_client_call(struct pst_ctl_client *client, json_t *msg, uint64_t timeout_ms,
	pst_ctl_done_cb done, void *arg);

/* As pst_ctl_call_cancel, also for calls that were refused for want of a connection. */
void pst_ctl_client_call_cancel(struct pst_ctl_client *client, void *arg);

/* Why the last try failed, for logs and consoles; "" while connected. Borrowed. */
const char *pst_ctl_client_reason(const struct pst_ctl_client *client);
