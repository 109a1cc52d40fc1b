/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's own disk as the guest sees it: found by its serial, made or mended, mounted as the home. Root, in a machine of its own. */
#pragma once

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

#define VOLUME_DEVICE_SIZE 64

/* /dev/NAME of the disk that is a personal one; it may take as long to come. */
int volume_find(uint64_t wait_ms, char ret_device[VOLUME_DEVICE_SIZE], struct pst_err *err);

/*
 * The disk becomes home, uid's, with the image's skeleton the first time. A file system is made on an empty disk
 * alone; else it is mended where it needs that, and grows to the disk's size. 0 when it is mounted already.
 */
int volume_mount(const char *device, const char *home, uid_t uid, struct pst_err *err);

/* Never lazily: PST_EBUSY while somebody uses it after wait_ms. What was written is on the disk then. */
int volume_unmount(const char *home, uint64_t wait_ms, struct pst_err *err);
