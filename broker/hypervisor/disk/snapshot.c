/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes snapshots, goes back to them, and lets them go. */
#include "broker/hypervisor/disk/snapshot_priv.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/references.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT_MODE 0400

static int folder_sync(const char *folder, struct pst_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", folder) : 0;

	pst_fd_close(&fd);
	return rc;
}

/* The disk is whole, its chain is sane, and nobody writes to it. */
static int disk_look(const char *disk, const char *within, struct stat *ret_st, struct pst_err *err)
{
	int rc = disk_chain_walk(disk, DISK_QCOW2, within, NULL, NULL, NULL, err), fd;

	if (rc < 0)
		return rc;
	fd = disk_open(disk, within, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, ret_st) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", disk);
	else if (disk_has_writer(fd))
		rc = pst_err_set(err, PST_EBUSY, "%.200s: is in use", disk);
	pst_fd_close(&fd);
	return rc;
}

/* The disk becomes an empty overlay of backing: made beside it, then exchanged in one step. */
static int disk_exchange(const char *folder, const char *disk, const char *backing, const char *within,
	const struct stat *st, struct pst_err *err)
{
	char name[TEMP_SIZE], next[PATH_MAX];
	struct qcow2_overlay o = { .path = next, .backing = backing, .within = within, .backing_format = DISK_QCOW2,
		.uid = st->st_uid, .gid = st->st_gid };

	if (temp_name("next", name, err) < 0 || path_make(next, err, "%s/%s", folder, name) < 0 ||
		qcow2_overlays_create(&o, 1, err) < 0)
		return err->code;
	if (rename(next, disk) < 0) {
		pst_err_sys(err, PST_EIO, errno, "%.200s", disk);
		unlink(next);
		return PST_EIO;
	}
	return folder_sync(folder, err);
}

static int count(const struct snapshot *s, void *arg, struct pst_err *err)
{
	unsigned *n = arg;

	(void)s;
	return ++*n < SNAPSHOTS_MAX ? 0 :
		pst_err_set(err, PST_ELIMIT, "a disk has at most %d snapshots", SNAPSHOTS_MAX);
}

static void id_make(char out[SNAPSHOT_ID_SIZE])
{
	uint8_t bytes[(SNAPSHOT_ID_SIZE - 1) / 2];

	pst_random(bytes, sizeof(bytes));
	pst_hex_encode(bytes, sizeof(bytes), out, SNAPSHOT_ID_SIZE);
}

static int take_steps(const char *folder, const char *disk, const char *within, const struct stat *st,
	struct snapshot *s, struct pst_err *err)
{
	int rc = snapshot_label_write(folder, s, err);

	if (rc == 0 && link(disk, s->path) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", s->path);
	if (rc == 0)
		rc = folder_sync(folder, err);
	if (rc == 0)
		rc = disk_exchange(folder, disk, s->path, within, st, err);
	if (rc < 0)
		return rc;
	/* Only now: until the exchange it was the disk, too. */
	chmod(s->path, SNAPSHOT_MODE);
	return 0;
}

int snapshot_take(const char *disk, const char *within, const char *name, int64_t now_ms,
	struct snapshot *ret_snapshot, struct pst_err *err)
{
	struct snapshot s = { .created_ms = now_ms, .is_current = true };
	char folder[PATH_MAX];
	struct stat st;
	unsigned n = 0;
	int rc;

	if (!pst_name_valid(name, SNAPSHOT_NAME_MAX))
		return pst_err_set(err, PST_EINVAL, "not a usable name of a snapshot");
	id_make(s.id);
	pst_strlcpy(s.name, sizeof(s.name), name);
	if (snapshot_folder(disk, folder, err) < 0 || snapshot_repair(disk, err) < 0 ||
		snapshot_path(folder, s.id, "qcow2", s.path, err) < 0 || disk_look(disk, within, &st, err) < 0 ||
		snapshot_list(disk, count, &n, err) < 0)
		return err->code;
	s.allocated = (uint64_t)st.st_blocks * 512;
	rc = take_steps(folder, disk, within, &st, &s, err);
	if (rc < 0) {
		struct pst_err ignored = PST_ERR_INIT;

		snapshot_repair(disk, &ignored);
		return rc;
	}
	if (ret_snapshot)
		*ret_snapshot = s;
	return 0;
}

int snapshot_revert(const char *disk, const char *within, const char *id, struct pst_err *err)
{
	char folder[PATH_MAX];
	struct snapshot s;
	struct stat st;

	if (snapshot_folder(disk, folder, err) < 0 || snapshot_repair(disk, err) < 0 ||
		snapshot_read(folder, id, &s, err) < 0 || disk_look(disk, within, &st, err) < 0)
		return err->code;
	return disk_exchange(folder, disk, s.path, within, &st, err);
}

/* What a file stands on: "" for none. */
static int below_of(const char *path, const char *within, char out[PATH_MAX], enum disk_format *ret_format,
	struct pst_err *err)
{
	struct disk_info info;
	int rc = disk_chain_walk(path, DISK_QCOW2, within, NULL, NULL, &info, err);

	out[0] = '\0';
	if (rc < 0 || info.qcow2.backing[0] == '\0')
		return rc;
	return disk_backing_path(path, &info.qcow2, out, ret_format, err);
}

/* The one that stands on it takes over what it needs, and stands on what is below. */
static int heir_rebase(const struct edit_params *p, const char *heir, const char *path, struct pst_err *err)
{
	enum disk_format format = DISK_QCOW2;
	struct edit_params edit = *p;
	char below[PATH_MAX];
	int rc = below_of(path, p->within, below, &format, err);

	if (rc < 0)
		return rc;
	edit.path = heir;
	return edit_rebase(&edit, below[0] ? below : NULL, format, err);
}

static int heirs_check(const struct references *r, struct pst_err *err)
{
	if (r->unreadable > 0)
		return pst_err_set(err, PST_EBUSY, "a disk cannot be read and may stand on the snapshot");
	if (r->overlays > 1)
		return pst_err_set(err, PST_EBUSY, "%u disks stand on the snapshot", r->overlays);
	return 0;
}

int snapshot_delete(const struct edit_params *p, const char *disk, const char *folder, const char *const *others,
	const char *id, struct pst_err *err)
{
	char own[PATH_MAX], label[PATH_MAX];
	struct references r;
	struct snapshot s;
	int rc;

	if (snapshot_folder(disk, own, err) < 0 || snapshot_repair(disk, err) < 0 ||
		snapshot_read(own, id, &s, err) < 0 || snapshot_path(own, id, "json", label, err) < 0 ||
		references_count(folder, others, s.path, &r, err) < 0 || heirs_check(&r, err) < 0)
		return err->code;
	rc = r.overlays == 1 ? heir_rebase(p, r.first, s.path, err) : 0;
	if (rc < 0)
		return rc;
	/* Nothing needs the file any more. A label that a crash leaves is cleared away by a repair. */
	if (unlink(s.path) < 0 || unlink(label) < 0)
		return pst_err_sys(err, PST_EIO, errno, "remove %.200s", s.path);
	return folder_sync(own, err);
}
