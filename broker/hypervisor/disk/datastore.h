/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A datastore of the kind "directory": a folder on any file system, local or mounted, that
 * holds disks. What there is of space, and how much of it has been promised. A mounted file
 * system whose server is gone may hang these calls, so they have a thread of their own. Any thread.
 *
 *	FOLDER/images/IMAGE/VERSION/     version.h
 *	FOLDER/desktops/UUID/            disks of desktops, made by drivers
 *	FOLDER/personal/                 personal.h
 *	FOLDER/recycle/                  recycle.h
 */
#pragma once

#include "base/err.h"

#include <limits.h>
#include <stdint.h>

struct datastore_space {
	uint64_t total, free; /* bytes; free is what we may take */
	uint64_t used;        /* by anybody */
};

struct datastore_census {
	uint32_t disks;
	uint32_t unreadable; /* disks whose header is no header */
	uint64_t allocated;  /* bytes that they take now */
	uint64_t promised;   /* bytes when each disk that can be written is full */
};

/* Makes FOLDER's parts (mode 0711, so that a hypervisor's uid reaches its disks) where they are missing. */
int datastore_init(const char *folder, struct pst_err *err);

int datastore_measure(const char *folder, struct datastore_space *ret_space, struct pst_err *err);

/*
 * Counts the disks below (walk.h). A disk without any write bit (a sealed image) promises what it
 * takes. PST_ELIMIT above WALK_DISKS_MAX.
 */
int datastore_census(const char *folder, struct datastore_census *ret_census, struct pst_err *err);
