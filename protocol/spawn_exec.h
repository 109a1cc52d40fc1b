/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts one worker process with as little as it needs. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct spawn_exec {
	const char *path;
	uint32_t front;        /* enum spawn_front */
	int ctl_fd, client_fd; /* borrowed; become 3 and 4 */
	uid_t uid;             /* 0: the caller's own */
	unsigned long memory_max;
};

/* Returns the pid or -errno; also a failed exec is reported here. */
int spawn_exec(const struct spawn_exec *e);
