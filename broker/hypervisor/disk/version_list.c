/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks over the images of a datastore: what is there, and what a crash has left. */
#include "broker/hypervisor/disk/version.h"

#include "base/text.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef int (*name_cb)(const char *folder, const char *name, void *arg, struct pst_err *err);

/* Each name in a folder but "." and ".."; a folder that is none is passed over. */
static int names_walk(const char *folder, name_cb visit, void *arg, struct pst_err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int rc = 0;

	if (!dir && errno == ENOTDIR)
		return 0;
	if (!dir)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%.200s", folder);
	while (rc == 0 && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = visit(folder, e->d_name, arg, err);
	closedir(dir);
	return rc;
}

struct listing {
	const char *folder, *image;
	version_cb visit;
	void *arg;
};

static int version_visit(const char *folder, const char *name, void *arg, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct listing *l = arg;
	struct manifest m;

	(void)folder;
	if (!disk_name_valid(name) || version_read(l->folder, l->image, name, &m, &why) < 0)
		return 0;
	return l->visit(&m, l->arg, err);
}

static int image_visit(const char *folder, const char *name, void *arg, struct pst_err *err)
{
	char path[PATH_MAX];
	struct listing *l = arg;

	if (!disk_name_valid(name))
		return 0;
	l->image = name;
	if (path_make(path, err, "%s/%s", folder, name) < 0)
		return PST_ELIMIT;
	return names_walk(path, version_visit, l, err);
}

int version_list(const char *folder, version_cb visit, void *arg, struct pst_err *err)
{
	struct listing l = { .folder = folder, .visit = visit, .arg = arg };
	char path[PATH_MAX];

	if (path_make(path, err, "%s/images", folder) < 0)
		return PST_ELIMIT;
	return names_walk(path, image_visit, &l, err);
}

struct sweep {
	const char *folder; /* of the datastore */
	int64_t now_ms, keep_ms;
	unsigned n;
};

/* Somebody's work may be in it: a disk that was imported or captured a moment ago. */
static int leftover_keep(const char *folder, const char *name, void *arg, struct pst_err *err)
{
	char path[PATH_MAX], disk[PATH_MAX];
	struct sweep *s = arg;

	if (name[0] != '.' || !pst_str_ends(name, ".tmp"))
		return 0;
	if (path_make(path, err, "%s/%s", folder, name) < 0 || path_make(disk, err, "%s/disk.qcow2", path) < 0)
		return PST_ELIMIT;
	if (access(disk, F_OK) < 0)
		return 0;
	s->n++;
	return recycle_put(s->folder, path, "was not yet published", s->now_ms, s->keep_ms, NULL, err);
}

static int image_sweep(const char *folder, const char *name, void *arg, struct pst_err *err)
{
	char path[PATH_MAX];
	struct sweep *s = arg;
	size_t swept = 0;
	int rc;

	if (!disk_name_valid(name))
		return 0;
	if (path_make(path, err, "%s/%s", folder, name) < 0)
		return PST_ELIMIT;
	rc = names_walk(path, leftover_keep, s, err);
	if (rc == 0)
		rc = temp_sweep(path, &swept, err);
	s->n += (unsigned)swept;
	return rc;
}

int version_sweep(const char *folder, int64_t now_ms, int64_t keep_ms, unsigned *ret_n, struct pst_err *err)
{
	struct sweep s = { .folder = folder, .now_ms = now_ms, .keep_ms = keep_ms };
	char path[PATH_MAX];
	int rc = path_make(path, err, "%s/images", folder);

	if (rc == 0)
		rc = names_walk(path, image_sweep, &s, err);
	if (ret_n)
		*ret_n = s.n;
	return rc;
}
