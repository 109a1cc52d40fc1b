/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks over the disks of a folder. */
#include "broker/hypervisor/disk/walk.h"

#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct walk {
	walk_cb visit;
	void *arg;
	dev_t dev;
	unsigned disks;
};

static int folder_walk(struct walk *w, int fd, const char *path, unsigned depth, struct pst_err *err);

static bool is_disk(const char *name, enum disk_format *ret_format)
{
	*ret_format = pst_str_ends(name, ".raw") ? DISK_RAW : DISK_QCOW2;
	return *ret_format == DISK_RAW || pst_str_ends(name, ".qcow2") ||
		(pst_str_starts(name, ".") && pst_str_ends(name, ".tmp") && strstr(name, ".qcow2."));
}

static int disk_visit(struct walk *w, int folder, const char *name, const char *path, enum disk_format format,
	struct pst_err *err)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = 0;
	struct stat st;

	if (fd < 0)
		return 0; /* it went meanwhile, or is a link */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		rc = ++w->disks > WALK_DISKS_MAX ?
			pst_err_set(err, PST_ELIMIT, "more than %d disks in a datastore", WALK_DISKS_MAX) :
			w->visit(fd, path, &st, format, w->arg, err);
	pst_fd_close(&fd);
	return rc;
}

static int subfolder_walk(struct walk *w, int folder, const char *name, const char *path, unsigned depth,
	struct pst_err *err)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_DIRECTORY), rc = 0;
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && st.st_dev == w->dev)
		rc = folder_walk(w, fd, path, depth, err);
	pst_fd_close(&fd);
	return rc;
}

static int entry_walk(struct walk *w, int folder, const char *parent, const struct dirent *e, unsigned depth,
	struct pst_err *err)
{
	char path[PATH_MAX];
	enum disk_format format;

	if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
		return 0;
	if (path_make(path, err, "%s/%s", parent, e->d_name) < 0)
		return PST_ELIMIT;
	if (is_disk(e->d_name, &format))
		return disk_visit(w, folder, e->d_name, path, format, err);
	/* The files of an image that is a tree have a stranger's names. */
	if (depth < WALK_DEPTH_MAX && strcmp(e->d_name, "tree") != 0 && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
		return subfolder_walk(w, folder, e->d_name, path, depth + 1, err);
	return 0;
}

static int folder_walk(struct walk *w, int fd, const char *path, unsigned depth, struct pst_err *err)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", path);
	while (rc == 0 && (e = readdir(dir)))
		rc = entry_walk(w, fd, path, e, depth, err);
	closedir(dir);
	return rc;
}

int walk_disks(const char *folder, walk_cb visit, void *arg, struct pst_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct walk w = { .visit = visit, .arg = arg };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", folder);
	} else {
		w.dev = st.st_dev;
		rc = folder_walk(&w, fd, folder, 0, err);
	}
	pst_fd_close(&fd);
	return rc;
}
