/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One order about back-ups on a thread of its own. It has its turn, tells how far it is, and can be cancelled.
 *
 *	WAITING ──► COPYING ──► STORING ──► (done)        backup
 *	WAITING ──► CHECKING ──► COPYING ─► (done)        restore, rebuild
 *	    └──────────┴───────────┴──────► (failed)      also when it was cancelled
 */
#pragma once

#include "broker/hypervisor/backup/work.h"

#include <jansson.h>

struct backup_task;

/* driver as in backup_work. changed is called on any thread when there is news. Returns owned; NULL on no memory. */
struct backup_task *backup_task_create(struct stores *set, struct driver *driver, const struct backup_order *o, void (*changed)(void *arg),
	void *arg);
/* Its turn: the thread begins. False when there is none to be had. */
bool backup_task_start(struct backup_task *t);

const struct backup_order *backup_task_order(const struct backup_task *t);
bool backup_task_has_begun(const struct backup_task *t);
bool backup_task_is_over(struct backup_task *t);

/* It ends soon. why: a literal, told as the reason: PST_EBUSY, or PST_ECLOSED for NULL (somebody has cancelled it). Any thread. */
void backup_task_cancel(struct backup_task *t, const char *why);

/*
 * {"op": "backup", "task", "state": "running", "step", "percent"}, or "state": "done" with "datastore", "removed": [ids] and "made" (null, or
 * {"id", "parent", "kind", "reason", "made_ms", "disk_size", "bytes", "sha256"}), or "state": "failed" with "error": {"code", "title"}. True when it
 * differs from what the last call gave; ret is owned then (NULL on no memory).
 */
bool backup_task_news(struct backup_task *t, json_t **ret);
/* The next backup_task_news gives everything again. */
void backup_task_forget_told(struct backup_task *t);

/* Cancels, waits for its end, and frees. Accepts NULL. */
void backup_task_destroy(struct backup_task *t);
