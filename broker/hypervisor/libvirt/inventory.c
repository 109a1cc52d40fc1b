/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every machine of ours: domains with our tag on all hosts, and folders that have no domain. */
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/known.h"
#include "broker/hypervisor/libvirt/network.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/storage/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define DISK_FREE_MIN_MB 512

/* Why a domain is shut off, by virDomainShutoffReason. NULL: it was to run, and what happened is not known. */
static const struct {
	enum machine_state state;
	const char *words;
} rests[] = {
	[VIR_DOMAIN_SHUTOFF_UNKNOWN] = { MACHINE_STOPPED, "its host was restarted" },
	[VIR_DOMAIN_SHUTOFF_SHUTDOWN] = { MACHINE_STOPPED, "it was shut down from within" },
	[VIR_DOMAIN_SHUTOFF_DESTROYED] = { MACHINE_FAILED, "somebody ended it in the hypervisor" },
	[VIR_DOMAIN_SHUTOFF_CRASHED] = { MACHINE_FAILED, "it crashed; the hypervisor's log of it says more" },
	[VIR_DOMAIN_SHUTOFF_MIGRATED] = { MACHINE_STOPPED, "it was moved to another host" },
	[VIR_DOMAIN_SHUTOFF_SAVED] = { MACHINE_STOPPED, "it is suspended to disk" },
	[VIR_DOMAIN_SHUTOFF_FAILED] = { MACHINE_FAILED, "the hypervisor could not start it" },
	[VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = { MACHINE_STOPPED, "it is as in its snapshot: off" },
	[VIR_DOMAIN_SHUTOFF_DAEMON] = { MACHINE_FAILED, "the hypervisor's daemon ended it" },
};

enum machine_state lv_rest(virDomainPtr d, const struct lv_record *r, char *out, size_t size)
{
	int state = 0, reason = 0;

	if (r->phase == LV_CREATING || r->phase == LV_DESTROYING) {
		pst_strlcpy(out, size, r->phase == LV_CREATING ? "its creation was interrupted" : "its removal was interrupted");
		return MACHINE_FAILED;
	}
	if (r->phase == LV_STOPPED) {
		pst_strlcpy(out, size, "");
		return MACHINE_STOPPED;
	}
	if (virDomainGetState(d, &state, &reason, 0) < 0 || reason < 0 || (size_t)reason >= PST_ARRAY_LEN(rests))
		reason = VIR_DOMAIN_SHUTOFF_CRASHED;
	pst_strlcpy(out, size, rests[reason].words);
	return rests[reason].state;
}

static struct lv_item *item_add(struct lv_call *c)
{
	size_t cap = c->items_cap ? 2 * c->items_cap : 64;
	struct lv_item *items = c->items;

	if (c->items_n == c->items_cap) {
		items = c->items_n < LV_MACHINES_MAX ? realloc(c->items, cap * sizeof(*items)) : NULL;
		if (!items)
			return NULL;
		c->items = items;
		c->items_cap = cap;
	}
	memset(&items[c->items_n], 0, sizeof(*items));
	return &items[c->items_n++];
}

static struct lv_item *item_find(struct lv_call *c, size_t n, const char *desktop)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(c->items[i].desktop, desktop) == 0)
			return &c->items[i];
	}
	return NULL;
}

/* QEMU stops a guest whose disk cannot be written, until somebody has made room and lets it go on. */
static void pause_tell(virDomainPtr d, struct lv_item *item)
{
	int state = 0, reason = 0;

	if (virDomainGetState(d, &state, &reason, 0) == 0 && state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR)
		pst_strlcpy(item->reason, sizeof(item->reason), "it is paused: its disk cannot be written; make room, then start it");
}

static int item_fill(struct lv_item *item, virDomainPtr d, const struct lv_record *r, struct lv_host *h, struct pst_err *err)
{
	int active = virDomainIsActive(d);

	if (active < 0)
		return lv_error(err, h, "ask whether a domain runs");
	pst_strlcpy(item->desktop, sizeof(item->desktop), r->request.desktop);
	pst_strlcpy(item->task, sizeof(item->task), r->request.task);
	pst_strlcpy(item->address, sizeof(item->address), r->address);
	snprintf(item->image, sizeof(item->image), "%s:%s", r->request.image_name, r->request.image_version);
	item->host = (uint8_t)(h - h->lv->hosts);
	item->is_windows = r->request.is_windows;
	item->has_rdp = r->request.has_rdp;
	item->state = MACHINE_RUNNING;
	if (active == 1)
		pause_tell(d, item);
	else
		item->state = lv_rest(d, r, item->reason, sizeof(item->reason));
	return 0;
}

/* Twice there, in the middle of a migration: the one that runs counts. */
static int domain_take(struct lv_call *c, size_t before, virDomainPtr d, struct lv_host *h, struct pst_err *err)
{
	struct pst_err one = PST_ERR_INIT;
	struct lv_item item = { .host = 0 }, *place;
	struct lv_record r;
	int rc = lv_record_load(c->lv, h, d, &r, &one);

	if (rc == 0)
		rc = item_fill(&item, d, &r, h, &one);
	if (rc == PST_ENOTFOUND)
		return 0; /* not ours, or gone since */
	if (rc < 0) {
		*err = one;
		return rc;
	}
	place = before ? item_find(c, before, item.desktop) : NULL;
	if (place && place->state == MACHINE_RUNNING)
		return 0;
	place = place ? place : item_add(c);
	if (!place)
		return pst_err_set(err, PST_ELIMIT, "more than %d machines, or no memory for them", LV_MACHINES_MAX);
	*place = item;
	return 0;
}

