/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A desktop's folder, DIRECTORY/INSTANCE-PROVIDER/UUID (DATASTORE/desktops/INSTANCE-PROVIDER/UUID): disk.qcow2, a linked overlay of the
 * golden disk, and the seed (seed.c). The golden disk is only ever named as a backing file: nothing
 * here opens it for writing, and no block job is ever started that could.
 */
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/recycle.h"
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

enum disk_format lv_golden_format(const char *path)
{
	return pst_str_ends(path, ".qcow2") ? DISK_QCOW2 : DISK_RAW;
}

int lv_disk_make(const struct libvirt *lv, const struct machine_request *r, const struct store_turn *turn, struct pst_err *err)
{
	char path[PATH_MAX];
	struct qcow2_overlay o = { .path = path, .backing = r->image_base, .size = (uint64_t)r->disk_mb << 20,
		.backing_format = lv_golden_format(r->image_base),
		.uid = geteuid(), .gid = getegid() };
	struct order order;

	/* A version of a datastore is sealed, and all below it lies there. */
	if (turn->image[0]) {
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

/* Where the broker wishes to keep it, it comes back from there as it was. The seed names the machine and is of no use to a later one. */
static int folder_recycle(const char *store, const char *path, const struct order *o, struct pst_err *err)
{
	static const char *const seeds[] = { "seed.json", "seed.iso" };
	char folder[900], seed[PATH_MAX];
	int rc;

	if (!stores_lock(stores_shared(), store, folder))
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline", store);
	for (size_t i = 0; i < PST_ARRAY_LEN(seeds); i++) {
		if (path_make(seed, err, "%s/%s", path, seeds[i]) == 0)
			unlink(seed);
	}
	rc = err->code < 0 ? err->code : recycle_put(folder, path, o->reason, pst_wall_ms(), o->keep_ms, NULL, err);
	stores_unlock(stores_shared(), store);
	return rc;
}

int lv_disk_remove(const struct libvirt *lv, const char *desktop, struct pst_err *err)
{
	char store[PLACEMENT_NAME_SIZE], root[PATH_MAX], path[PATH_MAX], disk[PATH_MAX];
	struct order o;

	if (lv->set.stores_n == 0)
		return 0;
	if (lv_store_of(lv, desktop, store, err) < 0)
		return err->code;
	if (!store[0])
		return 0;
	if (lv_store_root(lv, store, root, err) < 0 || path_make(path, err, "%s/%s", root, desktop) < 0 ||
		path_make(disk, err, "%s/disk.qcow2", path) < 0)
		return err->code;
	order_of(desktop, &o);
	if (o.keep_ms > 0 && lv->set.directory[0] == '\0' && access(disk, F_OK) == 0)
		return folder_recycle(store, path, &o, err);
	return tree_remove(path, err);
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
