/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The claim goes first and the machine with it last, so what a crash
 * leaves is always found by the desktop's uuid.
 *
 *	create:  clone (creating) → seed → configure → disk → start → claim (running)
 *	refresh: claim (creating) → stop → clone beside it → remove the old one → as create
 *	destroy: claim (destroying) → stop → seed → machine
 */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <string.h>

static void machine_fill(const struct rest_op *op, const struct pve_found *f, struct machine *m)
{
	const struct pve_settings *set = &proxmox_of_op(op)->set;
	const struct machine_request *r = &f->claim.request;

	pst_strlcpy(m->desktop, sizeof(m->desktop), op->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	pst_strlcpy(m->host, sizeof(m->host), f->vm.node);
	m->state = MACHINE_RUNNING;
	watches_know(op->rest->watches, op->desktop);
	rdp_site_endpoint(&set->rdp, &set->seed, r, f->claim.address, &m->endpoint);
}

/* Of all that was found, the one that counts last. */
static int remains_remove(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT, ignored = PST_ERR_INIT;
	json_t *free_it = NULL;
	int rc;

	if (pve_found_tidy(op, f, err) < 0)
		return err->code;
	if (!f->is_there)
		return 0;
	/* Half a clone cannot be written on yet: what it says, that it is being made, is as good. */
	rc = pve_vm_settle(op, &f->vm, &why);
	if (rc < 0)
		return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	/* What was never finished has the template's protection; what an administrator has protected since stays. */
	if (f->claim.phase == CLAIM_CREATING)
		free_it = json_pack("{s:i}", "protection", 0);
	f->claim.phase = CLAIM_DESTROYING;
	(void)pve_vm_forget(op, &f->vm, &ignored);
	(void)pve_claim_save(op, f, free_it, &ignored);
	if (atomic_load(&op->cancelled))
		return rest_check(op, err);
	return pve_vm_remove(op, &f->vm, err);
}

/* What it is given, with its claim, while it rests. */
static int configure(struct rest_op *op, struct pve_found *f, enum claim_phase phase, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	const struct machine_request *r = &f->claim.request;
	/* Seeds are used once: without a token the one that it had is as good. */
	bool has_seed = f->claim.request.enrol_token[0] || phase == CLAIM_CREATING;
	json_t *config = json_object();

	if (!config)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pve_size_set(config, r->memory_mb, r->cpu_percent);
	json_object_set_new(config, "protection", json_integer(0)); /* a template's own would be copied, and keep it for ever */
	json_object_set_new(config, "onboot", json_integer(0));
	if ((has_seed && (pve_seed_put(op, &f->vm, r, err) < 0 || pve_seed_drive(p, &f->vm, op->desktop, config, err) < 0)) ||
		(phase == CLAIM_CREATING && pve_card_set(p, f, config, err) < 0)) {
		json_decref(config);
		return err->code;
	}
	f->claim.phase = phase;
	return pve_claim_save(op, f, config, err);
}

/* From the clone that stands to the machine that runs. */
static int finish(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	if (configure(op, f, CLAIM_CREATING, err) < 0 || pve_disk_grow(op, f, f->claim.request.disk_mb, true, err) < 0 ||
		pve_vm_start(op, &f->vm, err) < 0)
		return err->code;
	if (pve_address_wait(op, f, err) < 0)
		return err->code;
	f->claim.phase = CLAIM_RUNNING;
	return pve_claim_save(op, f, NULL, err);
}

/* What a failed create has left; in a time of its own, since the command's may be over. */
static void create_undo(struct rest_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct pve_found f;
	struct rest_op undo;

	rest_begin(&undo, op->rest, op->desktop);
	if (pve_find(&undo, &f, &ignored) == 0)
		remains_remove(&undo, &f, &ignored);
	pve_found_finish(&f);
	rest_end(&undo);
}

static int create_new(struct rest_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	struct pve_found f = { .is_there = false };
	int rc;

	const struct net_named *net;

	f.claim.phase = CLAIM_CREATING;
	f.claim.request = *r;
	pst_strlcpy(f.claim.instance, sizeof(f.claim.instance), p->instance);
	pst_strlcpy(f.claim.provider, sizeof(f.claim.provider), p->provider);
	rc = nets_find(&p->set.nets, r->network, &net, err);
	if (rc == 0)
		rc = pve_address_take(op, &f.claim, err);
	if (rc == 0)
		rc = pve_clone(op, &f, err);
	if (rc == 0)
		rc = finish(op, &f, err);
	if (rc == 0)
		machine_fill(op, &f, ret);
	else if (!atomic_load(&op->cancelled))
		create_undo(op);
	pve_found_finish(&f);
	return rc;
}

static int create_run(struct rest_op *op, struct pve_found *f, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	if (f->is_there && f->vm.is_running && f->claim.phase != CLAIM_DESTROYING) {
		if (strcmp(f->claim.request.task, r->task) != 0)
			return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", op->desktop);
		if (f->claim.phase != CLAIM_RUNNING) { /* all but the last word had been said */
			f->claim.phase = CLAIM_RUNNING;
			if (pve_address_wait(op, f, err) < 0 || pve_claim_save(op, f, NULL, err) < 0)
				return err->code;
		}
		machine_fill(op, f, ret);
		return 0;
	}
	if (remains_remove(op, f, err) < 0)
		return err->code;
	return create_new(op, r, ret, err);
}

int proxmox_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, r->desktop);
	rc = pve_find(&op, &f, err);
	if (rc == 0)
		rc = create_run(&op, &f, r, ret, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}

