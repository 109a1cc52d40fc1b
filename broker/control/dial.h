/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's own screen for a call of the gate: the provisioner makes the connection, and it comes back as a descriptor. */
#pragma once

#include "broker/control/gateway.h"

struct dial_events {
	/*
	 * Once, unless the gate goes first. fd is taken by nobody: it is closed after the call. reply is NULL or has "error" on failure, as in pst_ctl_done_cb. The callee
	 * answers the call; it is freed then.
	 */
	void (*done)(struct gate_call *call, const json_t *reply, int fd, const struct pst_err *err, void *arg);
	/* In place of it: the gate is gone, or does not want it any more. May be NULL. */
	void (*dropped)(void *arg);
};

/* is_user: for who has the desktop, else for an administrator; is_shared: others look at that screen already, and are to go on. Takes the call, whose drop must be free. False: it has been refused, and dropped comes not. */
bool dial_start(struct gate_call *call, const char *desktop, bool is_user, bool is_shared, const struct dial_events *events, void *arg);

/*
 * Answers a call with the grant (taken) of a desktop that has no agent: the connection beside it, or a refusal, and then its session has ended. Takes the call.
 */
void dial_seat(struct gate_call *call, json_t *grant);
