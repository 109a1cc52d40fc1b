/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The domain with its record is the intent: it is
 * defined before anything but its folder exists (which has the record of a volume) and undefined after everything else is gone, so what a
 * crash leaves is always found by the desktop's uuid.
 *
 *	create:  folder (→ volume) → define (creating) → reserve → disk, seed → start, or a copy of a booted parent → record (running)
 *	destroy: record (destroying) → end → disk, seed → release → undefine
 */
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/known.h"
#include "broker/hypervisor/libvirt/network.h"
#include "broker/hypervisor/libvirt/parent.h"
#include "broker/hypervisor/libvirt/personal.h"
#include "broker/hypervisor/libvirt/store.h"
#include "broker/hypervisor/libvirt/tpm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/storage/order.h"
#include "broker/hypervisor/storage/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void machine_fill(const struct lv_found *f, struct machine *m)
{
	const struct libvirt *lv = f->host->lv;
	const struct machine_request *r = &f->record.request;

	pst_strlcpy(m->desktop, sizeof(m->desktop), r->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	pst_strlcpy(m->host, sizeof(m->host), f->host->name);
	m->state = MACHINE_RUNNING;
	if (f->record.address[0] == '\0')
		return;
	rdp_site_endpoint(&lv->set.rdp, &lv->set.seed, r, f->record.address, &m->endpoint);
}

/* Older daemons do not know the later flags, nor do drivers without snapshots. A TPM's state goes without a flag. */
static int undefine(virDomainPtr d)
{
	static const unsigned flags[] = {
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM |
			VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM,
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
		0,
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(flags); i++) {
		if (virDomainUndefineFlags(d, flags[i]) == 0 || lv_error_is(VIR_ERR_NO_DOMAIN))
			return 0;
		if (!lv_error_is(VIR_ERR_INVALID_ARG) && !lv_error_is(VIR_ERR_NO_SUPPORT) && !lv_error_is(VIR_ERR_ARGUMENT_UNSUPPORTED))
			return -1;
	}
	return -1;
}

/*
 * A machine that is made anew has a new TPM, too: whatever its last user has kept in it goes. Until it is defined again its folder tells of it
 * (is_cut_off), and nothing else.
 */
static int tpm_forget(struct lv_found *f, virConnectPtr conn, struct pst_err *err)
{
	bool has_tpm = false;

	if (f->record.phase != LV_CREATING || !f->domain)
		return 0;
	if (lv_tpm_of(f, &has_tpm, err) < 0)
		return err->code;
	if (!has_tpm)
		return 0;
	lv_network_release(f->host, conn, &f->record);
	return undefine(f->domain) < 0 ? lv_error(err, f->host, "undefine the domain with its TPM") : 0;
}

int lv_domain_define(struct lv_found *f, virConnectPtr conn, struct pst_err *err)
{
	char *xml = lv_plan_xml(f->host, &f->record, err);

	if (!xml || tpm_forget(f, conn, err) < 0) {
		free(xml);
		return err->code;
	}
	lv_found_finish(f);
	f->domain = virDomainDefineXML(conn, xml);
	free(xml);
	return f->domain ? 0 : lv_error(err, f->host, "define the domain");
}

static int address_take(struct lv_call *c, struct lv_record *r, struct pst_err *err)
{
	struct libvirt *lv = c->lv;
	struct lv_net *n = lv_network_of(lv, &r->request);
	bool has_looked;
	int rc = 0;

	r->address[0] = '\0';
	if (!n)
		return lv_network_missing(&r->request, err);
	if (n->addresses.n == 0)
		return 0;
	pthread_mutex_lock(&lv->lock);
	has_looked = lv->has_looked;
	pthread_mutex_unlock(&lv->lock);
	/* What earlier runs of ours gave out is not free. */
	if (!has_looked && lv_inventory_work(c, err) < 0)
		return err->code;
	pthread_mutex_lock(&lv->lock);
	if (!lv->has_looked)
		rc = pst_err_set(err, PST_EBUSY, "a host that has not answered since the start may use any address: it is waited for");
	else
		rc = lv_addresses_take(&n->addresses, r->request.desktop, r->address, err);
	pthread_mutex_unlock(&lv->lock);
	return rc;
}

/* Without a range of ours, the host's DHCP knows; not yet is no failure. */
static int address_wait(struct lv_call *c, struct lv_found *f, virConnectPtr conn, struct pst_err *err)
{
	uint64_t until = PST_MIN(pst_mono_ms() + c->lv->set.address_wait_ms, c->deadline_ms - PST_MIN(c->deadline_ms, (uint64_t)2000));

	const struct lv_net *n = lv_network_of(c->lv, &f->record.request);

	if (!n || n->addresses.n > 0)
		return 0;
	if (lv_call_step(c, f->host, "waiting for its address", err) < 0)
		return err->code;
	if (lv_network_lease(c, conn, &f->record.request, until, f->record.address) < 0)
		f->record.address[0] = '\0';
	else
		return lv_found_save(f, err);
	return 0;
}

/* The folder is the claim on a datastore's room. */
static int place_take(struct lv_call *c, struct lv_found *f, struct store_turn *turn, struct pst_err *err)
{
	struct order order;

	f->record.parent[0] = '\0';
	if (address_take(c, &f->record, err) < 0 || lv_call_step(c, f->host, "waiting for a datastore", err) < 0)
		return err->code;
	if (!f->host->nature.form->disk[0])
		return 0;
	if (lv_store_place(c, &f->record.request, turn, err) < 0)
		return err->code;
	order_of(c->desktop, &order);
	return order.is_restore ? lv_parent_below(c->lv, c->desktop, f->record.parent, err) : 0;
}

static int overlay_make(struct lv_call *c, const struct lv_found *f, const struct store_turn *turn, struct pst_err *err)
{
	const struct machine_request *r = &f->record.request;
	char parent[PATH_MAX];

	if (f->record.parent[0] && lv_parent_of(c->lv, r->desktop, f->record.parent, "disk.qcow2", parent, err) < 0)
		return err->code;
	return lv_disk_make(c->lv, r, f->record.parent[0] ? parent : r->image_base, turn, err);
}

/* The domain names what will be in its folder. */
static int disk_make(struct lv_call *c, struct lv_found *f, virConnectPtr conn, const struct store_turn *turn, struct pst_err *err)
{
	bool has_disk = f->host->nature.form->disk[0], is_volume = has_disk && lv_disk_is_volume(turn);

	if ((is_volume && (lv_call_step(c, f->host, "making its volume", err) < 0 || overlay_make(c, f, turn, err) < 0)) ||
		lv_call_step(c, f->host, "defining the domain", err) < 0 || lv_domain_define(f, conn, err) < 0 ||
		lv_network_reserve(c, f->host, conn, &f->record, err) < 0 || lv_call_step(c, f->host, "making its disk", err) < 0)
		return err->code;
	return has_disk && !is_volume ? overlay_make(c, f, turn, err) : 0;
}

static int child_make(struct lv_call *c, struct lv_found *f, virConnectPtr conn, const struct store_turn *turn, const struct lv_parent *p,
	struct pst_err *err)
{
	pst_strlcpy(f->record.parent, sizeof(f->record.parent), p->key);
	if (disk_make(c, f, conn, turn, err) < 0 || lv_clone(c, f, conn, p, err) < 0)
		return err->code;
	f->record.phase = LV_RUNNING;
	return lv_found_save(f, err) < 0 ? err->code : lv_power_seed_spend(f, err);
}

/* What a child cannot do, a boot may: 0 when the disk is made and nothing runs, 1 for a child that does. */
static int child_or_disk(struct lv_call *c, struct lv_found *f, virConnectPtr conn, const struct store_turn *turn, struct pst_err *err)
{
	struct lv_parent *p = lv_disk_is_volume(turn) || f->record.parent[0] ? NULL : lv_parent_take(c, f->host, conn, &f->record.request);
	struct pst_err why = PST_ERR_INIT;
	bool is_given_up;
	int rc;

	if (!p)
		return disk_make(c, f, conn, turn, err);
	rc = child_make(c, f, conn, turn, p, &why);
	is_given_up = atomic_load(&c->stop) || rc == PST_ENOSPC;
	lv_parent_give(c->lv, p, rc < 0 && !is_given_up);
	if (rc == 0)
		return 1;
	if (is_given_up) {
		*err = why;
		return rc;
	}
	pst_warn("desktop=%s boots by itself, because its parent cannot be resumed: %s", c->desktop, why.text);
	f->record.phase = LV_CREATING;
	f->record.parent[0] = '\0';
	return f->domain && lv_power_off(c, f, err) < 0 ? err->code : disk_make(c, f, conn, turn, err);
}

/* f->record says what is to be; from the definition to the running machine. */
static int machine_make(struct lv_call *c, struct lv_found *f, virConnectPtr conn, struct pst_err *err)
{
	struct store_turn turn = { .id = 0 };
	int rc;

	f->record.phase = LV_CREATING;
	rc = lv_network_ensure(c, f->host, conn, &f->record.request, err);
	if (rc == 0)
		rc = place_take(c, f, &turn, err);
	if (rc == 0)
		rc = child_or_disk(c, f, conn, &turn, err);
	lv_store_end(&turn);
	if (rc < 0 || (rc == 0 && lv_power_start(c, f, err) < 0))
		return err->code;
	return address_wait(c, f, conn, err);
}

/* Everything of the domain that f found, the domain itself last. */
static int domain_remove(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	virConnectPtr conn;

	f->record.phase = LV_DESTROYING;
	(void)lv_found_save(f, &ignored); /* a full disk must not keep it alive */
	if (lv_power_off(c, f, err) < 0 || lv_personal_release(c->lv, c->desktop, err) < 0 || lv_call_step(c, f->host, "removing its disk", err) < 0 ||
		lv_disk_remove(c->lv, c->desktop, err) < 0 || lv_call_step(c, f->host, "undefining the domain", err) < 0)
		return err->code;
	conn = virDomainGetConnect(f->domain); /* borrowed */
	lv_network_release(f->host, conn, &f->record);
	if (undefine(f->domain) < 0)
		return lv_error(err, f->host, "undefine the domain");
	return 0;
}

/* On whichever hosts it is: an interrupted migration leaves two. */
static int remains_remove(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = 0;

	for (size_t i = 0; i <= c->lv->hosts_n && rc == 0; i++) {
		if (lv_find(c, &f, err) < 0)
			return err->code;
		if (!f.domain)
			break;
		rc = domain_remove(c, &f, err);
		/* What ran here is nowhere else but as the remains of a move: of a host that is away the next list has them. */
		c->tolerates |= f.is_active;
		lv_found_finish(&f);
	}
	if (rc < 0 || lv_personal_release(c->lv, c->desktop, err) < 0)
		return err->code;
	return lv_disk_remove(c->lv, c->desktop, err);
}

int lv_destroy_work(struct lv_call *c, struct pst_err *err)
{
	struct libvirt *lv = c->lv;

	lv_watch_sleep(lv, c->desktop, true);
	if (remains_remove(c, err) < 0)
		return err->code;
	pthread_mutex_lock(&lv->lock);
	lv_known_remove(lv, c->desktop);
	lv_network_forget(lv, c->desktop);
	pthread_mutex_unlock(&lv->lock);
	return 0;
}

/*
 * A copy of a parent that runs, or is paused still, and that nobody is known to have told who it is: it is of no use to anybody. What came
 * back from elsewhere stands on a parent, too, and has booted.
 */
static bool is_untold(const struct lv_found *f)
{
	struct order order;

	order_of(f->record.request.desktop, &order);
	return f->record.phase == LV_CREATING && f->record.parent[0] && !order.is_restore;
}

/* 1: it stands and is answered. 0: nothing is left of an earlier one. Else an error. */
static int create_earlier(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = 0;

	if (lv_find(c, &f, err) < 0)
		return err->code;
	if (f.is_foreign) {
		rc = pst_err_set(err, PST_ECONFLICT, "a domain with desktop %s's uuid is not ours; it is left alone", c->desktop);
	} else if (f.domain && f.is_active && f.record.phase != LV_DESTROYING) {
		rc = strcmp(f.record.request.task, c->request.task) == 0 ? !is_untold(&f) : pst_err_set(err, PST_ECONFLICT,
			"desktop %s already runs by another task", c->desktop);
		if (rc > 0 && f.record.phase == LV_CREATING) {
			f.record.phase = LV_RUNNING;
			rc = lv_found_save(&f, err) < 0 || lv_seed_write(f.host, &f.record.request, err) < 0 ? err->code : 1;
		}
		if (rc > 0)
			machine_fill(&f, &c->machine);
	}
	lv_found_finish(&f);
	if (rc == 0)
		rc = remains_remove(c, err);
	return rc;
}

static void record_begin(const struct lv_call *c, struct lv_record *r)
{
	pst_strlcpy(r->instance, sizeof(r->instance), c->lv->instance);
	pst_strlcpy(r->provider, sizeof(r->provider), c->lv->provider);
	r->request = c->request;
}

/* What failed half-way is taken away again, as far as that goes; else the list has it. */
static void make_undo(struct lv_call *c, struct lv_found *f)
{
	struct pst_err ignored = PST_ERR_INIT;

	if (atomic_load(&c->stop))
		return; /* as after a crash */
	(void)(f->domain ? domain_remove(c, f, &ignored) : lv_disk_remove(c->lv, c->desktop, &ignored));
}

int lv_create_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f = { .domain = NULL };
	virConnectPtr conn;
	int rc;

	if (!lv_network_of(c->lv, &c->request))
		return lv_network_missing(&c->request, err);
	c->tolerates = c->request.host[0] != '\0'; /* the broker makes a desktop on one host only */
	rc = create_earlier(c, err);

	if (rc != 0) {
		if (rc > 0)
			lv_watch_sleep(c->lv, c->desktop, false);
		return rc > 0 ? 0 : rc;
	}
	if (lv_call_step(c, NULL, "choosing a host", err) < 0 || lv_host_choose(c, &f.host, err) < 0)
		return err->code;
	conn = lv_host_connection(f.host, c->deadline_ms, err);
	if (!conn)
		return err->code;
	record_begin(c, &f.record);
	rc = machine_make(c, &f, conn, err);
	if (rc == 0) {
		machine_fill(&f, &c->machine);
		lv_watch_sleep(c->lv, c->desktop, false);
	} else {
		make_undo(c, &f);
	}
	lv_found_finish(&f);
	virConnectClose(conn);
	return rc;
}

