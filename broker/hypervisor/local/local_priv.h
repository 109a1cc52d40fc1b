/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the local driver share. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/local/cgroup.h"
#include "broker/hypervisor/process.h"
#include "broker/hypervisor/uids.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct local_watch;

struct local {
	struct driver base;
	char data[PATH_MAX];
	char desktops[PATH_MAX]; /* data + "/desktops" */
	char agents[PATH_MAX];   /* data + "/run/agents" */
	char libexec[PATH_MAX];
	uid_t gateway_uid;       /* may reach display.sock, and the agent lets it in */
	gid_t gateway_gid;
	uint32_t capacity;
	struct uids uids;
	struct cgroup cgroup;
	uv_loop_t *loop;
	struct local_watch *watches; /* loop thread */
};

/* record.c: desktops/UUID/state.json */
enum record_phase {
	RECORD_CREATING,
	RECORD_RUNNING,
	RECORD_DESTROYING,
};

struct record {
	enum record_phase phase;
	uid_t uid;
	struct machine_request request;
};

/* The path of a desktop's directory, or of a file in it (name may be NULL). */
int desktop_path(const struct local *l, const char *desktop, const char *name, char out[PATH_MAX],
	struct pst_err *err);
int record_save(const struct local *l, const struct record *r, struct pst_err *err);
/* PST_ENOTFOUND when there is none. */
int record_load(const struct local *l, const char *desktop, struct record *ret, struct pst_err *err);

/* layers.c: upper, work, root, run and home of a new desktop; enrol.json. */
int layers_make(const struct local *l, const struct record *r, struct pst_err *err);
/* Removes upper, work, home and run, for a refresh. The desktop must be dead. */
int layers_remove(const struct local *l, const char *desktop, struct pst_err *err);
/* run/enrol.json with a new token; the desktop must not run. Without a token nothing. */
int layers_enrol(const struct local *l, const struct record *r, struct pst_err *err);

/* life.c: starting and ending process 1. */
int life_start(const struct local *l, const struct record *r, struct pst_err *err);
/* The live process 1 as a pidfd (owned), or PST_ENOTFOUND with the reason it is gone. */
int life_open(const struct local *l, const char *desktop, struct pst_err *err);
/* Kills it with everything inside and waits; 0 when nothing lives there any more. */
int life_end(const struct local *l, const char *desktop, struct pst_err *err);
/* Takes the zombie of a dead process 1 away, where it is ours. */
void life_reap(const struct local *l, const char *desktop);
/* Why it is dead: the last lines of its log that tell. */
void life_reason(const struct local *l, const char *desktop, char out[MACHINE_REASON_SIZE]);

/* watch.c */
int local_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err);
void local_watches_close(struct local *l);
