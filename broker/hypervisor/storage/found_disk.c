/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks for a desktop's folder: FOLDER/desktops/MARK-PROVIDER/UUID, or FOLDER/MARK-PROVIDER/UUID of a plain directory. */
#include "broker/hypervisor/storage/found_disk.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/seal.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static bool look_below(const char *folder, const char *desktop, char out[PATH_MAX])
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	bool is_found = false;

	while (dir && !is_found && (e = readdir(dir)))
		is_found = e->d_name[0] != '.' && path_make(out, NULL, "%s/%s/%s/disk.qcow2", folder, e->d_name, desktop) == 0 &&
			access(out, F_OK) == 0;
	if (dir)
		closedir(dir);
	return is_found;
}

static int disk_find(struct stores *set, const char *desktop, struct found_disk *f, struct pst_err *err)
{
	char offline[PLACEMENT_NAME_SIZE] = "", folder[PATH_MAX];
	struct store_view v;

	for (size_t i = 0; stores_view(set, i, &v); i++) {
		if (!v.is_online) {
			pst_strlcpy(offline, sizeof(offline), v.s.name);
			continue;
		}
		if (path_make(folder, err, "%s%s", v.s.path, v.s.is_plain ? "" : "/desktops") < 0)
			return err->code;
		if (look_below(folder, desktop, f->path))
			return pst_strlcpy(f->datastore, sizeof(f->datastore), v.s.name);
	}
	if (offline[0])
		return pst_err_set(err, PST_EBUSY, "the desktop's disk may be on datastore %s, which is offline", offline);
	return pst_err_set(err, PST_ENOTFOUND, "no datastore has a disk of this desktop");
}

struct chain {
	struct stores *set;
	const char *base;
	struct found_disk *f;
	struct pst_err *err;
};

/* Cuts folder to what it has in common with path, at a '/'. */
static void within_widen(char *folder, const char *path)
{
	size_t n = 0, at = 0;

	for (; folder[n] && folder[n] == path[n]; n++) {
		if (path[n] == '/')
			at = n;
	}
	if (!folder[n] && path[n] == '/')
		return;
	folder[at ? at : 1] = '\0';
}

/* A booted parent of instant clones, beside the desktop's own folder: sealed, so that nobody has written to it since. */
static bool is_parent(const struct found_disk *f, const char *path)
{
	const char *folder = strrchr(f->path, '/');
	struct pst_err ignored = PST_ERR_INIT;
	char parents[PATH_MAX];

	while (folder > f->path && *--folder != '/')
		;
	return path_make(parents, NULL, "%.*s/parents/", (int)(folder - f->path), f->path) == 0 && pst_str_starts(path, parents) &&
		seal_verify(path, &ignored) == 0;
}

static int chain_visit(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	char home[PLACEMENT_NAME_SIZE];
	struct chain *c = arg;

	c->f->allocated += info->allocated;
	if (depth == 0)
		return 0;
	stores_of_image(c->set, path, home, NULL);
	if (strstr(path, "/../") || (!home[0] && strcmp(path, c->base) != 0 && !is_parent(c->f, path)))
		return pst_err_set(c->err, PST_EDENIED, "the desktop's disk stands on %.200s, which is no image of ours", path);
	within_widen(c->f->within, path);
	return 0;
}

int found_disk_of(struct stores *set, const char *desktop, const char *base, struct found_disk *ret, struct pst_err *err)
{
	struct chain c = { .set = set, .base = base, .f = ret, .err = err };

	memset(ret, 0, sizeof(*ret));
	if (disk_find(set, desktop, ret, err) < 0)
		return err->code;
	pst_strlcpy(ret->within, sizeof(ret->within), ret->path);
	*strrchr(ret->within, '/') = '\0';
	return disk_chain_walk(ret->path, DISK_QCOW2, NULL, chain_visit, &c, NULL, err);
}