/* Stopped already. With refresh, or when the disk was never whole: everything but the domain's place is new. */
static int restart_stopped(struct lv_call *c, struct lv_found *f, bool refresh, struct pst_err *err)
{
	virConnectPtr conn = lv_host_connection(f->host, c->deadline_ms, err);
	int rc;

	if (!conn)
		return err->code;
	if (refresh) {
		f->record.phase = LV_CREATING;
		rc = lv_found_save(f, err);
		if (rc == 0)
			rc = lv_personal_release(c->lv, c->desktop, err);
		if (rc == 0 && virDomainHasManagedSaveImage(f->domain, 0) == 1)
			rc = virDomainManagedSaveRemove(f->domain, 0) < 0 ? lv_error(err, f->host, "drop its saved memory") : 0;
		if (rc == 0)
			rc = lv_snapshots_forget(f, err);
		if (rc == 0)
			rc = machine_make(c, f, conn, err);
	} else {
		rc = lv_power_start(c, f, err);
	}
	virConnectClose(conn);
	return rc;
}

/* Its agent has asked Windows to shut down: what it has in memory is written out, for half of the time that there is. */
static int restart_stop(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	uint64_t now = pst_mono_ms(), left = c->deadline_ms - PST_MIN(c->deadline_ms, now);

	return f->is_active && f->record.request.is_windows ? lv_power_stop(c, f, now + left / 2, err) : lv_power_off(c, f, err);
}

