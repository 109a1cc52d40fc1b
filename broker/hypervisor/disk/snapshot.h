/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots of a disk that is not in use, as files beside it: each is what the disk was, and the
 * disk goes on as an overlay of the last one. So taking one, and going back to one, moves no data.
 * Any thread; calls for the same disk are not made at the same time.
 *
 *	FOLDER/disk.qcow2              what the desktop has, an overlay of …
 *	FOLDER/snapshot-ID.qcow2       … the last snapshot (mode 0400), an overlay of the one before, and so on
 *	FOLDER/snapshot-ID.json        { "v", "id", "name", "created" }
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/edit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define SNAPSHOT_ID_SIZE 13
#define SNAPSHOT_NAME_MAX 100 /* bytes */
#define SNAPSHOTS_MAX 8       /* of a disk */

struct snapshot {
	char id[SNAPSHOT_ID_SIZE];
	char name[SNAPSHOT_NAME_MAX + 1];
	int64_t created_ms; /* wall clock */
	char path[PATH_MAX];
	uint64_t allocated; /* bytes that it takes */
	bool is_current;    /* the disk stands on it directly */
};

/*
 * disk: absolute, ending in .qcow2, in a folder of its own. within: where all files below lie. PST_EBUSY
 * while somebody uses the disk, PST_ELIMIT for more than SNAPSHOTS_MAX, PST_EINVAL for a name
 * that is none. A crash leaves the disk as it was, or the snapshot taken. ret may be NULL.
 */
int snapshot_take(const char *disk, const char *within, const char *name, int64_t now_ms,
	struct snapshot *ret_snapshot, struct pst_err *err);

/* The disk is again what it was then; what it was until now is gone. PST_ENOTFOUND, PST_EBUSY. */
int snapshot_revert(const char *disk, const char *within, const char *id, struct pst_err *err);

/*
 * The snapshot goes; a disk or snapshot that stood on it takes over what it needs (p: how; its path is
 * ignored). PST_EBUSY when several stand on it. folder, others: where overlays of it may lie, see references.h.
 */
int snapshot_delete(const struct edit_params *p, const char *disk, const char *folder, const char *const *others,
	const char *id, struct pst_err *err);

/* Each snapshot, borrowed for the call, in no order. Not 0 ends it. */
typedef int (*snapshot_cb)(const struct snapshot *s, void *arg, struct pst_err *err);
int snapshot_list(const char *disk, snapshot_cb visit, void *arg, struct pst_err *err);

/* Clears away what a crash has left beside the disk. The other calls do it first, too. */
int snapshot_repair(const char *disk, struct pst_err *err);
