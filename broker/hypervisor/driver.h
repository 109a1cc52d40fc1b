/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A provider of machines: a small table of functions with several implementations
 * (registry.h) and one contract suite in tests/unit/hypervisor for all of them.
 *
 * Blocking slots (create, destroy, restart, list, capacity) are called on any thread,
 * several at a time, but never two at once for the same desktop. open, watch and close
 * are called on the loop's thread. Every blocking slot can be repeated after a crash at
 * any point: what it does is found again by the desktop's uuid and the task's uuid.
 */
#pragma once

#include "base/conf.h"
#include "base/err.h"
#include "base/hash.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#define MACHINE_NAME_SIZE 64
#define MACHINE_REASON_SIZE 512
#define MACHINE_TOKEN_SIZE 128

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_STOPPED, /* can be restarted with what it holds */
	MACHINE_FAILED,  /* died or was never finished; reason says more */
};

const char *machine_state_name(enum machine_state state);

/* What the broker asked for. Checked by request_parse; strings are never empty but token. */
struct machine_request {
	char task[PST_UUID_SIZE];
	char desktop[PST_UUID_SIZE];
	char image_name[MACHINE_NAME_SIZE];
	char image_version[MACHINE_NAME_SIZE];
	char image_base[PATH_MAX]; /* "host", or the path of a root tree */
	char image_path[PATH_MAX]; /* of the image's version, with layer/ in it */
	char hostname[64];
	char locale[33];
	char layout[33];
	char enrol_token[MACHINE_TOKEN_SIZE]; /* "" when the desktop keeps its enrolment */
	uint32_t memory_mb;
	uint32_t cpu_percent; /* 100 is one processor */
	uint32_t pids;
	uint32_t max_width, max_height;
	bool network;
};

/* What there is. */
struct machine {
	char desktop[PST_UUID_SIZE];
	char task[PST_UUID_SIZE]; /* of its last create or restart */
	char image[2 * MACHINE_NAME_SIZE]; /* "name:version" */
	char endpoint[PATH_MAX];  /* a unix socket: the agent's display link */
	char reason[MACHINE_REASON_SIZE];
	enum machine_state state;
	uid_t uid; /* of everything in it, as seen from outside */
};

struct driver_capacity {
	uint32_t machines; /* at most, running or not */
	bool healthy;
	char reason[MACHINE_REASON_SIZE]; /* why not, and what to do */
	char limits[MACHINE_NAME_SIZE];   /* which resource limits hold, for the log */
};

struct driver;

typedef void (*driver_visit_cb)(const struct machine *m, void *arg);

/* On the loop's thread: the machine ended by itself, reason in words. */
typedef void (*driver_ended_cb)(const char *desktop, const char *reason, void *arg);

struct driver_params {
	const char *name;     /* of this provider */
	const char *data;     /* the data directory, absolute */
	const char *libexec;  /* where Puesto's helper programs lie */
	struct pst_conf *conf;
	const char *section;  /* this provider's part of conf */
	uv_loop_t *loop;
};

struct driver_type {
	const char *kind;
	/* Returns owned, or NULL with err. May leave faults for capacity to tell. */
	struct driver *(*open)(const struct driver_params *p, struct pst_err *err);
	/*
	 * Makes the machine and fills ret. The same task again gives the same answer; a live
	 * machine of another task is PST_ECONFLICT; the remains of a dead one are replaced.
	 */
	int (*create)(struct driver *d, const struct machine_request *r, struct machine *ret,
		struct pst_err *err);
	/* Ends and removes everything of it; 0 when there was nothing. */
	int (*destroy)(struct driver *d, const char *desktop, struct pst_err *err);
	/*
	 * Ends and starts it again; refresh replaces its layers and home by new ones. Fields of
	 * r that are "" or 0 are taken from the last request. PST_ENOTFOUND without a machine.
	 */
	int (*restart)(struct driver *d, const struct machine_request *r, bool refresh,
		struct machine *ret, struct pst_err *err);
	/* Every machine of this provider, live or not. m is borrowed for the call. */
	int (*list)(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
	int (*capacity)(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
	/*
	 * Calls ended once when the machine that stands now ends by itself; soon (in a later
	 * loop turn) when it has ended already. Silent when it was destroyed. A second watch
	 * replaces the first.
	 */
	int (*watch)(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
		struct pst_err *err);
	/* Machines stay; watches end silently. No other slot may be running. */
	void (*close)(struct driver *d);
};

/* Implementations embed this first. */
struct driver {
	const struct driver_type *type;
	char name[MACHINE_NAME_SIZE];
};

/* The wrappers check what the type may rely on (uuids, "ret" unset on failure). */
struct driver *driver_open(const struct driver_type *type, const struct driver_params *p,
	struct pst_err *err);
int driver_create(struct driver *d, const struct machine_request *r, struct machine *ret,
	struct pst_err *err);
int driver_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int driver_restart(struct driver *d, const struct machine_request *r, bool refresh,
	struct machine *ret, struct pst_err *err);
int driver_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int driver_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
int driver_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err);
void driver_close(struct driver *d);

/* May the same command work later? For the broker's circuit breaker. */
bool driver_is_retryable(int code);
