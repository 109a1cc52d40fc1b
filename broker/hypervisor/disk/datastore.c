/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures a folder of disks. */
#include "broker/hypervisor/disk/datastore.h"

#include "base/file.h"
#include "base/mem.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/walk.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define FOLDER_MODE 0711

static const char *const parts[] = { "images", "desktops", "personal", "recycle" };

int datastore_init(const char *folder, struct pst_err *err)
{
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; i < PST_ARRAY_LEN(parts) && rc == 0; i++) {
		rc = path_make(path, err, "%s/%s", folder, parts[i]);
		if (rc == 0)
			rc = pst_mkdirs(path, FOLDER_MODE, err);
	}
	return rc;
}

int datastore_measure(const char *folder, struct datastore_space *ret_space, struct pst_err *err)
{
	struct statvfs v;

	if (statvfs(folder, &v) < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", folder);
	ret_space->total = (uint64_t)v.f_blocks * v.f_frsize;
	ret_space->free = (uint64_t)v.f_bavail * v.f_frsize;
	ret_space->used = ret_space->total - PST_MIN(ret_space->total, (uint64_t)v.f_bfree * v.f_frsize);
	return 0;
}

/* A header that cannot be read is counted and not believed: the file takes what it takes. */
static int disk_count(int fd, const char *path, const struct stat *st, enum disk_format format, void *arg,
	struct pst_err *err)
{
	uint64_t allocated = (uint64_t)st->st_blocks * 512, promised = allocated;
	struct pst_err why = PST_ERR_INIT;
	struct datastore_census *c = arg;
	struct disk_info info;

	(void)path;
	(void)err;
	c->disks++;
	if (disk_info_read(fd, format, &info, &why) < 0)
		c->unreadable++;
	else if (st->st_mode & 0222)
		promised = PST_MAX(info.size, allocated);
	c->allocated += allocated;
	c->promised += promised;
	return 0;
}

int datastore_census(const char *folder, struct datastore_census *ret_census, struct pst_err *err)
{
	struct datastore_census c = { 0 };
	int rc = walk_disks(folder, disk_count, &c, err);

	if (rc == 0)
		*ret_census = c;
	return rc;
}
