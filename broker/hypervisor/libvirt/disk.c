/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A desktop's folder, DIRECTORY/INSTANCE-PROVIDER/UUID (DATASTORE/desktops/INSTANCE-PROVIDER/UUID): disk.qcow2, a linked overlay of the
 * golden disk, or volume.json, which says which volume that overlay is in, and the seed (seed.c). The golden disk is only ever named as a backing file: nothing
 * here opens it for writing, and no block job is ever started that could.
 */
#include "broker/hypervisor/libvirt/backup.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/libvirt/base.h"
#include "broker/hypervisor/libvirt/store.h"
#include "broker/hypervisor/libvirt/volumes.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/order.h"
#include "broker/hypervisor/storage/stores.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


int lv_disk_path(const struct libvirt *lv, const char *desktop, const char *file, char out[PATH_MAX], struct pst_err *err)
{
	char store[PLACEMENT_NAME_SIZE], root[PATH_MAX];

	if (lv_store_of(lv, desktop, store, err) < 0)
		return err->code;
	if (!store[0])
		return pst_err_set(err, PST_ENOTFOUND, "no datastore has a folder of desktop %s", desktop);
	if (lv_store_root(lv, store, root, err) < 0)
		return err->code;
	if (!file)
		return path_make(out, err, "%s/%s", root, desktop);
	return path_make(out, err, "%s/%s/%s", root, desktop, file);
}

bool lv_disk_is_volume(const struct store_turn *turn)
{
	struct store_view v;

	return stores_view_named(stores_shared(), turn->name, &v) && store_is_volumes(&v.s);
}

static int file_make(const struct libvirt *lv, const struct machine_request *r, const struct store_turn *turn, const struct lv_base *b,
	struct pst_err *err)
{
	char path[PATH_MAX];
	struct qcow2_overlay o = { .path = path, .backing = b->layers[0].path, .size = (uint64_t)r->disk_mb << 20,
		.backing_size = b->layers[0].place ? b->size : 0, .uid = geteuid(), .gid = getegid() };
	struct order order;

	if (disk_format_parse(b->layers[0].format, &o.backing_format) < 0)
		return pst_err_set(err, PST_EINVAL, "image %s: its format is not known", r->image_name);

	/* A version of a datastore of files is sealed, and all below it lies there. */
	if (turn->image[0] && !b->layers[0].place) {
		o.within = turn->path;
		o.is_golden = true;
	}
	order_of(r->desktop, &order);
	if (lv_disk_path(lv, r->desktop, "disk.qcow2", path, err) < 0)
		return err->code;
	if (order.is_restore && access(path, F_OK) == 0)
		return 0;
	if (unlink(path) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "remove %s", path);
	return qcow2_overlays_create(&o, 1, err);
}

/* A version that is a volume of this datastore has to be there, and takes no writes from now on. */
static int golden_verify(const struct store_settings *s, const struct store_turn *turn, struct pst_err *err)
{
	char image[DISK_NAME_MAX + 1], version[DISK_NAME_MAX + 1];
	const char *rest = turn->image + strlen(s->path);

	if (!turn->image[0])
		return 0;
	if (sscanf(rest, "/images/%100[^/]/%100[^/]/", image, version) != 2)
		return pst_err_set(err, PST_EINVAL, "%.200s: is no version of datastore %s", turn->image, s->name);
	return store_type_of(s)->verify(s, image, version, err);
}

static int volume_make(const struct libvirt *lv, const struct machine_request *r, const struct store_settings *s, const struct store_turn *turn,
	const struct lv_base *b, struct pst_err *err)
{
	struct volume_base base = { .size = b->size };
	char folder[PATH_MAX], record[PATH_MAX];
	struct order order;

	order_of(r->desktop, &order);
	if (lv_disk_path(lv, r->desktop, NULL, folder, err) < 0 || path_make(record, err, "%s/" VOLUME_OF_DESKTOP, folder) < 0 ||
		golden_verify(s, turn, err) < 0)
		return err->code;
	if (order.is_restore && access(record, F_OK) == 0)
		return 0;
	if (disk_format_parse(b->layers[0].format, &base.format) < 0 || pst_strlcpy(base.url, sizeof(base.url), b->layers[0].path) < 0)
		return pst_err_set(err, PST_EINVAL, "image %s: its path is too long, or its format is not known", r->image_name);
	pst_strlcpy(base.record, sizeof(base.record), r->image_base);
	return volume_disk_make(s, folder, r->desktop, &base, (uint64_t)r->disk_mb << 20, err);
}

int lv_disk_make(const struct libvirt *lv, const struct machine_request *r, const char *base, const struct store_turn *turn, struct pst_err *err)
{
	struct lv_base *b = pst_zalloc(1, sizeof(*b));
	struct store_view v;
	int rc = b ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	if (rc == 0 && (lv_base_find(base, b, err) < 0 || lv_base_size(b, lv->set.tool, err) < 0))
		rc = pst_err_wrap(err, "image %s", r->image_name);
	else if (rc == 0 && !stores_view_named(stores_shared(), turn->name, &v))
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no datastore %s", turn->name);
	else if (rc == 0)
		rc = store_is_volumes(&v.s) ? volume_make(lv, r, &v.s, turn, b, err) : file_make(lv, r, turn, b, err);
	free(b);
	return rc;
}

