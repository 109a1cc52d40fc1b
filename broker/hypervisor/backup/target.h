/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The back-ups on a datastore whose role they are. A folder has its name when all in it is on the disk. Each file is an
 * overlay of the one before, the full one of the golden disk, so that QEMU's tools read any of them as the disk of that day.
 *
 *	FOLDER/backups/DESKTOP/ID/manifest.json    note.h
 *	                         /disk.qcow2       "../PARENT/disk.qcow2", or the golden disk, is below it
 *	                         /variables        of UEFI, as they were after the disk was copied
 *
 * One caller at a time for a desktop. Any thread.
 */
#pragma once

#include "broker/hypervisor/backup/note.h"
#include "broker/hypervisor/disk/digest.h"

#include <limits.h>

/* In the order of their times. Those that cannot be read, or whose file is not as long as it was, are left out. Owned (free()). */
int target_list(const char *folder, const char *desktop, struct note **ret, size_t *ret_n, struct pst_err *err);

int target_path(const char *folder, const char *desktop, uint64_t id, char out[PATH_MAX], struct pst_err *err);

#define TARGET_VARIABLES_MAX (16u << 20) /* bytes */

struct target_variables {
	const char *data; /* NULL: the machine has none */
	size_t len;
};

/*
 * Copies the file (borrowed) under a temporary name, and gives it its own; bytes, sha256 and variables of n are filled in. go_on as in
 * digest.h. PST_ENOSPC, PST_ECLOSED; nothing is left then.
 */
int target_put(const char *folder, struct note *n, int fd, const struct target_variables *v, digest_cb go_on, void *arg, struct pst_err *err);

/* Is the file what it was? PST_EINVAL, PST_ENOTFOUND. */
int target_verify(const char *folder, const struct note *n, digest_cb go_on, void *arg, struct pst_err *err);

/* The variables, compared with their digest: *ret_data is owned (free()), NULL where the back-up has none. PST_EINVAL, PST_ENOTFOUND. */
int target_variables(const char *folder, const struct note *n, char **ret_data, size_t *ret_len, struct pst_err *err);

/* 0 when it is not there. */
int target_remove(const char *folder, const char *desktop, uint64_t id, struct pst_err *err);

/* What a crash has left: only while nobody is at work there. */
int target_sweep(const char *folder, size_t *n, struct pst_err *err);
