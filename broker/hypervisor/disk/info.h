/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a disk's file says of itself, read as hostile data, and the chain of files below an
 * overlay. Nothing is opened for writing; a pipe or a device of another kind is not waited
 * for. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/qcow2.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define DISK_CHAIN_MAX 16 /* files, the top one included */

struct disk_info {
	enum disk_format format;
	uint64_t size;      /* virtual bytes */
	uint64_t file_size; /* bytes up to the file's end */
	uint64_t allocated; /* bytes that the file takes of its file system */
	struct qcow2_header qcow2; /* of a qcow2 file, else zero */
};

/*
 * Opens a regular file or a block device for reading. With within (absolute, else NULL) the
 * path must lie under that folder, and no link leads out of it: PST_EDENIED. Returns the
 * descriptor (owned).
 */
int disk_open(const char *path, const char *within, struct pst_err *err);

/*
 * Has anybody the file open for writing? fd: open for reading only. False also where the file
 * system cannot tell (NFS), and for a device.
 */
bool disk_has_writer(int fd);

/* format: DISK_RAW or DISK_QCOW2. */
int disk_info_read(int fd, enum disk_format format, struct disk_info *ret_info, struct pst_err *err);

/*
 * The name in the header of the overlay at path (absolute), as a path: a relative one is
 * looked up from the overlay's folder, as QEMU does. PST_EINVAL for a protocol ("nbd:…",
 * "json:…") or a backing file whose format is not told. PST_ENOTFOUND without one.
 */
int disk_backing_path(const char *path, const struct qcow2_header *h, char out[PATH_MAX],
	enum disk_format *ret_format, struct pst_err *err);

/* depth: 0 is the file asked for. Everything is borrowed for the call. Not 0 ends the walk with it. */
typedef int (*disk_visit_cb)(unsigned depth, const char *path, const struct disk_info *info, void *arg);

/*
 * Reads the headers of the file and of all below it. PST_ELIMIT for a chain of more than
 * DISK_CHAIN_MAX files, which a circle is, too. visit may be NULL. ret_top may be NULL.
 */
int disk_chain_walk(const char *path, enum disk_format format, const char *within, disk_visit_cb visit,
	void *arg, struct disk_info *ret_top, struct pst_err *err);
