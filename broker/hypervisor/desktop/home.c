/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies the image's skeleton of a home directory. */
#include "broker/hypervisor/desktop/home.h"

#include "base/unixsock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct copy {
	uid_t uid;
	unsigned entries;
};

static int dir_copy(struct copy *c, int from, int to, unsigned depth, struct pst_err *err);

static int file_copy(struct copy *c, int from, int to, const char *name, const struct stat *st,
	struct pst_err *err)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		st->st_mode & 0777);
	off_t left = st->st_size;
	int rc = 0;

	while (in >= 0 && out >= 0 && left > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);
		if (n <= 0)
			break;
		left -= n;
	}
	if (in < 0 || out < 0 || left > 0 || fchown(out, c->uid, c->uid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "copy %s into the home", name);
	pst_fd_close(&in);
	pst_fd_close(&out);
	return rc;
}

static int link_copy(struct copy *c, int from, int to, const char *name, struct pst_err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return pst_err_sys(err, PST_EIO, errno, "read link %s", name);
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0 ||
		fchownat(to, name, c->uid, c->uid, AT_SYMLINK_NOFOLLOW) < 0)
		return pst_err_sys(err, PST_EIO, errno, "copy link %s into the home", name);
	return 0;
}

static int subdir_copy(struct copy *c, int from, int to, const char *name, mode_t mode,
	unsigned depth, struct pst_err *err)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int out = -1;
	int rc;

	if (in >= 0 && mkdirat(to, name, mode & 0777) == 0)
		out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0 || fchown(out, c->uid, c->uid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "make %s in the home", name);
	else
		rc = dir_copy(c, in, out, depth + 1, err);
	pst_fd_close(&in);
	pst_fd_close(&out);
	return rc;
}

static int entry_copy(struct copy *c, int from, int to, const char *name, unsigned depth,
	struct pst_err *err)
{
	struct stat st;

	if (++c->entries > HOME_ENTRIES_MAX || depth > HOME_DEPTH_MAX)
		return pst_err_set(err, PST_ELIMIT, "/etc/skel has more than %d entries or %d levels",
			HOME_ENTRIES_MAX, HOME_DEPTH_MAX);
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pst_err_sys(err, PST_EIO, errno, "stat %s", name);
	if (S_ISDIR(st.st_mode))
		return subdir_copy(c, from, to, name, st.st_mode, depth, err);
	if (S_ISLNK(st.st_mode))
		return link_copy(c, from, to, name, err);
	if (S_ISREG(st.st_mode))
		return file_copy(c, from, to, name, &st, err);
	return 0;
}

static int dir_copy(struct copy *c, int from, int to, unsigned depth, struct pst_err *err)
{
	DIR *dir = fdopendir(dup(from));
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list /etc/skel");
	while (rc == 0 && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = entry_copy(c, from, to, e->d_name, depth, err);
	}
	closedir(dir);
	return rc;
}

int home_fill(int skel, int home, uid_t uid, struct pst_err *err)
{
	struct copy c = { .uid = uid };

	return dir_copy(&c, skel, home, 0, err);
}

int home_make(const char *skel, const char *home, uid_t uid, struct pst_err *err)
{
	int from, to, rc = 0;

	if (mkdir(home, 0700) < 0)
		return errno == EEXIST ? 0 : pst_err_sys(err, PST_EIO, errno, "make %s", home);
	from = open(skel, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "open %s", home);
	else if (from >= 0)
		rc = home_fill(from, to, uid, err);
	/* Last, so that a half-made home is not the user's yet. */
	if (rc == 0 && fchown(to, uid, uid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "own %s", home);
	pst_fd_close(&from);
	pst_fd_close(&to);
	return rc;
}
