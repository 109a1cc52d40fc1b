/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every disk below a folder, wherever it lies: *.qcow2 and *.raw, and qcow2 files that have
 * only their temporary name. Folders called "tree" hold no disks. Links are not followed, other file systems not entered. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <sys/stat.h>

#define WALK_DEPTH_MAX 6     /* folders below the first */
#define WALK_DISKS_MAX 200000

/* All borrowed for the call; fd is open for reading. Not 0 ends the walk with it. */
typedef int (*walk_cb)(int fd, const char *path, const struct stat *st, enum disk_format format, void *arg,
	struct pst_err *err);

/* folder: absolute. PST_ENOTFOUND, PST_ELIMIT above WALK_DISKS_MAX, or what visit returned. */
int walk_disks(const char *folder, walk_cb visit, void *arg, struct pst_err *err);