int proxmox_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct proxmox *p = proxmox_of(d);
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &p->rest, desktop);
	rc = pve_find(&op, &f, err);
	if (rc == 0)
		rc = remains_remove(&op, &f, err);
	if (rc == 0) {
		watches_forget(p->rest.watches, desktop);
		pthread_mutex_lock(&p->lock);
		lv_addresses_release(&p->addresses, desktop);
		pthread_mutex_unlock(&p->lock);
	}
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}

/* The old one stays as a promise until the new one stands beside it. */
static int refresh(struct rest_op *op, struct pve_found *f, const struct machine_request *r, struct pst_err *err)
{
	const struct pve_settings *set = &proxmox_of_op(op)->set;
	struct pve_found fresh = { .is_there = false };
	json_t *free_it = f->claim.phase == CLAIM_CREATING ? json_pack("{s:i}", "protection", 0) : NULL; /* as in remains_remove */
	int rc;

	f->claim.phase = CLAIM_CREATING;
	rc = pve_vm_forget(op, &f->vm, err);
	if (rc < 0) {
		json_decref(free_it);
		return rc;
	}
	rc = pve_claim_save(op, f, free_it, err);
	if (rc == 0)
		rc = pve_vm_stop(op, &f->vm, err);
	if (rc < 0)
		return rc;
	fresh.claim = f->claim;
	fresh.claim.request = *r;
	if (proxmox_of_op(op)->addresses.n == 0)
		fresh.claim.address[0] = '\0'; /* it was the old card's */
	/* Nobody asked for another node; one that takes no more of ours is left. */
	fresh.claim.request.host[0] = '\0';
	if (set->is_shared && pve_node_allowed(set, f->vm.node))
		pst_strlcpy(fresh.claim.request.host, sizeof(fresh.claim.request.host), f->vm.node);
	rc = pve_clone(op, &fresh, err);
	if (rc == 0)
		rc = pve_vm_remove(op, &f->vm, err);
	if (rc == 0)
		rc = finish(op, &fresh, err);
	if (rc == 0) {
		pve_found_finish(f);
		*f = fresh;
		return 0;
	}
	pve_found_finish(&fresh);
	return rc;
}

/* The same machine, ended and started. Its agent has asked Windows to shut down: it has half of the time that there is. */
static int restart_keep(struct rest_op *op, struct pve_found *f, const struct machine_request *r, struct pst_err *err)
{
	if (pve_vm_forget(op, &f->vm, err) < 0 || (r->is_windows ? pve_vm_shut_down(op, f, rest_left_ms(op) / 2000, err) : pve_vm_stop(op, &f->vm, err)) < 0)
		return err->code;
	f->claim.request = *r;
	if (configure(op, f, CLAIM_RUNNING, err) < 0 || pve_vm_start(op, &f->vm, err) < 0)
		return err->code;
	return pve_address_wait(op, f, err);
}

static int restart_run(struct rest_op *op, struct pve_found *f, const struct machine_request *wish, bool is_refresh, struct machine *ret,
	struct pst_err *err)
{
	struct machine_request r = *wish;
	bool is_whole = f->claim.phase != CLAIM_CREATING;
	int rc;

	request_merge(&r, &f->claim.request);
	if (f->vm.is_running && f->claim.phase == CLAIM_RUNNING && strcmp(f->claim.request.task, r.task) == 0) {
		machine_fill(op, f, ret); /* done before */
		return 0;
	}
	if (pve_found_tidy(op, f, err) < 0)
		return err->code;
	rc = is_refresh || !is_whole ? refresh(op, f, &r, err) : restart_keep(op, f, &r, err);
	if (rc == 0)
		machine_fill(op, f, ret);
	return rc;
}

int proxmox_restart(struct driver *d, const struct machine_request *r, bool is_refresh, struct machine *ret, struct pst_err *err)
{
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, r->desktop);
	rc = pve_need(&op, &f, false, err);
	if (rc == 0)
		rc = restart_run(&op, &f, r, is_refresh, ret, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}
