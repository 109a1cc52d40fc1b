/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A user's own files in an ext4 of a fixed size, which is a file of this machine: seen through a loop device that ends with
 * its mount. As root, outside. A lock of the file (flock(2)) lasts as long as any of its mounts, whoever holds that.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOOP_FILE "disk.raw"

/*
 * FOLDER/disk.raw, mended, and as large as size (bytes) if it was smaller, as a mount that move_mount(2) can put somewhere. Where there
 * is none it is made, and has the files of the skeleton (a folder; -1: none) for uid. Its root directory is the home. PST_EBUSY while it
 * is mounted somewhere. Returns owned, a descriptor.
 */
int loop_open(const char *folder, uint64_t size, int skeleton, uid_t uid, struct pst_err *err);

/* Is that (a descriptor of a mount's root) FOLDER/disk.raw? */
bool loop_is(int mount, const char *folder);

/* FOLDER/disk.raw, opened for loop_settle. Returns owned, or -1 where there is none. */
int loop_file(const char *folder);
/* Until no mount of it is left and all is in the file. PST_EBUSY after wait_ms. */
int loop_settle(int file, uint64_t wait_ms, struct pst_err *err);

/* Does this machine do all that? Tries it with a file in folder that is gone afterwards. */
int loop_check(const char *folder, struct pst_err *err);
