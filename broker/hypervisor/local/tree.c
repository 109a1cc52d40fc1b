/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recursive removal by descriptors: names are only ever looked up in a directory we hold. */
#include "broker/hypervisor/local/tree.h"

#include "base/unixsock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct removal {
	int top;          /* where too deep directories go */
	dev_t dev;
	unsigned moved;   /* names given so far */
	bool again;       /* something was moved to the top: look there once more */
};

static int dir_clear(struct removal *r, int fd, unsigned depth, struct pst_err *err);

static int subdir_remove(struct removal *r, int fd, const char *name, unsigned depth,
	struct pst_err *err)
{
	struct stat st;
	int sub, rc;

	if (depth >= TREE_DEPTH_MAX) {
		char moved[32];

		snprintf(moved, sizeof(moved), ".puesto-deep-%u", r->moved++);
		if (renameat(fd, name, r->top, moved) < 0)
			return pst_err_sys(err, PST_EIO, errno, "move %s up", name);
		r->again = true;
		return 0;
	}
	sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0 || fstat(sub, &st) < 0) {
		pst_err_sys(err, PST_EIO, errno, "open %s", name);
		pst_fd_close(&sub);
		return err->code;
	}
	rc = st.st_dev == r->dev ? dir_clear(r, sub, depth + 1, err) :
		pst_err_set(err, PST_EBUSY, "%s: another file system is mounted there", name);
	pst_fd_close(&sub);
	if (rc == 0 && unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "remove directory %s", name);
	return rc;
}

static int entry_remove(struct removal *r, int fd, const char *name, unsigned depth,
	struct pst_err *err)
{
	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return pst_err_sys(err, PST_EIO, errno, "remove %s", name);
	return subdir_remove(r, fd, name, depth, err);
}

/* One pass; *ret_n counts the entries it met. */
static int dir_pass(struct removal *r, int fd, unsigned depth, unsigned *ret_n, struct pst_err *err)
{
	DIR *dir = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	int rc = 0;

	*ret_n = 0;
	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list a directory");
	while (rc == 0 && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		rc = entry_remove(r, fd, e->d_name, depth, err);
		(*ret_n)++;
	}
	closedir(dir);
	return rc;
}

/* A directory that changes while it is read may hide entries: until a pass finds nothing. */
static int dir_clear(struct removal *r, int fd, unsigned depth, struct pst_err *err)
{
	unsigned n;
	int rc;

	do
		rc = dir_pass(r, fd, depth, &n, err);
	while (rc == 0 && n > 0);
	return rc;
}

int tree_remove(const char *path, struct pst_err *err)
{
	struct removal r = { .top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) };
	struct stat st;
	int rc = 0;

	if (r.top < 0) {
		if (errno == ENOENT || ((errno == ENOTDIR || errno == ELOOP) && unlink(path) == 0))
			return 0;
		return pst_err_sys(err, PST_EIO, errno, "open %s", path);
	}
	if (fstat(r.top, &st) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "stat %s", path);
	r.dev = st.st_dev;
	do {
		r.again = false;
		if (rc == 0)
			rc = dir_clear(&r, r.top, 0, err);
	} while (rc == 0 && r.again);
	pst_fd_close(&r.top);
	if (rc == 0 && rmdir(path) < 0 && errno != ENOENT)
		rc = pst_err_sys(err, PST_EIO, errno, "remove %s", path);
	return rc < 0 ? pst_err_wrap(err, "remove %s", path) : 0;
}
