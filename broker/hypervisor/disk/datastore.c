/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures a folder of disks. */
#include "broker/hypervisor/disk/datastore.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DEPTH_MAX 6
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

static int folder_count(int fd, dev_t dev, unsigned depth, struct datastore_census *c, struct pst_err *err);

/* A header that cannot be read is counted and not believed: the file takes what it takes. */
static int disk_count(int fd, const struct stat *st, enum disk_format format, struct datastore_census *c,
	struct pst_err *err)
{
	uint64_t allocated = (uint64_t)st->st_blocks * 512, promised = allocated;
	struct pst_err why = PST_ERR_INIT;
	struct disk_info info;

	if (c->disks >= DATASTORE_DISKS_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d disks in a datastore", DATASTORE_DISKS_MAX);
	c->disks++;
	if (disk_info_read(fd, format, &info, &why) < 0)
		c->unreadable++;
	else if (st->st_mode & 0222)
		promised = PST_MAX(info.size, allocated);
	c->allocated += allocated;
	c->promised += promised;
	return 0;
}

static int file_count(int folder, const char *name, enum disk_format format, struct datastore_census *c,
	struct pst_err *err)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = 0;
	struct stat st;

	if (fd < 0)
		return 0; /* it went meanwhile, or is a link */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		rc = disk_count(fd, &st, format, c, err);
	pst_fd_close(&fd);
	return rc;
}

static int subfolder_count(int folder, const char *name, dev_t dev, unsigned depth, struct datastore_census *c,
	struct pst_err *err)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_DIRECTORY), rc = 0;
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && st.st_dev == dev)
		rc = folder_count(fd, dev, depth, c, err);
	pst_fd_close(&fd);
	return rc;
}

static int entry_count(int folder, const struct dirent *e, dev_t dev, unsigned depth, struct datastore_census *c,
	struct pst_err *err)
{
	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return 0;
	if (pst_str_ends(e->d_name, ".qcow2"))
		return file_count(folder, e->d_name, DISK_QCOW2, c, err);
	if (pst_str_ends(e->d_name, ".raw"))
		return file_count(folder, e->d_name, DISK_RAW, c, err);
	if (depth < DEPTH_MAX && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
		return subfolder_count(folder, e->d_name, dev, depth + 1, c, err);
	return 0;
}

static int folder_count(int fd, dev_t dev, unsigned depth, struct datastore_census *c, struct pst_err *err)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list a datastore");
	while (rc == 0 && (e = readdir(dir)))
		rc = entry_count(fd, e, dev, depth, c, err);
	closedir(dir);
	return rc;
}

int datastore_census(const char *folder, struct datastore_census *ret_census, struct pst_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct datastore_census c = { 0 };
	struct stat st;

	if (fd < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", folder);
	rc = fstat(fd, &st) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", folder) :
				  folder_count(fd, st.st_dev, 0, &c, err);
	pst_fd_close(&fd);
	if (rc == 0)
		*ret_census = c;
	return rc;
}
