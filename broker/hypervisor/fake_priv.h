/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the fake driver share. */
#pragma once

#include "broker/hypervisor/fake.h"

#include <pthread.h>

#define FAKE_HOSTS_MAX 2

struct fake_machine {
	bool used;
	struct machine m;
	struct machine_size size;
	char snapshots[FAKE_SNAPSHOTS_MAX][MACHINE_NAME_SIZE]; /* "" is free */
	char personal[2 * MACHINE_NAME_SIZE]; /* OWNER/NAME, or "" */
	driver_ended_cb ended;
	void *ended_arg;
};

struct fake {
	struct driver base;
	pthread_mutex_t lock; /* guards everything below */
	struct fake_machine machines[FAKE_MACHINES_MAX];
	bool silent[FAKE_HOSTS_MAX]; /* hosts */
	bool fails_hosts;
	unsigned fail_n;
	int fail_code;
	uv_loop_t *loop;
};

struct fake *fake_of(struct driver *d);
/* With the lock. */
struct fake_machine *fake_find(struct fake *f, const char *desktop);
int fake_injected(struct fake *f, struct pst_err *err);
/* The machine that a further slot is about, with the lock held; NULL with err, and without the lock. */
struct fake_machine *fake_take(struct fake *f, const char *desktop, struct pst_err *err);

/* fake_personal.c */
int fake_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int fake_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int fake_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
