/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seals golden images. */
#include "broker/hypervisor/disk/seal.h"

#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED_MODE 0444

/* Opens it without following a link; returns the descriptor (owned). */
static int file_open(const char *path, struct stat *ret_st, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", path);
	if (fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode))
		return fd;
	pst_fd_close(&fd);
	return pst_err_set(err, PST_EINVAL, "%.200s: is not a regular file", path);
}

/* PST_EUNSUPPORTED where the file system, or what we may do, does not allow it. */
static int set_immutable(int fd, bool on)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return PST_EUNSUPPORTED;
	if (on == ((flags & FS_IMMUTABLE_FL) != 0))
		return 0;
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? PST_EUNSUPPORTED : 0;
}

static bool is_immutable(int fd)
{
	int flags;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL);
}

static bool is_plain(const struct stat *st)
{
	return st->st_uid == 0 && st->st_gid == 0 && (st->st_mode & 07777) == SEALED_MODE;
}

static int plain_set(int fd, const char *path, struct pst_err *err)
{
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, SEALED_MODE) < 0)
		return pst_err_sys(err, errno == EPERM ? PST_EDENIED : PST_EIO, errno, "seal %.200s", path);
	return 0;
}

static int seal_open(int fd, const char *path, const struct stat *st, bool *ret_immutable, struct pst_err *err)
{
	if (st->st_nlink != 1)
		return pst_err_set(err, PST_ECONFLICT, "%.200s: has %lu names", path, (unsigned long)st->st_nlink);
	/* The mode first: who opens it now for writing must be root, and is found below. */
	if (!is_plain(st) && plain_set(fd, path, err) < 0)
		return err->code;
	if (disk_has_writer(fd))
		return pst_err_set(err, PST_EBUSY, "%.200s: is open for writing", path);
	*ret_immutable = set_immutable(fd, true) == 0;
	if (fsync(fd) < 0)
		return pst_err_sys(err, PST_EIO, errno, "seal %.200s", path);
	return 0;
}

int seal_set(const char *path, bool *ret_immutable, struct pst_err *err)
{
	bool immutable = false;
	struct stat st;
	int fd = file_open(path, &st, err), rc;

	if (fd < 0)
		return fd;
	rc = seal_open(fd, path, &st, &immutable, err);
	pst_fd_close(&fd);
	if (rc == 0 && ret_immutable)
		*ret_immutable = immutable;
	return rc;
}

int seal_verify(const char *path, struct pst_err *err)
{
	struct stat st;
	int fd = file_open(path, &st, err), rc = 0;

	if (fd < 0)
		return fd;
	if (st.st_nlink != 1)
		rc = pst_err_set(err, PST_ECONFLICT, "%.200s: has %lu names", path, (unsigned long)st.st_nlink);
	else if (!is_plain(&st))
		rc = pst_err_set(err, PST_ECONFLICT, "%.200s: is not sealed: owner %u:%u, mode %04o", path, st.st_uid,
			st.st_gid, st.st_mode & 07777);
	else if (!is_immutable(fd) && disk_has_writer(fd))
		rc = pst_err_set(err, PST_ECONFLICT, "%.200s: is open for writing", path);
	pst_fd_close(&fd);
	return rc;
}

int seal_break(const char *path, struct pst_err *err)
{
	struct stat st;
	int fd = file_open(path, &st, err), rc = 0;

	if (fd < 0)
		return fd;
	if (is_immutable(fd) && set_immutable(fd, false) < 0)
		rc = pst_err_set(err, PST_EDENIED, "%.200s: its immutable flag cannot be cleared", path);
	pst_fd_close(&fd);
	return rc;
}