/* A refresh ended before its domain was defined again: its folder is there, and what is asked is whole. */
static bool is_cut_off(struct lv_call *c)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct lv_found f;
	char path[PATH_MAX];
	bool has_domain;

	if (!c->refresh || !c->request.memory_mb || !c->request.image_base[0] || lv_find(c, &f, &ignored) < 0)
		return false;
	has_domain = f.domain || f.is_foreign;
	lv_found_finish(&f);
	return !has_domain && lv_disk_path(c->lv, c->desktop, NULL, path, &ignored) == 0 && access(path, F_OK) == 0;
}

int lv_restart_work(struct lv_call *c, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct machine_request old;
	struct lv_found f;
	bool is_whole;
	int rc = lv_need(c, &f, &why);

	if (rc == PST_ENOTFOUND && is_cut_off(c))
		return lv_create_work(c, err);
	if (rc < 0)
		return pst_err_pass(err, rc, &why);
	is_whole = f.record.phase != LV_CREATING;
	if (f.is_active && is_whole && strcmp(f.record.request.task, c->request.task) == 0) {
		machine_fill(&f, &c->machine); /* done before */
		lv_found_finish(&f);
		return 0;
	}
	lv_watch_sleep(c->lv, c->desktop, true);
	old = f.record.request;
	f.record.request = c->request;
	request_merge(&f.record.request, &old);
	rc = is_whole && !c->refresh ? restart_stop(c, &f, err) : lv_power_off(c, &f, err);
	if (rc == 0)
		rc = restart_stopped(c, &f, c->refresh || !is_whole, err);
	if (rc == 0)
		machine_fill(&f, &c->machine);
	lv_watch_sleep(c->lv, c->desktop, false);
	lv_found_finish(&f);
	return rc;
}

int lv_way_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	memset(&c->machine, 0, sizeof(c->machine));
	machine_fill(&f, &c->machine);
	c->screen.at = c->machine.endpoint;
	c->request = f.record.request;
	lv_found_finish(&f);
	return 0;
}
