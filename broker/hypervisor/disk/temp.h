/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files and folders that get their name when they are whole. Until then they are called
 * ".NAME.TOKEN.tmp" beside it; after a crash such a name may be left. Any thread.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

#define TEMP_NAME_MAX 220             /* bytes of NAME */
#define TEMP_SIZE (TEMP_NAME_MAX + 19) /* of a temporary name, with its terminating zero */

/* The temporary name for name; PST_EINVAL when that is no single component of a path. */
int temp_name(const char *name, char out[TEMP_SIZE], struct pst_err *err);

/*
 * Gives from (in folder) the name to; PST_ECONFLICT when that is taken, and from stays. The name
 * is durable when folder has been synced. For files and folders, also where the file system cannot
 * rename without replacing (NFS).
 */
int temp_publish(int folder, const char *from, const char *to, struct pst_err *err);

/* The same from one folder to another of the same file system (else PST_EINVAL); AT_FDCWD with absolute paths. */
int temp_move(int from_folder, const char *from, int to_folder, const char *to, struct pst_err *err);

/*
 * Removes what a crash has left under folder, files and folders with all in them: only while
 * nobody is at work there. ret_n (may be NULL) gets how many.
 */
int temp_sweep(const char *folder, size_t *ret_n, struct pst_err *err);
