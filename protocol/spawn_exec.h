/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts one process for a display connection with as little as it needs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SPAWN_EXEC_FDS_MAX 4

struct spawn_exec {
	const char *path;
	const char *const *argv; /* ends with NULL */
	const int *fds;          /* borrowed; become 3, 4, … */
	size_t n_fds;            /* at most SPAWN_EXEC_FDS_MAX */
	uid_t uid;               /* 0: the caller's own */
	unsigned long memory_max;
	bool needs_network;      /* the host's network stays */
};

/* Returns the pid or -errno; also a failed exec is reported here. */
int spawn_exec(const struct spawn_exec *e);
