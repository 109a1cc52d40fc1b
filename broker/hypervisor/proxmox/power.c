/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Start, shut down, stop and suspend. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

#define LOOK_MS 500
#define STOP_RESERVE_S 5 /* of the deadline, for ending a guest that does not listen */

static int runs(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	return g->vm->is_running;
}

static int rests(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	return !g->vm->is_running;
}

static int is_awake(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	return strcmp(g->vm->lock, "suspended") != 0;
}

int pve_vm_forget(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	json_t *how = json_pack("{s:s}", "delete", "vmstate");
	struct pve_goal g = { .vm = vm, .what = "drop its memory", .method = "PUT", .path = "/config", .json = how, .is_reached = is_awake };
	int rc = 0;

	if (strcmp(vm->lock, "suspended") == 0)
		rc = how ? pve_reach(op, &g, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	json_decref(how);
	return rc;
}

int pve_vm_start(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	struct pve_goal g = { .vm = vm, .what = "start", .method = "POST", .path = "/status/start", .is_reached = runs };

	return pve_reach(op, &g, err);
}

int pve_vm_stop(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	struct pve_goal g = { .vm = vm, .what = "stop", .method = "POST", .path = "/status/stop", .is_reached = rests };

	return pve_reach(op, &g, err);
}

/* Whatever becomes of the question, it is looked whether it ends. */
static int told_down(struct rest_op *op, struct pve_vm *vm, const json_t *how, uint64_t given_s, struct pst_err *err)
{
	uint64_t until = pst_mono_ms() + given_s * 1000;
	struct pst_err ignored = PST_ERR_INIT;
	char path[REST_PATH_SIZE];
	int rc;

	if (pve_vm_path(vm, "/status/shutdown", path, err) < 0)
		return err->code;
	(void)pve_send(op, "POST", path, how, &ignored);
	while ((rc = pve_vm_settle(op, vm, err)) == 0 && vm->is_running && pst_mono_ms() < until) {
		if (rest_wait(op, LOOK_MS, err) < 0)
			return err->code;
	}
	return rc < 0 ? rc : pve_vm_stop(op, vm, err);
}

/* Whoever does not go is ended by the same task; but not one that goes by its agent's word, where nothing else takes Proxmox VE's. */
int pve_vm_shut_down(struct rest_op *op, struct pve_found *f, uint64_t given_s, struct pst_err *err)
{
	bool has_agent = rdp_site_has_agent(&proxmox_of_op(op)->set.seed, &f->claim.request);
	json_t *how = json_pack("{s:I,s:i}", "timeout", (json_int_t)given_s, "forceStop", !has_agent);
	struct pve_goal g = { .vm = &f->vm, .what = "shut down", .method = "POST", .path = "/status/shutdown", .json = how, .is_reached = rests };
	int rc;

	if (!how)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = has_agent && f->vm.is_running ? told_down(op, &f->vm, how, given_s, err) : pve_reach(op, &g, err);
	json_decref(how);
	return rc;
}

static int shut_down(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	uint64_t left_s = rest_left_ms(op) / 1000;

	return pve_vm_shut_down(op, f, left_s > 2 * STOP_RESERVE_S ? left_s - STOP_RESERVE_S : left_s / 2, err);
}

static int suspend(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	json_t *how = json_pack("{s:i}", "todisk", 1);
	struct pve_goal g = { .vm = vm, .what = "suspend", .method = "POST", .path = "/status/suspend", .json = how, .is_reached = rests };
	int rc = how ? pve_reach(op, &g, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	json_decref(how);
	return rc;
}

static int sleep_by(struct rest_op *op, struct pve_found *f, enum machine_power wish, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int rc;

	if (wish == POWER_SUSPEND && strcmp(f->vm.lock, "suspended") == 0)
		return 0;
	if (pve_vm_forget(op, &f->vm, err) < 0)
		return err->code;
	/* Said before it is done: a machine that we stop has not failed. */
	f->claim.phase = CLAIM_STOPPED;
	rc = pve_claim_save(op, f, NULL, err);
	if (rc == 0)
		rc = wish == POWER_SUSPEND ? suspend(op, &f->vm, err) : wish == POWER_STOP ? shut_down(op, f, err) : pve_vm_stop(op, &f->vm, err);
	if (rc < 0 && !atomic_load(&op->cancelled) && pve_vm_look(op, &f->vm, &ignored) == 0 && f->vm.is_running) {
		f->claim.phase = CLAIM_RUNNING;
		(void)pve_claim_save(op, f, NULL, &ignored);
	}
	if (rc == 0)
		watches_forget(op->rest->watches, op->desktop);
	return rc;
}

static int wake(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	bool needs_address = rdp_site_needs_address(&proxmox_of_op(op)->set.seed, &f->claim.request);

	if (pve_vm_start(op, &f->vm, err) < 0 || (needs_address && pve_address_wait(op, f, err) < 0))
		return err->code;
	if (f->claim.phase != CLAIM_RUNNING) {
		f->claim.phase = CLAIM_RUNNING;
		if (pve_claim_save(op, f, NULL, err) < 0)
			return err->code;
	}
	watches_know(op->rest->watches, op->desktop);
	return 0;
}

int proxmox_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, desktop);
	rc = pve_need(&op, &f, true, err);
	if (rc == 0)
		rc = wish == POWER_START ? wake(&op, &f, err) : sleep_by(&op, &f, wish, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}
