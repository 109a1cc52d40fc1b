/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks, into running domains and out of them. */
#include "broker/hypervisor/libvirt/personal.h"
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/store.h"

#include "base/clock.h"
#include "base/text.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/libvirt/domain.h"
#include "broker/hypervisor/libvirt/xml.h"
#include "broker/hypervisor/storage/bins.h"
#include "broker/hypervisor/storage/stores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static bool desktop_is_there(const char *desktop, void *arg)
{
	struct pst_err unknown = PST_ERR_INIT;
	char store[PLACEMENT_NAME_SIZE];

	return lv_store_of(arg, desktop, store, &unknown) < 0 || store[0];
}

/* --- where it lies ------------------------------------------------------------------------ */

/* The next datastore of files at or after *at; false when there is none. One that is offline is told by *ret_offline alone. */
static bool store_next(const struct libvirt *lv, size_t *at, struct store_view *ret, const char **ret_offline)
{
	while (*at < lv->set.stores_n) {
		const char *name = lv->set.stores[(*at)++];

		if (!stores_view_named(stores_shared(), name, ret) || !ret->is_online)
			*ret_offline = name;
		else if (!store_is_volumes(&ret->s))
			return true;
	}
	return false;
}

/* It may have gone since the last look, and then its folder is an empty place to mount it at. */
static bool store_is_here(const struct libvirt *lv, const struct store_settings *s)
{
	struct pst_err away = PST_ERR_INIT;

	return store_check(s, lv->set.data, &away) == 0;
}

/* That has the disk; ret->s.name is "" where none has it, and PST_EBUSY when one that is offline may. */
static int store_find(const struct libvirt *lv, const struct machine_personal *p, struct store_view *ret, struct pst_err *err)
{
	const char *offline = NULL;
	char path[PATH_MAX];
	size_t at = 0;

	while (store_next(lv, &at, ret, &offline)) {
		if (personal_folder(ret->s.path, p->owner, p->name, path, err) < 0)
			return err->code;
		if (access(path, F_OK) == 0)
			return 0;
		if (errno != ENOENT || !store_is_here(lv, &ret->s))
			offline = lv->set.stores[at - 1];
	}
	ret->s.name[0] = '\0';
	return offline ? pst_err_set(err, PST_EBUSY, "datastore %s is offline and may have the user's disk", offline) : 0;
}

/* That would take a new one: the pool's choice, or any. */
static int names_find(const struct libvirt *lv, const struct machine_personal *p, const char **names, size_t *n, struct pst_err *err)
{
	struct store_view v;

	for (size_t i = 0; i < lv->set.stores_n; i++) {
		if ((p->store[0] && strcmp(p->store, lv->set.stores[i]) != 0) || !stores_view_named(stores_shared(), lv->set.stores[i], &v))
			continue;
		if (!store_is_volumes(&v.s))
			names[(*n)++] = lv->set.stores[i];
		else if (p->store[0])
			return pst_err_set(err, PST_EUNSUPPORTED, "datastore %s is of volumes, and users' disks are files: choose another", p->store);
	}
	if (*n == 0 && p->store[0])
		return pst_err_set(err, PST_EINVAL, "datastore %s is none of this provider's: choose one of its \"datastores\"", p->store);
	return *n ? 0 : pst_err_set(err, PST_EUNSUPPORTED, "the provider has no datastore of files, and users' disks are files");
}

/* In its turn on a datastore, since it takes room there. */
static int file_make(struct lv_call *c, struct personal_wish *w, char path[PATH_MAX], uint64_t *ret_size, struct pst_err *err)
{
	const char *names[LV_STORES_MAX];
	struct store_wish wish = { .names = names, .pool = c->personal.pool, .weight = 1, .promises = w->size,
		.needs = c->lv->set.directory[0] ? 0 : STORES_OVERLAY_NEEDS, .deadline_ms = c->deadline_ms };
	struct store_turn turn = { .id = 0 };
	int rc;

	if (names_find(c->lv, &c->personal, names, &wish.n, err) < 0 || stores_begin(stores_shared(), &wish, &turn, err) < 0)
		return err->code;
	w->folder = turn.path;
	rc = personal_file_take(w, path, ret_size, err);
	stores_end(stores_shared(), &turn);
	return rc;
}

static int file_take(struct lv_call *c, char path[PATH_MAX], uint64_t *ret_size, struct pst_err *err)
{
	struct personal_wish w = { .owner = c->personal.owner, .name = c->personal.name, .desktop = c->desktop,
		.size = (uint64_t)c->personal.size_mb << 20, .uid = geteuid(), .gid = getegid(), .is_there = desktop_is_there, .arg = c->lv };
	struct store_view v;

	if (store_find(c->lv, &c->personal, &v, err) < 0)
		return err->code;
	w.folder = v.s.path;
	return v.s.name[0] ? personal_file_take(&w, path, ret_size, err) : file_make(c, &w, path, ret_size, err);
}

/* --- in the machine ------------------------------------------------------------------------- */

static int is_plugged(struct lv_found *f, bool *ret, struct pst_err *err)
{
	char *xml = virDomainGetXMLDesc(f->domain, 0), name[32];

	if (!xml)
		return lv_error(err, f->host, "read the domain");
	*ret = false;
	for (const char *p = xml_find(xml, "alias"); p && !*ret; p = xml_find(p + 1, "alias"))
		*ret = xml_attribute(p, "name", name, sizeof(name)) && strcmp(name, LV_PERSONAL_ALIAS) == 0;
	free(xml);
	return 0;
}

