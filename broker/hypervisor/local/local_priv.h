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
struct local;
struct record;

/*
 * How desktops of this host come to life. The driver "local" makes namespaces itself (life.c); "lxc" leaves
 * that to liblxc. Everything else they share: records, layers, uids, watches.
 */
struct local_life {
	const char *folder; /* of desktops, below the data directory */
	unsigned can;       /* DRIVER_… */
	uid_t uid_lowest;   /* where the range of uids begins, unless one is configured */
	bool home_owned;    /* /home belongs to the desktop, which makes its own in it */
	/* The root tree below the image's layer. */
	int (*base)(const struct local *l, const struct machine_request *r, char out[PATH_MAX], struct pst_err *err);
	/* Process 1 lives and DIR/pid says which it is, or nothing does. */
	int (*start)(const struct local *l, const struct record *r, struct pst_err *err);
	/* After process 1's death, or when nobody knows it: nothing of it runs any more, and nothing is about to. */
	int (*settle)(const struct local *l, const char *desktop, struct pst_err *err);
	/* What is left of it beside its directory. */
	int (*remove)(const struct local *l, const char *desktop, struct pst_err *err);
	/* What is missing for it on this host, in words; out is "" before. */
	void (*faults)(const struct local *l, char *out, size_t size);
};

struct local {
	struct driver base;
	const struct local_life *life;
	char golden[PATH_MAX];   /* lxc: where golden containers lie */
	char bridge[32];         /* lxc: of desktops with a network */
	char data[PATH_MAX];
	char desktops[PATH_MAX]; /* data + "/" + folder */
	char agents[PATH_MAX];   /* data + "/run/agents" */
	char libexec[PATH_MAX];
	uid_t gateway_uid;       /* may reach display.sock, and the agent lets it in */
	gid_t gateway_gid;
	uint32_t capacity;
	bool has_personal, has_sizes; /* users' own files can be brought; they have a size */
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
	RECORD_STOPPED, /* switched off */
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
extern const struct local_life life_own;
/* Runs a helper to its end, at most timeout_ms; what it says on stderr is why it failed. */
int life_run(const char *program, char *const argv[], uint64_t timeout_ms, const char *desktop, struct pst_err *err);
/* The same about something else than its start: "desktop UUID, WHAT: …". */
int life_call(const char *program, char *const argv[], uint64_t timeout_ms, const char *desktop, const char *what, struct pst_err *err);
/* The live process 1 as a pidfd (owned), or PST_ENOTFOUND with the reason it is gone. */
int life_open(const struct local *l, const char *desktop, struct pst_err *err);
/* Kills it with everything inside and waits; 0 when nothing lives there any more. */
int life_end(const struct local *l, const char *desktop, struct pst_err *err);
/* Asks process 1 to end, and waits as long as that takes it; whether it did is for life_end. */
void life_ask(const struct local *l, const char *desktop);
/* Takes the zombie of a dead process 1 away, where it is ours. */
void life_reap(const struct local *l, const char *desktop);
/* Why it is dead: the last lines of its log that tell. */
void life_reason(const struct local *l, const char *desktop, char out[MACHINE_REASON_SIZE]);

/* local.c: the slots, for every kind of life. */
struct driver *local_open_with(const struct driver_params *p, const struct local_life *life, struct pst_err *err);
int local_create(struct driver *d, const struct machine_request *req, struct machine *ret, struct pst_err *err);
int local_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int local_restart(struct driver *d, const struct machine_request *req, bool refresh, struct machine *ret, struct pst_err *err);
int local_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int local_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
int local_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);
void local_close(struct driver *d);

/* personal.c */
int local_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int local_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int local_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
/* Can it be done on this machine? For a provider of that name. */
void local_personal_find(struct local *l, const char *name);

/* watch.c */
int local_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err);
void local_watches_close(struct local *l);
