/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies in a datastore of volumes where a directory has a disk: which volume it is. The record is written before
 * the volume is made and goes after it, so what a crash leaves is found by its record. Any thread.
 *
 *	FOLDER/desktops/…/UUID/volume.json
 *	FOLDER/images/IMAGE/VERSION/disk.volume     beside the manifest
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/place.h"

#include <limits.h>
#include <stdbool.h>

#define VOLUME_OF_DESKTOP "volume.json"
#define VOLUME_OF_VERSION "disk.volume"
#define VOLUME_NAME_SIZE 128

struct volume_record {
	char volume[VOLUME_NAME_SIZE]; /* its name in the pool; "" while none is chosen */
	char url[PLACE_URL_SIZE];      /* place.h; "" while it is not whole */
	char initiator[224];           /* of an iSCSI disk, as in place.h; Ceph's user stands in url */
	char secret[PST_UUID_SIZE];    /* as in place.h */
	bool is_block;                 /* url is a device */
	char base[PATH_MAX];           /* of a desktop: the version's record, or whatever it stands on */
};

int volume_record_write(const char *path, const struct volume_record *r, struct pst_err *err);
/* PST_ENOTFOUND, PST_EINVAL for what is no record. */
int volume_record_read(const char *path, struct volume_record *ret, struct pst_err *err);

/* PST_EBUSY for one that is not whole. */
int volume_record_place(const struct volume_record *r, struct disk_place *ret, struct pst_err *err);

/*
 * Each record of a desktop below folder, in its recycle bin too, borrowed for the call; what is no record is
 * told as one of volume "" and base "". Not 0 ends it.
 */
typedef int (*volume_visit)(const char *path, const struct volume_record *r, void *arg, struct pst_err *err);
int volume_records_each(const char *folder, volume_visit visit, void *arg, struct pst_err *err);
