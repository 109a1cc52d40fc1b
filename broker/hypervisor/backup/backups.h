/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The provisioner's back-ups: orders of the broker, some of them at work at a time, the others waiting. Loop thread only.
 *
 *	in   {"op": "backup", …}                    work.h; answered when it stands in the queue
 *	in   {"op": "backup_cancel", "task"}        answered
 *	out  {"op": "backup", "task", "state", …}   task.h
 *
 * A command for the desktop does not wait for its back-up: that gives way, and the broker tries again.
 */
#pragma once

#include "base/ctl_client.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/storage/stores.h"

#include <uv.h>

#define BACKUPS_AT_ONCE 2
#define BACKUPS_KEPT 256 /* with those that wait, and those that are over until they are needed no more */

struct backups;

struct backups_params {
	uv_loop_t *loop;
	struct stores *set; /* borrowed */
	unsigned at_once;
	/* NULL: there is no such provider. */
	struct driver *(*find)(void *arg, const char *provider);
	/* A command is at work on that desktop, or waits for it. */
	bool (*is_busy)(void *arg, const char *desktop);
	/* One has left its desktop alone. */
	void (*over)(void *arg);
	void *arg;
};

/* Returns owned; NULL on no memory. */
struct backups *backups_create(const struct backups_params *p);

/* The connection on which it speaks; borrowed until backups_disconnect. */
void backups_connect(struct backups *b, struct pst_ctl *ctl);
void backups_disconnect(struct backups *b);

/* Is this op ours? Then the message is taken care of, with its answer. */
bool backups_take(struct backups *b, struct pst_ctl *ctl, json_t *msg);

/* True while one is at work on that desktop's disk; it has been told to end, and over is called when it has. */
bool backups_hold(struct backups *b, const char *desktop);

/* A command has ended. */
void backups_go_on(struct backups *b);

/* Cancels them and waits for their ends. closed is called when everything is freed. Accepts NULL (then closed is not called). */
void backups_close(struct backups *b, void (*closed)(void *arg), void *arg);
