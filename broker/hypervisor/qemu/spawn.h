/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts a program that outlives us: in a session of its own, without any right but those of its uid, with the
 * descriptors that it is given and none else. Its pid is on disk before it does anything. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SPAWN_FDS_MAX 4
#define SPAWN_FD 3 /* the number of the first of them in the program */

struct spawn_params {
	const char *const *argv; /* argv[0] is a path; ends with NULL */
	const int *fds;          /* become SPAWN_FD, SPAWN_FD + 1, …; borrowed */
	size_t fds_n;
	const int *groups; /* "cgroup.procs", open for writing; borrowed */
	size_t groups_n;
	uid_t uid;            /* and gid */
	gid_t also;           /* another group, or 0 */
	int log_fd;           /* stdout and stderr; borrowed */
	const char *pid_file; /* process.h; written first */
	bool follows;         /* it ends when the calling thread does */
};

/* Returns a pidfd (owned) of it, or a PST_E… with err: then there is no process. The caller reaps. */
int qm_spawn(const struct spawn_params *p, struct pst_err *err);
