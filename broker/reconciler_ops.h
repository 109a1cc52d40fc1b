/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the reconciler asks of the shell around it: commands and words to the other programs, the audit, notices.
 * Strings and structs are borrowed for the call.
 */
#pragma once

#include "broker/core/axes.h"
#include "broker/core/event.h"
#include "broker/recycling.h"

struct pst_err;

/* What the provisioner is asked. The strings live for the call only. */
struct provider_command {
	enum task_kind kind;
	const char *task, *desktop; /* uuids; a repeated task has the same answer */
	const char *arg;         /* of an operation: a snapshot, "MEMORY_MB,CPU_PERCENT,DISK_MB", a host */
	const char *enrol_token; /* create, restart and refresh: for an agent that has no key */
	const char *host;        /* create: where, or "" */
	const char *provider, *hostname; /* create and refresh, from here on */
	const char *image_name, *image_version, *image_base, *image_path, *image_os, *image_sha256; /* of its files on datastores, or "" */
	const char *network, *locale, *layout, *display;
	const char *owner, *store, *disk; /* attach and detach: of the user's disk, which is named by its pool */
	struct recycling recycling;
	int memory_mb, cpus, pids, disk_mb, personal_mb, max_width, max_height;
};

struct agent_message {
	enum agent_tell kind;
	const char *user;                 /* lease */
	int64_t epoch;                    /* lease */
	const struct core_reason *reason; /* logoff; message: en holds the text */
};

struct audit_entry {
	const struct core_actor *actor;
	const char *kind; /* desktop.assigned, desktop.created, session.started, task.failed, … */
	const char *object_kind, *object_id;
	const char *detail; /* JSON text */
};

struct reconciler_ops {
	/* The two clocks and fresh random uuids; NULL: the real ones. */
	void (*now)(void *arg, struct core_now *ret);
	void (*uuid)(void *arg, char ret[CORE_ID_SIZE]);
	/* Call reconciler_tick() in delay_ms (the last call counts; negative: never). */
	void (*wake)(void *arg, int64_t delay_ms);
	/* Sends one command, answered by reconciler_task_result(). One that cannot be sent now is sent again by the core: just return. */
	void (*provision)(void *arg, const struct provider_command *cmd);
	/* Asks for a list of the machines; the answer is reconciler_inventory(). */
	void (*inventory)(void *arg);
	void (*tell_agent)(void *arg, const char *desktop, const struct agent_message *msg);
	void (*end_session)(void *arg, const char *session, const char *gateway, const struct core_reason *why);
	/* Inside the transaction: append to the audit; a negative result undoes it all. */
	int (*audit)(void *arg, const struct audit_entry *entry, struct pst_err *err);
	/* After the commit: "desktop", "pool", "session", "provider" and its id; "user": of his own disk. */
	void (*changed)(void *arg, const char *kind, const char *id);
	/* The answer for this waiting user may be another now: call reconciler_connect() again. */
	void (*waiter)(void *arg, const char *user_id, const char *pool_id);
};
