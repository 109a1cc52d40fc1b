/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the ssh driver share. */
#pragma once

#include "broker/hypervisor/calls.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/mark.h"
#include "broker/hypervisor/poller.h"
#include "broker/hypervisor/seed.h"
#include "broker/hypervisor/ssh/exec.h"
#include "broker/hypervisor/ssh/record.h"
#include "broker/hypervisor/ssh/sets.h"
#include "broker/hypervisor/watches.h"

#define SSH_MACHINES_MAX 16384

struct ssh {
	struct driver base;
	char set[16];         /* name of the set, or "own" */
	char dir[PATH_MAX];   /* of the host: where our records lie */
	char root[PATH_MAX];  /* of the host: {root} */
	char *commands[SSH_COMMANDS]; /* compiled, owned; NULL where not carried */
	bool forgets;         /* a revert removes what was taken later */
	unsigned can;
	uint32_t capacity;
	uint64_t deadline_ms;
	struct seed_site seed;
	struct remote *remote;
	struct calls calls;
	struct watches *watches;
	struct poller *poller;
	pthread_mutex_t naming; /* guards the two below */
	struct lv_addresses addresses;
	bool has_looked; /* addresses of earlier runs are marked */
};

/* A command for a desktop ("": for none), from its begin to its end. */
struct ssh_op {
	struct ssh *s;
	struct call call;
	char name[ANSWER_NAME_SIZE]; /* of the desktop's machine */
};

struct ssh *ssh_of(struct driver *d);

/* ssh_op.c. end follows a begin that returned 0. */
int ssh_op_begin(struct ssh_op *op, struct ssh *s, const char *desktop, uint64_t timeout_ms, struct pst_err *err);
void ssh_op_end(struct ssh_op *op);
/* A script with the desktop's names in it; with r, what is asked for, too. */
void ssh_script_begin(struct script *sc, const struct ssh_op *op, const struct ssh_record *r);
/* The record goes into the script. */
int ssh_script_put(struct script *sc, const struct ssh_record *r, struct pst_err *err);
/* Takes it, and runs it. */
int ssh_script_do(struct script *sc, struct ssh_op *op, struct pst_err *err);
/* The name by which machines of that desktop are listed: {name}. */
void ssh_machine_name(const char *desktop, char out[ANSWER_NAME_SIZE]);

/* What the host knows of one desktop. */
struct ssh_found {
	struct ssh_record record; /* if there is one */
	struct answer_machine machine; /* if it is listed */
	bool has_record, has_machine;
};

int ssh_look(struct ssh_op *op, struct ssh_found *ret, struct pst_err *err);
/* As ssh_look; without a record PST_ENOTFOUND. */
int ssh_need(struct ssh_op *op, struct ssh_found *ret, struct pst_err *err);

/* inventory.c: a record and what is listed for it (NULL: nothing) as a machine. */
void ssh_machine_fill(const struct ssh *s, const struct ssh_record *r, const struct answer_machine *listed, struct machine *m);
int ssh_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int ssh_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);

/* life.c */
int ssh_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int ssh_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int ssh_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);

/* power.c */
int ssh_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);
int ssh_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int ssh_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int ssh_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int ssh_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err);
