/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes of a disk that is not in use, by qemu-img in a sandbox that may write this one file
 * and read those below it. The file keeps its owner and mode. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <stdint.h>

struct edit_params {
	const char *program; /* the path of qemu-img */
	const char *path;    /* absolute; qcow2 */
	const char *within;  /* all files below it lie here (info.h) */
	uint32_t timeout_ms;
	int cancel_fd; /* readable: stop. -1: never */
	void (*progress)(void *arg, uint32_t basis_points); /* may be NULL */
	void *arg;
};

/*
 * Grows the disk to size bytes (a multiple of 512); 0 when it has that size. The guest's file
 * system does not know yet. PST_EINVAL for a smaller size, which would cut data off;
 * PST_EBUSY while somebody uses the disk. A stop in between leaves the old size or the new one.
 */
int edit_grow(const struct edit_params *p, uint64_t size, struct pst_err *err);

enum edit_snapshot {
	EDIT_SNAPSHOT_TAKE,
	EDIT_SNAPSHOT_APPLY,
	EDIT_SNAPSHOT_DELETE,
};

/*
 * A snapshot inside the file, of the disk alone; name is one of ours (pst_name_valid). Two may have one name: the
 * caller keeps them apart. PST_EIO with qemu-img's words when there is none of that name, PST_EBUSY as above.
 */
int edit_snapshot(const struct edit_params *p, enum edit_snapshot how, const char *name, struct pst_err *err);
