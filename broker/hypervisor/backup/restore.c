/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way back: what each file of the chain has is copied, the full one first, into a new overlay of the golden disk. The old disk is
 * there until the new one is whole, and gives its place in one rename.
 */
#include "broker/hypervisor/backup/work.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/backup/blank.h"
#include "broker/hypervisor/backup/target.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct restoring {
	const struct backup_work *w;
	struct store_view store;
	struct note *notes; /* owned */
	size_t notes_n;
	size_t chain[BACKUPS_MAX]; /* of notes, the full one first */
	size_t chain_n;
	const struct note *note; /* that is wanted */
	struct driver_room room;
	char path[PATH_MAX]; /* of the new disk, under a name of its own */
	struct blank_params blank;
	int fd;
	char *variables; /* of the firmware, owned; NULL: none */
	size_t variables_len;
};

static int chain_find(struct restoring *r, struct pst_err *err)
{
	struct backup *backups = pst_zalloc(BACKUPS_MAX, sizeof(*backups));
	int rc;

	if (!backups)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	work_backups(r->notes, r->notes_n, backups);
	rc = backup_chain(backups, r->notes_n, r->w->o->id, r->chain);
	free(backups);
	if (rc == PST_ENOTFOUND)
		return pst_err_set(err, rc, "datastore %s has no such back-up any more", r->store.s.name);
	if (rc < 0)
		return pst_err_set(err, PST_EINVAL, "one of the back-ups that this one stands on is lost: choose an older one");
	r->chain_n = (size_t)rc;
	r->note = &r->notes[r->chain[r->chain_n - 1]];
	return 0;
}

/* The one that it was made of, wherever that lies now. */
static int base_check(const struct restoring *r, const char *base, struct pst_err *err)
{
	struct disk_info info;
	struct pst_err why = PST_ERR_INIT;

	if (disk_chain_walk(base, r->note->base_format, NULL, NULL, NULL, &info, &why) < 0)
		return pst_err_set(err, PST_ENOTFOUND, "version %s of image %s, which the back-up stands on, is not there (%.250s): bring it back first",
			r->note->version, r->note->image, why.text);
	if (info.size != r->note->base_size)
		return pst_err_set(err, PST_ECONFLICT, "%.200s is another disk than version %s of image %s was when the back-up was made", base,
			r->note->version, r->note->image);
	return 0;
}

static uint64_t bytes_of(const struct restoring *r)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < r->chain_n; i++)
		bytes += r->notes[r->chain[i]].bytes;
	return PST_MIN(bytes, r->note->disk_size);
}

/* A version's golden disk may lie on another datastore by now; its name there is the same. */
static bool is_same_version(const struct restoring *r, const char *a, const char *b)
{
	char store[PLACEMENT_NAME_SIZE];
	const char *rest_a = a, *rest_b = b;

	stores_of_image(r->w->set, a, store, &rest_a);
	stores_of_image(r->w->set, b, store, &rest_b);
	return strcmp(rest_a, rest_b) == 0;
}

/* It may have been refreshed to another version while this waited: all versions of an image have the same size. */
static int version_check(const struct restoring *r, const char *base, struct pst_err *err)
{
	if (is_same_version(r, base, r->note->base) || (r->w->o->base[0] && is_same_version(r, base, r->w->o->base)))
		return 0;
	return pst_err_set(err, PST_ECONFLICT, "the back-up stands on version %s of image %s, and the desktop on %.200s by now", r->note->version,
		r->note->image, base);
}

/* Where the desktop's disk is, or where one can be made. */
static int place_find(struct restoring *r, struct pst_err *err)
{
	const struct backup_order *o = r->w->o;
	struct driver_disk disk;

	/* Told by the broker, never by the manifest: a new disk would read whatever file that names. */
	if (o->kind == WORK_REBUILD)
		return base_check(r, o->base, err) < 0 ? err->code : driver_disk_room(r->w->driver, o->desktop, o->base, bytes_of(r), &r->room, err);
	if (driver_disk(r->w->driver, o->desktop, &disk, err) < 0)
		return err->code;
	if (disk.is_open)
		return pst_err_set(err, PST_EBUSY, "the desktop runs: stop it first");
	if (version_check(r, disk.base, err) < 0)
		return err->code;
	pst_strlcpy(r->room.folder, sizeof(r->room.folder), disk.path);
	*strrchr(r->room.folder, '/') = '\0';
	/* A machine has its kernel, where it has one beside its disk, from there. */
	return pst_strlcpy(r->room.base, sizeof(r->room.base), disk.base);
}

