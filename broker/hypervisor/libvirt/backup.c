/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The disk as back-ups see it. QEMU is spoken to through libvirt, in its own words: libvirt's back-ups know whole disks only, and its
 * checkpoints forbid snapshots and are forgotten by a migration, while a bitmap lies in the disk and goes where it goes.
 */
#include "broker/hypervisor/libvirt/backup.h"
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/known.h"
#include "broker/hypervisor/libvirt/parent.h"
#include "broker/hypervisor/libvirt/store.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/backup/forget.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/stores.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <errno.h>
#include <libvirt/libvirt-qemu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MAX (4u << 20)
#define FORGET_MS 60000

int lv_disk_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	if (f.record.phase == LV_CREATING)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s was never finished", c->desktop);
	else
		rc = lv_disk_path(c->lv, c->desktop, "disk.qcow2", c->disk.path, err);
	if (rc == 0 && access(c->disk.path, F_OK) < 0)
		rc = pst_err_set(err, PST_EUNSUPPORTED, "the disk of desktop %s is no file here: back-ups are of disks in folders, not of volumes", c->desktop);
	c->disk.is_open = f.is_active;
	pst_strlcpy(c->disk.base, sizeof(c->disk.base), f.record.request.image_base);
	lv_found_finish(&f);
	return rc;
}

/* {"return": …} or {"error": {"desc"}}, as QEMU has said it. */
static int answer_read(const char *text, const char *what, json_t *all, struct pst_err *err)
{
	size_t len = strlen(text);
	json_t *o = len > ANSWER_MAX ? NULL : pst_json_parse(text, len, PST_JSON_DEPTH, err), *value;
	const char *why;
	int rc = 0;

	if (!o)
		return pst_err_set(err, PST_EPROTO, "QEMU's answer to %s cannot be read", what);
	value = json_object_get(o, "return");
	why = pst_json_str(json_object_get(o, "error"), "desc", 400);
	if (value)
		json_array_append(all, value);
	else
		rc = pst_err_set(err, PST_ECONFLICT, "QEMU, %s: %s", what, why ? why : "no reason");
	json_decref(o);
	return rc;
}

static int ask_one(struct lv_found *f, const json_t *command, int fd, json_t *all, struct pst_err *err)
{
	const char *what = pst_json_str(command, "execute", 64);
	char *text = pst_json_text(command, NULL), *result = NULL;
	int rc;

	if (!text || !what) {
		free(text);
		return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	rc = fd < 0 ? virDomainQemuMonitorCommand(f->domain, text, &result, 0) :
		virDomainQemuMonitorCommandWithFiles(f->domain, text, 1, &fd, NULL, NULL, &result, 0);
	free(text);
	if (rc < 0 && fd >= 0 && lv_error_is(VIR_ERR_ARGUMENT_UNSUPPORTED))
		return pst_err_set(err, PST_EUNSUPPORTED, "a running desktop is backed up by the host that its libvirtd is on (qemu:///system): stop it first");
	if (rc < 0)
		return lv_error(err, f->host, "speak to QEMU");
	rc = answer_read(result ? result : "", what, all, err);
	free(result);
	return rc;
}

static int ask_all(struct lv_found *f, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	json_t *all = json_array(), *command;
	int rc = 0;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)commands, i, command) {
		rc = ask_one(f, command, i == 0 ? fd : -1, all, err);
		if (rc < 0)
			break;
	}
	if (rc == 0 && ret)
		*ret = json_incref(all);
	json_decref(all);
	return rc;
}

int lv_disk_ask_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	if (!f.is_active)
		rc = pst_err_set(err, PST_ECONFLICT, "desktop %s does not run any more", c->desktop);
	if (rc == 0)
		rc = lv_call_step(c, f.host, "backing up its disk", err);
	if (rc == 0)
		rc = ask_all(&f, c->commands, c->fd, &c->returned, err);
	lv_found_finish(&f);
	return rc;
}

static int on_ask(void *arg, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	return ask_all(arg, commands, fd, ret, err);
}

int lv_disk_forget(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	struct blocks b = { .ask = on_ask, .arg = f };
	char path[PATH_MAX];

	if (!(f->host->nature.can & DRIVER_BACKUP))
		return 0;
	if (lv_disk_path(c->lv, c->desktop, "disk.qcow2", path, err) < 0 || lv_call_step(c, f->host, "removing its bitmaps", err) < 0)
		return err->code;
	/* A volume is never backed up, and has none. */
	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "%.200s", path);
	return backup_forget(path, virDomainIsActive(f->domain) == 1 ? &b : NULL, PST_MIN(c->deadline_ms, pst_mono_ms() + FORGET_MS), err);
}

