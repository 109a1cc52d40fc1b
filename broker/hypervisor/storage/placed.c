/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Links by desktops' uuids: one rename writes one, whatever dies. */
#include "broker/hypervisor/storage/placed.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int link_path(const char *folder, const char *name, bool is_store, char out[PATH_MAX], struct pst_err *err)
{
	return path_make(out, err, "%s/%s%s", folder, is_store ? "." : "", name);
}

static int link_read(const char *path, char *out, size_t size, struct pst_err *err)
{
	ssize_t n = readlink(path, out, size);

	out[0] = n < 0 || (size_t)n >= size ? '\0' : out[0];
	if (n < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", path);
	if (out[0])
		out[n] = '\0';
	return 0;
}

static int folder_sync(const char *folder, struct pst_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", folder) : 0;

	pst_fd_close(&fd);
	return rc;
}

/* A link has no other way to be replaced. */
static int link_write(const char *path, const char *text, struct pst_err *err)
{
	char next[PATH_MAX];

	if (path_make(next, err, "%s.tmp", path) < 0)
		return err->code;
	if ((unlink(next) < 0 && errno != ENOENT) || symlink(text, next) < 0 || rename(next, path) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", path);
	return 0;
}

int placed_write(const char *folder, const char *desktop, const char *store, struct pst_err *err)
{
	char path[PATH_MAX], there[PLACEMENT_NAME_SIZE];

	if (link_path(folder, desktop, false, path, err) < 0 || link_read(path, there, sizeof(there), err) < 0)
		return err->code;
	if (strcmp(there, store) == 0)
		return 0;
	if (pst_mkdirs(folder, 0700, err) < 0 || link_write(path, store, err) < 0)
		return err->code;
	return folder_sync(folder, err);
}

int placed_read(const char *folder, const char *desktop, char ret_store[PLACEMENT_NAME_SIZE], struct pst_err *err)
{
	char path[PATH_MAX];

	ret_store[0] = '\0';
	return link_path(folder, desktop, false, path, err) < 0 ? err->code : link_read(path, ret_store, PLACEMENT_NAME_SIZE, err);
}

void placed_forget(const char *folder, const char *desktop)
{
	char path[PATH_MAX];

	if (link_path(folder, desktop, false, path, NULL) == 0)
		unlink(path);
}

/* Is all that lies there written down? mark: the datastore's, as it is expected; "" for one that was never here. */
static bool is_learnt(const char *folder, const struct store_settings *s, const char *data, char mark[STORE_MARK_SIZE])
{
	char path[PATH_MAX], there[STORE_MARK_SIZE];
	struct pst_err ignored = PST_ERR_INIT;

	mark[0] = there[0] = '\0';
	if (store_mark_path(s, data, path, &ignored) < 0 || store_mark_read(path, mark, &ignored) < 0 ||
		link_path(folder, s->name, true, path, &ignored) < 0 || link_read(path, there, sizeof(there), &ignored) < 0)
		return false;
	return !mark[0] || strcmp(mark, there) == 0;
}

bool placed_may_be(const char *folder, const struct store_settings *s, const char *data, const char *store)
{
	char mark[STORE_MARK_SIZE];

	return strcmp(store, s->name) == 0 || !is_learnt(folder, s, data, mark);
}

static int name_learn(const char *folder, const char *name, const char *store, struct pst_err *err)
{
	char path[PATH_MAX];
	struct pst_uuid u;

	if (pst_uuid_parse(name, &u) < 0)
		return 0;
	if (link_path(folder, name, false, path, err) < 0)
		return err->code;
	return symlink(store, path) < 0 && errno != EEXIST ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;
}

/* below: relative to the folder that fd is. */
static int names_learn(const char *folder, int fd, const char *below, const char *store, struct pst_err *err)
{
	int at = openat(fd, below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = at < 0 ? NULL : fdopendir(at);
	struct dirent *e;
	int rc = 0;

	if (!dir) {
		rc = errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "list %s of datastore %s", below, store);
		pst_fd_close(&at);
		return rc;
	}
	while (rc == 0 && (e = readdir(dir)))
		rc = name_learn(folder, e->d_name, store, err);
	closedir(dir);
	return rc;
}

/* The same folder before and after, held open meanwhile: what was listed is what carries the mark. */
static int learn(const char *folder, int fd, const struct store_settings *s, const char *data, const char *below, struct pst_err *err)
{
	struct stat held, now;

	if (pst_mkdirs(folder, 0700, err) < 0 || store_check(s, data, err) < 0)
		return err->code;
	if (fstat(fd, &held) < 0 || stat(s->path, &now) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", s->path);
	if (held.st_dev != now.st_dev || held.st_ino != now.st_ino)
		return pst_err_set(err, PST_EBUSY, "%.200s: was exchanged at this moment", s->path);
	return names_learn(folder, fd, below, s->name, err);
}

int placed_learn(const char *folder, const struct store_settings *s, const char *data, const char *below, struct pst_err *err)
{
	char path[PATH_MAX], mark[STORE_MARK_SIZE];
	int fd, rc;

	if (is_learnt(folder, s, data, mark) && mark[0])
		return 0;
	fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", s->path) : learn(folder, fd, s, data, below, err);
	pst_fd_close(&fd);
	if (rc == 0)
		rc = folder_sync(folder, err);
	if (rc < 0 || !mark[0])
		return rc;
	return link_path(folder, s->name, true, path, err) < 0 || link_write(path, mark, err) < 0 ? err->code : folder_sync(folder, err);
}
