/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of snapshots share. */
#pragma once

#include "broker/hypervisor/disk/snapshot.h"

/* The folder of the disk; PST_EINVAL for a path that is none of a disk. */
int snapshot_folder(const char *disk, char out[PATH_MAX], struct pst_err *err);

/* FOLDER/snapshot-ID.SUFFIX; PST_ENOTFOUND for what is no id. */
int snapshot_path(const char *folder, const char *id, const char *suffix, char out[PATH_MAX], struct pst_err *err);

int snapshot_label_write(const char *folder, const struct snapshot *s, struct pst_err *err);

/* Everything of it but is_current. */
int snapshot_read(const char *folder, const char *id, struct snapshot *ret_snapshot, struct pst_err *err);