/* Snapshots and memory first: a crash in between leaves the old disk, without them. */
static int replace(struct lv_call *c, struct lv_found *f, const char *path, struct pst_err *err)
{
	if (virDomainHasManagedSaveImage(f->domain, 0) == 1 && virDomainManagedSaveRemove(f->domain, 0) < 0)
		return lv_error(err, f->host, "drop its saved memory");
	if (lv_snapshots_forget(f, err) < 0)
		return err->code;
	if (chown(c->path, 0, 0) < 0 || chmod(c->path, 0600) < 0 || rename(c->path, path) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", c->path);
	return f->record.parent[0] ? lv_parent_leave(f, "", err) : 0;
}

int lv_disk_replace_work(struct lv_call *c, struct pst_err *err)
{
	char path[PATH_MAX];
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	if (f.is_active)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s runs: stop it first", c->desktop);
	if (rc == 0)
		rc = lv_disk_path(c->lv, c->desktop, "disk.qcow2", path, err);
	if (rc == 0)
		rc = lv_call_step(c, f.host, "exchanging its disk", err);
	if (rc == 0)
		rc = replace(c, &f, path, err);
	lv_found_finish(&f);
	return rc;
}

static int folder_room(const struct libvirt *lv, const char *store, const char *desktop, char out[PATH_MAX], struct pst_err *err)
{
	char root[PATH_MAX];

	return lv_store_root(lv, store, root, err) < 0 ? err->code : path_make(out, err, "%s/.restore-%s", root, desktop);
}

/* Those that take files; and what an earlier try has left on them goes: lv_disk_take takes the first that it finds. */
static int rooms_find(const struct libvirt *lv, const char *desktop, const char **names, size_t *n, struct pst_err *err)
{
	char folder[PATH_MAX];
	struct store_view v;

	for (size_t i = 0; i < lv->set.stores_n; i++) {
		if (!stores_view_named(stores_shared(), lv->set.stores[i], &v) || store_is_volumes(&v.s))
			continue;
		names[(*n)++] = lv->set.stores[i];
		if (v.is_online && (folder_room(lv, lv->set.stores[i], desktop, folder, err) < 0 || tree_remove(folder, err) < 0))
			return err->code;
	}
	return *n ? 0 : pst_err_set(err, PST_EUNSUPPORTED, "the provider has no datastore of files: a back-up is restored on none of volumes");
}

/* Where the version lies, as for a new desktop. */
int lv_disk_room_work(struct lv_call *c, struct pst_err *err)
{
	const char *names[LV_STORES_MAX];
	struct store_wish wish = { .names = names, .pool = "", .is_ours = true, .image = c->path, .weight = 1, .needs = c->bytes,
		.promises = c->bytes, .deadline_ms = c->deadline_ms };
	struct store_turn turn = { .id = 0 };
	int rc;

	if (rooms_find(c->lv, c->desktop, names, &wish.n, err) < 0 || lv_call_step(c, NULL, "waiting for a datastore", err) < 0 ||
		stores_begin(stores_shared(), &wish, &turn, err) < 0)
		return err->code;
	rc = folder_room(c->lv, turn.name, c->desktop, c->room.folder, err);
	if (rc == 0)
		rc = pst_mkdirs(c->room.folder, 0700, err);
	if (rc == 0)
		pst_strlcpy(c->room.base, sizeof(c->room.base), turn.image[0] ? turn.image : c->path);
	stores_end(stores_shared(), &turn);
	return rc;
}

int lv_disk_return(const struct libvirt *lv, const char *store, const char *desktop, const char *disk, struct pst_err *err)
{
	char folder[PATH_MAX], file[PATH_MAX], own[PATH_MAX], variables[PATH_MAX];

	if (folder_room(lv, store, desktop, folder, err) < 0 || path_make(file, err, "%s/disk.qcow2", folder) < 0)
		return err->code;
	if (access(disk, F_OK) < 0 || access(file, F_OK) == 0)
		return 0;
	if (pst_mkdirs(folder, 0700, err) < 0 || path_make(own, err, "%.*s/variables", (int)(strrchr(disk, '/') - disk), disk) < 0 ||
		path_make(variables, err, "%s/variables", folder) < 0)
		return err->code;
	if (rename(own, variables) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", own);
	return rename(disk, file) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", disk) : 0;
}

static int take_from(const struct libvirt *lv, const char *store, const char *desktop, struct pst_err *err)
{
	char root[PATH_MAX], folder[PATH_MAX], disk[PATH_MAX], path[PATH_MAX];

	if (folder_room(lv, store, desktop, folder, err) < 0 || path_make(disk, err, "%s/disk.qcow2", folder) < 0 ||
		lv_store_root(lv, store, root, err) < 0 || path_make(path, err, "%s/%s", root, desktop) < 0)
		return err->code;
	if (access(disk, F_OK) < 0)
		return 0;
	if (lv_store_note(lv, desktop, store, err) < 0)
		return err->code;
	/* QEMU's user goes through it. */
	if (chmod(folder, 0711) < 0 || rename(folder, path) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", folder);
	return 1;
}

int lv_disk_take(const struct libvirt *lv, const char *desktop, char ret_store[PLACEMENT_NAME_SIZE], struct pst_err *err)
{
	for (size_t i = 0; i < lv->set.stores_n; i++) {
		int rc = take_from(lv, lv->set.stores[i], desktop, err);

		if (rc > 0)
			pst_strlcpy(ret_store, PLACEMENT_NAME_SIZE, lv->set.stores[i]);
		if (rc != 0)
			return rc;
	}
	return 0;
}
