/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lays a stranger's layers out as a tree of files. Names are looked up below the tree's folder alone: a link leads
 * where it leads inside, never outside (openat2, RESOLVE_IN_ROOT). Owners, modes and set-uid bits are the stranger's, so the
 * tree belongs into a folder that root alone enters; attributes, ACLs, devices, pipes and sockets are left out. One thread.
 */
#pragma once

#include "broker/hypervisor/oci/oci_record.h"

#include <limits.h>

#define TREE_WRITE_DEPTH_MAX 128 /* folders in one another */

struct tree_limits {
	uint64_t bytes;   /* of all files together */
	uint64_t entries;
};

struct tree_write {
	struct tree_limits limits;
	uint64_t bytes, entries, left_out; /* so far; what is written over counts again */
	int root;
	int folder;                        /* the last entry's, for the next one */
	char folder_path[RECORD_PATH_MAX + 1];
	int file;                          /* being filled, or -1 */
	uint64_t file_left;
	struct record now;                 /* of file */
};

/* path: an empty folder of ours. Ended by tree_write_finish, also after a failure. */
int tree_write_init(struct tree_write *t, const char *path, const struct tree_limits *limits, struct pst_err *err);
void tree_write_finish(struct tree_write *t);

/*
 * Lays one out; a later one replaces an earlier one of the same name. PST_EINVAL for a name that leads out of the
 * tree or cannot be, PST_ELIMIT above a ceiling, PST_ENOSPC.
 */
int tree_write_record(struct tree_write *t, const struct record *r, struct pst_err *err);
int tree_write_content(struct tree_write *t, const uint8_t *data, size_t len, struct pst_err *err);
