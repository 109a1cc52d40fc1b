/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * qcow2 files (QEMU's docs/interop/qcow2.txt, versions 2 and 3): the header is read as
 * what a stranger may have written, and linked overlays are written by ourselves, many in
 * one call that share their waits for the disk. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define QCOW2_CLUSTER_SIZE 65536u        /* of what is written here */
#define QCOW2_HEAD_SIZE 65536u           /* bytes of a file's start that qcow2_parse wants */
#define QCOW2_BACKING_MAX 1023           /* bytes of a backing file's name */
#define QCOW2_SIZE_MAX (UINT64_C(1) << 46) /* virtual bytes of an overlay or its backing: 64 TiB */
#define QCOW2_FORMAT_SIZE 32             /* of a backing format's name */

struct qcow2_header {
	uint32_t version; /* 2 or 3 */
	uint32_t cluster_bits;
	uint64_t size; /* virtual bytes */
	uint64_t l1_offset, refcount_offset;
	uint32_t l1_entries, refcount_clusters;
	uint32_t snapshots; /* internal ones */
	bool is_dirty;      /* refcounts wait for a repair */
	bool is_encrypted;
	bool has_bitmaps;   /* of dirty blocks */
	bool has_data_file; /* the guest's bytes are in a file of their own */
	char backing[QCOW2_BACKING_MAX + 1];    /* "" without one */
	char backing_format[QCOW2_FORMAT_SIZE]; /* "" when the header does not tell it */
};

/*
 * data: the first QCOW2_HEAD_SIZE bytes of the file, fewer when it is shorter. PST_EINVAL for
 * what is no valid qcow2, PST_EUNSUPPORTED for features that we do not know, PST_ELIMIT
 * above a ceiling. Names are as in the file: not yet looked up, not to be trusted.
 */
int qcow2_parse(const uint8_t *data, size_t len, struct qcow2_header *ret_header, struct pst_err *err);

/* One disk to make: nothing of its own yet; an overlay's reads come from its backing file. */
struct qcow2_overlay {
	const char *path;    /* absolute; its folder exists and is durable, itself it must not exist */
	const char *backing; /* absolute or a place on the network, at most QCOW2_BACKING_MAX bytes; goes into the header as it
			      * is. NULL: none, the disk is empty, and size is told */
	uint64_t backing_size; /* virtual bytes, of a backing that is no file here: nothing of it is read. 0: it is a file */
	const char *within;  /* every file below it lies under this folder; NULL: wherever they are */
	enum disk_format backing_format; /* DISK_RAW or DISK_QCOW2 */
	bool is_golden;      /* the backing file must be sealed (seal.h): PST_ECONFLICT */
	uint64_t size;       /* virtual bytes, a multiple of 512; 0: the backing's. Never less than that */
	uid_t uid;           /* the file's owner; it gets mode 0600 */
	gid_t gid;
	int code;            /* out: 0, or why this one was not made */
};

/*
 * Makes n overlays (qcow2 v3, clusters of 64 KiB). A file appears under its path only when
 * all of its bytes are on the disk, and on return its name is, too; a crash leaves nothing or
 * the whole file, and perhaps a temporary file (temp.h). An existing path is never replaced:
 * PST_ECONFLICT. Returns 0 when all were made, else the code of the first that was not, with
 * err; the others are made nevertheless.
 */
int qcow2_overlays_create(struct qcow2_overlay *overlays, size_t n, struct pst_err *err);