/* An attach of a provisioner that was killed goes on in libvirtd: it may be in by the time that libvirtd comes to ours. */
static int plug(struct lv_call *c, struct lv_found *f, const char *path, struct pst_err *err)
{
	char serial[PERSONAL_SERIAL_SIZE], *xml;
	struct pst_err ignored = PST_ERR_INIT, why = PST_ERR_INIT;
	bool has_it = false;
	int rc;

	personal_serial(c->personal.owner, c->personal.name, serial);
	xml = lv_personal_xml(f->host->nature.form, path, serial);
	if (!xml)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = virDomainAttachDeviceFlags(f->domain, xml, VIR_DOMAIN_AFFECT_LIVE);
	free(xml);
	if (rc == 0)
		return 0;
	rc = lv_error(&why, f->host, "plug in its user's disk");
	if (is_plugged(f, &has_it, &ignored) == 0 && has_it)
		return 0;
	if (strstr(why.text, "PCI slots"))
		return pst_err_set(err, PST_EUNSUPPORTED, "desktop %s was made before there were personal disks: refresh it", c->desktop);
	return pst_err_set(err, rc, "%s", why.text);
}

/* Its guest looks at the size when it mounts, which it is told after this. */
static int grow(struct lv_call *c, struct lv_found *f, uint64_t size, struct pst_err *err)
{
	uint64_t want = (uint64_t)c->personal.size_mb << 20;

	if (want <= size || virDomainBlockResize(f->domain, f->host->nature.form->personal, want, VIR_DOMAIN_BLOCK_RESIZE_BYTES) == 0)
		return 0;
	return lv_error(err, f->host, "grow its user's disk to %u MB", c->personal.size_mb);
}

static int attach(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	char path[PATH_MAX];
	bool has_it = false;
	uint64_t size = 0;

	if (f->record.phase != LV_RUNNING || !f->is_active)
		return pst_err_set(err, PST_EBUSY, "desktop %s does not run", c->desktop);
	if (lv_call_step(c, f->host, "attaching its user's disk", err) < 0 || file_take(c, path, &size, err) < 0 || is_plugged(f, &has_it, err) < 0)
		return err->code;
	if (!has_it && plug(c, f, path, err) < 0)
		return err->code;
	return grow(c, f, size, err);
}

int lv_personal_attach_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc == 0) {
		rc = attach(c, &f, err);
		lv_found_finish(&f);
	}
	return rc;
}

/* Out of the document it may still be open: whoever changes the domain next waits until libvirt has put it away. */
static int unplug_settle(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	return lv_call_step(c, f->host, "putting its user's disk away", err) < 0 ? err->code : lv_found_save(f, err);
}

/* A guest lets five seconds pass by itself (PCI Express, 6.7.1.5: the attention button). Asked before, it is on its way, and libvirt says no. */
static int unplug(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	bool has_it = false;

	if (lv_call_step(c, f->host, "detaching its user's disk", err) < 0 || is_plugged(f, &has_it, err) < 0)
		return err->code;
	if (!has_it)
		return unplug_settle(c, f, err);
	(void)virDomainDetachDeviceAlias(f->domain, LV_PERSONAL_ALIAS, VIR_DOMAIN_AFFECT_LIVE);
	return pst_err_set(err, PST_EAGAIN, "the guest of desktop %s does not let go of its user's disk", c->desktop);
}

/* The folder where the desktop holds this disk; "" when it holds it not. */
static int holder_find(struct lv_call *c, char ret_folder[PATH_MAX], struct pst_err *err)
{
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1];
	struct store_view v;

	ret_folder[0] = '\0';
	if (store_find(c->lv, &c->personal, &v, err) < 0)
		return err->code;
	if (!v.s.name[0])
		return 0;
	if (personal_held(v.s.path, c->desktop, owner, name, err) < 0)
		return err->code;
	if (strcmp(owner, c->personal.owner) == 0 && strcmp(name, c->personal.name) == 0)
		pst_strlcpy(ret_folder, PATH_MAX, v.s.path);
	return 0;
}

int lv_personal_detach_work(struct lv_call *c, struct pst_err *err)
{
	char folder[PATH_MAX];
	struct lv_found f;
	int rc = 0;

	if (holder_find(c, folder, err) < 0)
		return err->code;
	if (!folder[0])
		return 0;
	if (lv_find(c, &f, err) < 0)
		return err->code;
	if (f.domain && f.is_active)
		rc = unplug(c, &f, err);
	lv_found_finish(&f);
	return rc < 0 ? rc : personal_file_release(folder, c->desktop, err);
}

int lv_personal_release(const struct libvirt *lv, const char *desktop, struct pst_err *err)
{
	const char *offline = NULL;
	struct store_view v;
	size_t at = 0;

	while (store_next(lv, &at, &v, &offline)) {
		if (personal_file_release(v.s.path, desktop, err) < 0)
			return err->code;
	}
	return 0;
}

int lv_personal_remove_work(struct lv_call *c, struct pst_err *err)
{
	struct store_view v;
	char folder[900];
	int rc;

	if (store_find(c->lv, &c->personal, &v, err) < 0)
		return err->code;
	if (!v.s.name[0])
		return 0;
	if (!bins_lock(stores_shared(), v.s.name, folder))
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline", v.s.name);
	rc = personal_remove(folder, c->personal.owner, c->personal.name, c->personal.reason, pst_wall_ms(), c->keep_ms, err);
	bins_unlock(stores_shared(), v.s.name);
	return rc;
}