static int host_list(struct lv_call *c, struct lv_host *h, struct pst_err *err)
{
	virConnectPtr conn = lv_host_try(c, h, err);
	size_t before = c->items_n;
	virDomainPtr *domains = NULL;
	int n, rc = 0;

	if (!conn)
		return err->code;
	n = virConnectListAllDomains(conn, &domains, 0);
	if (n < 0)
		rc = lv_error(err, h, "list domains");
	for (int i = 0; i < n; i++) {
		if (rc == 0 && lv_call_step(c, h, "reading the domains", err) < 0)
			rc = err->code;
		if (rc == 0)
			rc = domain_take(c, before, domains[i], h, err);
		virDomainFree(domains[i]);
	}
	free(domains);
	virConnectClose(conn);
	return rc;
}

static int by_desktop(const void *a, const void *b)
{
	return strcmp(((const struct lv_item *)a)->desktop, ((const struct lv_item *)b)->desktop);
}

/* A folder without a domain: what is left of an interrupted removal, or of a lost hypervisor. */
static void folder_take(const char *desktop, void *arg)
{
	struct lv_call *c = arg;
	struct lv_item *item, key;

	pst_strlcpy(key.desktop, sizeof(key.desktop), desktop);
	if (c->folders_from && bsearch(&key, c->items, c->folders_from, sizeof(key), by_desktop))
		return;
	item = item_add(c);
	if (!item)
		return; /* the next list has it */
	pst_strlcpy(item->desktop, sizeof(item->desktop), desktop);
	item->state = MACHINE_FAILED;
	pst_strlcpy(item->reason, sizeof(item->reason), "its disk is there, but the hypervisor has no such domain");
}

/* One of several hosts that cannot be asked is named; when none can, there is no list. */
static int hosts_list(struct lv_call *c, size_t *ret_silent, struct pst_err *err)
{
	struct libvirt *lv = c->lv;

	*ret_silent = 0;
	for (size_t i = 0; i < lv->hosts_n; i++) {
		struct pst_err one = PST_ERR_INIT;
		size_t before = c->items_n;

		c->is_silent[i] = false;
		if (lv_call_step(c, &lv->hosts[i], "listing domains", err) < 0)
			return err->code;
		if (host_list(c, &lv->hosts[i], &one) == 0)
			continue;
		c->items_n = before;
		c->is_silent[i] = true;
		snprintf(c->silence[i], sizeof(c->silence[i]), "%.200s", one.text);
		if (++*ret_silent == lv->hosts_n) {
			*err = one;
			return one.code;
		}
	}
	return 0;
}

int lv_inventory_work(struct lv_call *c, struct pst_err *err)
{
	struct libvirt *lv = c->lv;
	size_t silent;

	if (hosts_list(c, &silent, err) < 0)
		return err->code;
	if (c->items_n)
		qsort(c->items, c->items_n, sizeof(*c->items), by_desktop);
	c->folders_from = c->items_n;
	/* A folder whose domain is nowhere to be seen may have it on a host that is away. */
	if (silent == 0 && lv_disk_each(lv, folder_take, c, err) < 0)
		return err->code;
	pthread_mutex_lock(&lv->lock);
	for (size_t i = 0; i < c->items_n; i++) {
		lv_known_add(lv, c->items[i].desktop);
		lv_network_mark(lv, c->items[i].desktop, c->items[i].address);
	}
	lv->has_looked |= silent == 0;
	pthread_mutex_unlock(&lv->lock);
	return 0;
}

static void disk_look(const struct libvirt *lv, struct driver_capacity *ret)
{
	struct statvfs fs;

	if (ret->reason[0] || lv->set.stores_n == 0)
		return;
	if (lv->set.directory[0] == '\0') {
		stores_have_room(stores_shared(), lv->set.stores, lv->set.stores_n, ret->reason, sizeof(ret->reason));
		return;
	}
	if (statvfs(lv->set.directory, &fs) < 0)
		snprintf(ret->reason, sizeof(ret->reason), "directory %.300s cannot be read: make it, or mount it", lv->set.directory);
	else if ((uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)DISK_FREE_MIN_MB << 20)
		snprintf(ret->reason, sizeof(ret->reason), "less than %d MB are free in %.300s: make room", DISK_FREE_MIN_MB,
			lv->set.directory);
}

/* True when it answers. The reason is of the last one that does not. */
static bool host_look(struct lv_call *c, struct lv_host *h)
{
	struct driver_capacity *ret = &c->capacity;
	struct pst_err err = PST_ERR_INIT;
	virConnectPtr conn = lv_host_try(c, h, &err);
	int rc = conn ? 0 : err.code;

	if (conn && virConnectNumOfDomains(conn) < 0)
		rc = lv_error(&err, h, "ask for domains");
	if (rc < 0)
		snprintf(ret->reason, sizeof(ret->reason), "%.300s: look at libvirtd there, and at \"uri\"", err.text);
	if (conn)
		virConnectClose(conn);
	return rc == 0;
}

int lv_capacity_work(struct lv_call *c, struct pst_err *err)
{
	struct libvirt *lv = c->lv;
	bool is_healthy = false;

	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (lv_call_step(c, &lv->hosts[i], "asking for its health", err) < 0)
			return err->code;
		is_healthy |= host_look(c, &lv->hosts[i]);
	}
	if (is_healthy)
		c->capacity.reason[0] = '\0'; /* the hosts themselves say which are away */
	disk_look(lv, &c->capacity);
	return 0;
}