static bool on_verified(void *arg, uint32_t basis_points)
{
	const struct backup_work *w = arg;

	w->tell(w->arg, "checking", basis_points / 100);
	return !work_is_cancelled(w);
}

static int chain_verify(struct restoring *r, struct pst_err *err)
{
	for (size_t i = 0; i < r->chain_n; i++) {
		if (target_verify(r->store.s.path, &r->notes[r->chain[i]], on_verified, (void *)(uintptr_t)r->w, err) < 0)
			return err->code;
	}
	return 0;
}

static int disk_begin(struct restoring *r, struct pst_err *err)
{
	char name[TEMP_SIZE];

	if (temp_sweep(r->room.folder, NULL, err) < 0 || temp_name("restore", name, err) < 0 ||
		path_make(r->path, err, "%s/%s", r->room.folder, name) < 0)
		return err->code;
	r->blank = (struct blank_params){ .path = r->path, .size = r->note->disk_size, .backing = r->room.base, .format = r->note->base_format,
		.bytes = bytes_of(r) };
	r->fd = blank_make(&r->blank, err);
	return r->fd < 0 ? r->fd : 0;
}

static int chain_copy(struct restoring *r, struct pst_err *err)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < r->chain_n; i++) {
		if (target_path(r->store.s.path, r->w->o->desktop, r->notes[r->chain[i]].id, path, err) < 0 ||
			work_layer(r->w, path, r->fd, r->path, err) < 0)
			return err->code;
	}
	if (fchown(r->fd, 0, 0) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", r->path);
	return blank_finish(&r->blank, r->fd, err);
}

static int folder_sync(const char *path, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;

	pst_fd_close(&fd);
	return rc;
}

/* After the disk, and with its next start's rights: whoever starts it gives them to its QEMU. A crash in between leaves those of now. */
static int variables_give(const struct restoring *r, struct pst_err *err)
{
	char path[PATH_MAX];

	if (!r->variables)
		return 0;
	return path_make(path, err, "%s/variables", r->room.folder) < 0 ? err->code : pst_file_write(path, r->variables, r->variables_len, 0600, err);
}

static int disk_give(struct restoring *r, struct pst_err *err)
{
	const struct backup_order *o = r->w->o;
	char path[PATH_MAX];

	if (work_is_cancelled(r->w))
		return pst_err_set(err, PST_ECLOSED, "it was cancelled");
	if (o->kind == WORK_RESTORE)
		return driver_disk_replace(r->w->driver, o->desktop, r->path, err) < 0 || variables_give(r, err) < 0 ? err->code :
			folder_sync(r->room.folder, err);
	if (path_make(path, err, "%s/disk.qcow2", r->room.folder) < 0)
		return err->code;
	/* The disk is what says that the room is filled. */
	if (variables_give(r, err) < 0)
		return err->code;
	if (rename(r->path, path) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", path);
	return folder_sync(r->room.folder, err);
}

static int run(struct restoring *r, struct pst_err *err)
{
	if (work_store(r->w, &r->store, err) < 0 || target_list(r->store.s.path, r->w->o->desktop, &r->notes, &r->notes_n, err) < 0 ||
		chain_find(r, err) < 0 || place_find(r, err) < 0 || base_check(r, r->room.base, err) < 0)
		return err->code;
	if (chain_verify(r, err) < 0 || target_variables(r->store.s.path, r->note, &r->variables, &r->variables_len, err) < 0 || disk_begin(r, err) < 0 || chain_copy(r, err) < 0)
		return err->code;
	return disk_give(r, err);
}

int work_restore(const struct backup_work *w, struct pst_err *err)
{
	struct restoring *r = pst_zalloc(1, sizeof(*r));
	int rc;

	if (!r)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	r->w = w;
	r->fd = -1;
	rc = run(r, err);
	if (rc < 0 && r->path[0])
		(void)unlink(r->path);
	pst_fd_close(&r->fd);
	free(r->variables);
	free(r->notes);
	free(r);
	return rc;
}
