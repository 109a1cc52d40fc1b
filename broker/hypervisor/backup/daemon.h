/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk that no machine has open, in the hands of QEMU's storage daemon: in a sandbox, which reaches these files and
 * nothing else. Any thread.
 */
#pragma once

#include "broker/hypervisor/backup/blocks.h"

#include <stdint.h>

struct daemon_params {
	const char *program; /* qemu-storage-daemon's path */
	const char *disk;    /* absolute; qcow2 */
	bool is_alone;       /* what is below it is left closed: only its own clusters are read; it is not written to */
	int target_fd;       /* a file that a job may write to by its path, or -1; borrowed */
	uint64_t file_max;   /* bytes that any of them may grow to */
	uint64_t deadline_ms;
	/* On the calling thread. disk is what blocks_look wants. Not 0 ends all. */
	int (*talk)(void *arg, const struct blocks *b, struct pst_err *err);
	void *arg;
};

/* The disk keeps its owner and mode. PST_EBUSY while somebody uses it, PST_ENOTFOUND without the program, or what talk returned. */
int daemon_run(const struct daemon_params *p, struct pst_err *err);
