/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate's connection to the broker. While the broker is away a call waits up to three seconds for it to come back, so a restart of the
 * broker is a pause and not an error. Loop thread only.
 */
#pragma once

#include "base/ctl.h"

#define BROKER_GRACE_MS 3000

struct broker_link;
struct broker_call;

struct broker_events {
	/* Connected: the hello message to send (returns owned), naming the sessions that live. */
	json_t *(*hello)(void *arg);
	/* A message without being asked: "end", "revoke_all". */
	void (*message)(void *arg, json_t *msg);
};

struct broker_link *broker_link_create(uv_loop_t *loop, const char *path, const struct broker_events *ev, void *arg);
/* Ends it; pending calls are answered with PST_ECLOSED first. Accepts NULL. */
void broker_link_close(struct broker_link *b);
bool broker_link_is_up(const struct broker_link *b);

/*
 * Calls the broker; msg is taken. done comes exactly once unless the call is cancelled, never from inside this function. may_repeat: a
 * call that was lost with the connection is made once more. Returns the call for broker_call_cancel, NULL (and no done) without memory.
 */
struct broker_call *broker_call(struct broker_link *b, json_t *msg, uint64_t timeout_ms, bool may_repeat, pst_ctl_progress_cb progress,
				pst_ctl_done_cb done, void *arg);
/* Forgets a call that is not done; tells the broker when it is under way. */
void broker_call_cancel(struct broker_call *call);

/* A notification; msg is taken. While the broker is away up to 256 are kept for it. */
void broker_notify(struct broker_link *b, json_t *msg);
