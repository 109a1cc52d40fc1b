/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the container driver share. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/container/engine.h"
#include "broker/hypervisor/container/spec.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/uids.h"
#include "broker/hypervisor/watches.h"

#include <pthread.h>

struct op;

struct container {
	struct driver base;
	char engine[PATH_MAX]; /* path of its socket */
	char network[64];
	char data[PATH_MAX];
	bool has_personal, has_sizes; /* users' own disks can be brought; they have a size */
	char dirs[PATH_MAX];   /* data + "/containers" */
	char agents[PATH_MAX]; /* data + "/run/agents" */
	char libexec[PATH_MAX];
	char instance[17];
	uid_t gateway_uid;
	gid_t gateway_gid;
	uint32_t capacity; /* 0: as the engine's memory allows */
	uint64_t deadline_ms, poll_ms;
	struct http *http;
	struct watches *watches;
	struct uids uids;       /* taken: of creates that are on their way; the others are in the engine's list */
	pthread_mutex_t naming; /* one create at a time lists uids and takes one */
	pthread_mutex_t loading; /* an image into the engine; nothing else is locked by its holder */
	pthread_mutex_t lock;   /* guards the three below */
	struct op *ops;
	bool closing;
	pthread_cond_t woken;
	pthread_t watcher;
	bool watcher_runs;
};

/* A command on a desktop, from its begin to its end. */
struct op {
	struct engine_op engine;
	struct container *c;
	struct op *next;
	char desktop[PST_UUID_SIZE];
	char image[PST_SHA256_HEX_SIZE]; /* that container_image found */
};

struct container *container_of(struct driver *d);

void op_begin(struct op *op, struct container *c, const char *desktop);
void op_end(struct op *op);

/* The containers of one desktop: the one that counts, and others that a crash has left. */
struct found {
	struct spec_view now;
	bool is_there;
	struct spec_view others[4]; /* and if there are more, the next look finds them */
	size_t others_n;
	json_t *labels; /* of the one that counts; owned */
};

/* container_find.c. finish accepts a zeroed struct. */
int found_look(struct op *op, struct found *ret, struct pst_err *err);
void found_finish(struct found *f);
/* Removes what does not count. */
int found_tidy(struct op *op, struct found *f, struct pst_err *err);
int container_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
/* When this machine was started, for what an engine of it says; 0: not known. */
int64_t container_booted_ms(void);

/* container_dirs.c: the desktop's directory of this host, with run/ in it. */
int dirs_path(const struct container *c, const char *desktop, const char *name, char out[PATH_MAX], struct pst_err *err);
int dirs_make(const struct container *c, const char *desktop, uid_t uid, struct pst_err *err);
int dirs_remove(const struct container *c, const char *desktop, struct pst_err *err);
/* The socket of an agent that is not there any more would only mislead. */
int dirs_socket_remove(const struct container *c, const char *desktop, struct pst_err *err);
int dirs_enrol(const struct container *c, const struct machine_request *r, uid_t uid, struct pst_err *err);

/*
 * container_image.c: the engine's name of the image that r is to stand on, which the engine has afterwards; lives as long
 * as op. PST_EUNSUPPORTED for a base that is no container image.
 */
int container_image(struct op *op, const struct machine_request *r, const char **ret, struct pst_err *err);

/* container_make.c: creates (does not start) a container of that name. */
int container_make(struct op *op, const char *name, const struct machine_request *r, uid_t uid, const char *image, struct pst_err *err);
/* Starts it and sees that it runs as the uid it should. */
int container_start(struct op *op, const char *name, uid_t uid, struct pst_err *err);

/* container_snapshot.c: the slots, and what goes with the desktop. */
int container_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int container_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int container_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int container_snapshots_remove(struct op *op, struct pst_err *err);

/*
 * container.c: a fresh container of that image takes the place of what was found, at a refresh without
 * anything of before, and runs unless it is off. Can be repeated after a crash at any point.
 */
int container_replace(struct op *op, struct found *f, const struct machine_request *r, const char *image, bool refresh, bool off,
	struct pst_err *err);

/* container_snapshot.c */
int container_files(struct driver *d, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err);

/* container_personal.c */
int container_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int container_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int container_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
/* Can it be done on this machine? For a provider of that name. */
void container_personal_find(struct container *c, const char *name);
/* Whatever it has is nobody's: its container has ended. */
int container_personal_release(struct op *op, struct pst_err *err);

/* container_watch.c: the thread that looks for ends. */
int watcher_start(struct container *c, struct pst_err *err);
void watcher_stop(struct container *c);
