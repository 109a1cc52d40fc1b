/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the disk of a desktop lies, whichever driver has made it, and what it stands on. Any thread; reads file systems. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/storage/stores.h"

#include <limits.h>
#include <stdint.h>

struct found_disk {
	char path[PATH_MAX];
	char datastore[PLACEMENT_NAME_SIZE];
	char within[PATH_MAX]; /* the folder in which the whole chain lies */
	uint64_t allocated;    /* bytes, of the whole chain */
};

/*
 * base: the golden disk that it may stand on beside those of the datastores, and sealed parents beside its folder; its header is
 * not to be trusted further. PST_ENOTFOUND without such a disk, PST_EBUSY when a datastore that may have it is offline,
 * PST_EDENIED when it stands on anything else.
 */
int found_disk_of(struct stores *set, const char *desktop, const char *base, struct found_disk *ret, struct pst_err *err);
