/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks into disks' files without trusting them. */
#include "broker/hypervisor/disk/info.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int code_of(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return PST_ENOTFOUND;
	case EACCES:
	case EXDEV: /* a link, or "..", leads out of the folder */
	case ELOOP:
		return PST_EDENIED;
	default:
		return PST_EIO;
	}
}

static int open_within(const char *path, const char *within)
{
	struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	size_t n = strlen(within);

	while (n > 1 && within[n - 1] == '/')
		n--;
	if (strncmp(path, within, n) != 0 || path[n] != '/') {
		errno = EXDEV;
		return -1;
	}
	int folder = open(within, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -1;
	int fd = (int)syscall(SYS_openat2, folder, path + n + strspn(path + n, "/"), &how, sizeof(how));
	pst_fd_close(&folder);
	return fd;
}

int disk_open(const char *path, const char *within, struct pst_err *err)
{
	struct stat st;

	if (path[0] != '/')
		return pst_err_set(err, PST_EINVAL, "%.200s: not an absolute path", path);
	int fd = within ? open_within(path, within) : open(path, OPEN_FLAGS);
	if (fd < 0 && errno == EXDEV)
		return pst_err_set(err, PST_EDENIED, "%.200s: does not lie under %.200s", path, within);
	if (fd < 0)
		return pst_err_sys(err, code_of(errno), errno, "%.200s", path);
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return fd;
	pst_fd_close(&fd);
	return pst_err_set(err, PST_EINVAL, "%.200s: neither a file nor a block device", path);
}

/* A client of NFS or SMB has a lease to give when its server has given it one, which says nothing of writers. */
static bool is_of_a_server(int fd)
{
	static const uint64_t magics[] = { 0x6969, 0xff534d42, 0xfe534d42, 0x517b }; /* NFS, CIFS, SMB2, SMB: linux/magic.h */
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < PST_ARRAY_LEN(magics); i++) {
		if (((uint64_t)fs.f_type & 0xffffffff) == magics[i])
			return true;
	}
	return false;
}

/* Where a QEMU may write, it holds this byte (block/file-posix.c, RAW_LOCK_PERM_BASE and BLK_PERM_WRITE); servers know it across hosts. */
static bool has_lock_of_qemu(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* A read lease is granted only while nobody writes. */
bool disk_has_writer(int fd)
{
	bool is_leased = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
	bool is_refused = !is_leased && errno == EAGAIN;

	fcntl(fd, F_SETLEASE, F_UNLCK);
	if (is_refused && !is_of_a_server(fd))
		return true;
	return !is_leased && has_lock_of_qemu(fd);
}

static int read_sizes(int fd, struct disk_info *info, struct pst_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return pst_err_sys(err, PST_EIO, errno, "stat a disk");
	info->file_size = (uint64_t)st.st_size;
	info->allocated = (uint64_t)st.st_blocks * 512;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &info->file_size) < 0)
		return pst_err_sys(err, PST_EIO, errno, "ask for a device's size");
	return 0;
}

/* Returns how many bytes there were, or a PST_E… */
static ssize_t read_head(int fd, uint8_t *head, struct pst_err *err)
{
	size_t at = 0;

	while (at < QCOW2_HEAD_SIZE) {
		ssize_t n = pread(fd, head + at, QCOW2_HEAD_SIZE - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pst_err_sys(err, PST_EIO, errno, "read a disk's header");
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

static int read_qcow2(int fd, struct disk_info *info, struct pst_err *err)
{
	uint8_t *head = malloc(QCOW2_HEAD_SIZE);

	if (!head)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	ssize_t n = read_head(fd, head, err);
	int rc = n < 0 ? (int)n : qcow2_parse(head, (size_t)n, &info->qcow2, err);
	free(head);
	info->size = info->qcow2.size;
	return rc;
}

int disk_info_read(int fd, enum disk_format format, struct disk_info *ret_info, struct pst_err *err)
{
	struct disk_info info = { .format = format };

	if (read_sizes(fd, &info, err) < 0)
		return err->code;
	if (format == DISK_QCOW2) {
		int rc = read_qcow2(fd, &info, err);

		if (rc < 0)
			return rc;
	} else if (format == DISK_RAW) {
		info.size = info.file_size;
	} else {
		return pst_err_set(err, PST_EUNSUPPORTED, "%s is read by an import only", disk_format_name(format));
	}
	*ret_info = info;
	return 0;
}

/* "nbd:…", "json:…": a colon before the first slash. */
static bool is_protocol(const char *name)
{
	return name[strcspn(name, ":/")] == ':';
}

int disk_backing_path(const char *path, const struct qcow2_header *h, char out[PATH_MAX],
	enum disk_format *ret_format, struct pst_err *err)
{
	enum disk_format format;

	if (h->backing[0] == '\0')
		return pst_err_set(err, PST_ENOTFOUND, "%.200s: has no backing file", path);
	if (is_protocol(h->backing))
		return pst_err_set(err, PST_EINVAL, "%.200s: its backing file is no path", path);
	if (disk_format_parse(h->backing_format, &format) < 0 || (format != DISK_RAW && format != DISK_QCOW2))
		return pst_err_set(err, PST_EINVAL, "%.200s: its backing file's format is not told", path);

	int folder = h->backing[0] == '/' ? 0 : (int)(strrchr(path, '/') + 1 - path);
	if (path_make(out, err, "%.*s%s", folder, path, h->backing) < 0)
		return PST_ELIMIT;
	*ret_format = format;
	return 0;
}

static int read_at(const char *path, enum disk_format format, const char *within, struct disk_info *ret_info,
	struct pst_err *err)
{
	int fd = disk_open(path, within, err);

	if (fd < 0)
		return fd;
	int rc = disk_info_read(fd, format, ret_info, err);
	pst_fd_close(&fd);
	if (rc < 0)
		pst_err_wrap(err, "%.200s", path);
	return rc;
}

int disk_chain_walk(const char *path, enum disk_format format, const char *within, disk_visit_cb visit,
	void *arg, struct disk_info *ret_top, struct pst_err *err)
{
	char at[PATH_MAX], next[PATH_MAX];
	struct disk_info info;
	int rc;

	if (pst_strlcpy(at, sizeof(at), path) < 0)
		return pst_err_set(err, PST_ELIMIT, "%.200s...: the path is too long", path);
	for (unsigned depth = 0; depth < DISK_CHAIN_MAX; depth++) {
		rc = read_at(at, format, within, &info, err);
		if (rc < 0)
			return rc;
		if (depth == 0 && ret_top)
			*ret_top = info;
		rc = visit ? visit(depth, at, &info, arg) : 0;
		if (rc != 0 || info.qcow2.backing[0] == '\0')
			return rc;
		rc = disk_backing_path(at, &info.qcow2, next, &format, err);
		if (rc < 0)
			return rc;
		pst_strlcpy(at, sizeof(at), next);
	}
	return pst_err_set(err, PST_ELIMIT, "%.200s: more than %d files in a chain", path, DISK_CHAIN_MAX);
}
