/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts the overlays that stand on a file. */
#include "broker/hypervisor/disk/references.h"

#include "base/text.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/place.h"
#include "broker/hypervisor/disk/walk.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

struct search {
	const char *path;
	bool exists;
	struct stat st; /* of path, if it exists */
	struct references found;
};

static bool is_same(const struct search *s, const char *backing)
{
	struct stat st;

	if (strcmp(s->path, backing) == 0)
		return true;
	return s->exists && stat(backing, &st) == 0 && st.st_dev == s->st.st_dev && st.st_ino == s->st.st_ino;
}

static int overlay_look(int fd, const char *path, const struct stat *st, enum disk_format format, void *arg,
	struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	enum disk_format backing_format;
	char backing[PATH_MAX];
	struct search *s = arg;
	struct disk_info info;
	int rc;

	(void)err;
	if (format != DISK_QCOW2 || (s->exists && st->st_dev == s->st.st_dev && st->st_ino == s->st.st_ino))
		return 0;
	rc = disk_info_read(fd, format, &info, &why);
	if (rc == 0 && (info.qcow2.backing[0] == '\0' || place_is_remote(info.qcow2.backing)))
		return 0; /* what it stands on is no file */
	if (rc == 0)
		rc = disk_backing_path(path, &info.qcow2, backing, &backing_format, &why);
	if (rc < 0)
		s->found.unreadable++;
	else if (is_same(s, backing))
		s->found.overlays++;
	else
		return 0;
	if (!s->found.first[0])
		pst_strlcpy(s->found.first, sizeof(s->found.first), path);
	return 0;
}

int references_count(const char *folder, const char *const *others, const char *path,
	struct references *ret_references, struct pst_err *err)
{
	struct search s = { .path = path };
	int rc;

	s.exists = stat(path, &s.st) == 0;
	rc = walk_disks(folder, overlay_look, &s, err);
	for (; others && *others && rc == 0; others++)
		rc = walk_disks(*others, overlay_look, &s, err);
	if (rc == 0)
		*ret_references = s.found;
	return rc;
}