/* The datastore and the folder of a desktop whose disk is a volume; 0 where it is none, else 1. */
static int volume_find(const struct libvirt *lv, const char *desktop, struct store_view *ret_store, char folder[PATH_MAX], struct pst_err *err)
{
	char store[PLACEMENT_NAME_SIZE], record[PATH_MAX];

	if (lv_store_of(lv, desktop, store, err) < 0 || lv_disk_path(lv, desktop, NULL, folder, err) < 0 ||
		path_make(record, err, "%s/" VOLUME_OF_DESKTOP, folder) < 0)
		return err->code;
	return stores_view_named(stores_shared(), store, ret_store) && access(record, F_OK) == 0;
}

int lv_disk_grow(const struct libvirt *lv, const char *desktop, uint64_t size, struct pst_err *err)
{
	char folder[PATH_MAX];
	struct store_view v;
	int rc = volume_find(lv, desktop, &v, folder, err);

	return rc > 0 ? volume_disk_grow(&v.s, folder, size, err) : rc;
}

/* Before its folder goes for good. */
static int volume_remove(const char *store, const char *record, struct pst_err *err)
{
	struct store_view v;

	if (access(record, F_OK) < 0)
		return 0;
	if (!stores_view_named(stores_shared(), store, &v))
		return pst_err_set(err, PST_ENOTFOUND, "there is no datastore %s", store);
	return volume_end(&v.s, record, err);
}

/* Where the broker wishes to keep it, it comes back from there as it was. The seed names the machine and is of no use to a later one. */
static int folder_recycle(const char *store, const char *path, const struct order *o, struct pst_err *err)
{
	static const char *const seeds[] = { "seed.json", "seed.iso" };
	char folder[900], seed[PATH_MAX];
	int rc = 0;

	if (!stores_lock(stores_shared(), store, folder))
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline", store);
	for (size_t i = 0; rc == 0 && i < PST_ARRAY_LEN(seeds); i++) {
		rc = path_make(seed, err, "%s/%s", path, seeds[i]);
		if (rc == 0)
			unlink(seed);
	}
	if (rc == 0)
		rc = recycle_put(folder, path, o->reason, pst_wall_ms(), o->keep_ms, NULL, err);
	stores_unlock(stores_shared(), store);
	return rc;
}

static int disk_remove(const struct libvirt *lv, const char *desktop, struct pst_err *err)
{
	char store[PLACEMENT_NAME_SIZE], root[PATH_MAX], path[PATH_MAX], disk[PATH_MAX], record[PATH_MAX];
	struct order o;

	if (lv->set.stores_n == 0)
		return 0;
	if (lv_store_of(lv, desktop, store, err) < 0)
		return err->code;
	if (!store[0])
		return 0;
	if (lv_store_root(lv, store, root, err) < 0 || path_make(path, err, "%s/%s", root, desktop) < 0 ||
		path_make(disk, err, "%s/disk.qcow2", path) < 0 || path_make(record, err, "%s/" VOLUME_OF_DESKTOP, path) < 0)
		return err->code;
	order_of(desktop, &o);
	if (o.keep_ms > 0 && lv->set.directory[0] == '\0' && (access(disk, F_OK) == 0 || access(record, F_OK) == 0))
		return folder_recycle(store, path, &o, err);
	/* Without a recycle bin a second try would find nothing to come back with. */
	if (o.is_restore && lv_disk_return(lv, store, desktop, disk, err) < 0)
		return err->code;
	if (volume_remove(store, record, err) < 0)
		return err->code;
	return tree_remove(path, err);
}

int lv_disk_remove(const struct libvirt *lv, const char *desktop, struct pst_err *err)
{
	int rc = disk_remove(lv, desktop, err);

	if (rc == 0)
		lv_store_forget(lv, desktop);
	return rc;
}

static int each_below(const char *root, void (*visit)(const char *desktop, void *arg), void *arg, struct pst_err *err)
{
	DIR *dir = opendir(root);
	struct dirent *e;
	struct pst_uuid u;

	if (!dir)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "list %s", root);
	while ((e = readdir(dir))) {
		if (pst_uuid_parse(e->d_name, &u) == 0)
			visit(e->d_name, arg);
	}
	closedir(dir);
	return 0;
}

int lv_disk_each(const struct libvirt *lv, void (*visit)(const char *desktop, void *arg), void *arg, struct pst_err *err)
{
	char root[PATH_MAX];
	struct store_view v;

	for (size_t i = 0; i < lv->set.stores_n; i++) {
		/* One that is offline has no folders now, and its machines are known by their domains. */
		if (!stores_view_named(stores_shared(), lv->set.stores[i], &v) || !v.is_online)
			continue;
		if (lv_store_root(lv, lv->set.stores[i], root, err) < 0 || each_below(root, visit, arg, err) < 0)
			return err->code;
	}
	return 0;
}
