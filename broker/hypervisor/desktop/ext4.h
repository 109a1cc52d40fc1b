/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file system of users' own disks, made and mended by e2fsprogs. Blocks for as long as that takes. */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* On a device or a file that holds nothing; its root directory is root's and has lost+found. PST_EUNSUPPORTED without mkfs.ext4. */
int ext4_make(const char *device, struct pst_err *err);

/* What a crash has left is put in order; it is not mounted. */
int ext4_mend(const char *device, struct pst_err *err);

/* Bytes that the file system has, by its superblock. */
int ext4_bytes(int fd, uint64_t *ret, struct pst_err *err);
/* As large as its device or file, while it is not mounted. */
int ext4_grow(const char *device, struct pst_err *err);
