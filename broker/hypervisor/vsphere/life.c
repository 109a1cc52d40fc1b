/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The clone has its record from its first moment, so what a crash leaves
 * is found again by the desktop's uuid.
 *
 *	create:  clone (creating) → configure (running) → power on
 *	refresh: clone NAME.next (creating) → remove NAME → rename → configure (running) → power on
 */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/vsphere/address.h"
#include "broker/hypervisor/vsphere/task.h"

#include <stdio.h>
#include <string.h>

int vs_remove(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	struct vim_call c = { .method = "Destroy_Task", .self = &vm->ref };
	struct pst_err why = PST_ERR_INIT;

	if (vm->whose != VS_OURS)
		return 0;
	if (vs_power_off(op, vm, &why) < 0 || task_run(&op->vim, &c, "removing the machine", NULL, &why) < 0) {
		if (why.code != PST_ENOTFOUND) { /* somebody else was first */
			*err = why;
			return why.code;
		}
	}
	vm->whose = VS_NOBODY;
	return 0;
}

static int answer_fill(struct vs_op *op, struct vs_vm *vm, struct machine *ret, struct pst_err *err)
{
	if (vs_address_wait(op, vm, err) < 0)
		return err->code;
	vs_machine_fill(op->vs, vm, ret);
	vs_host_name(op, &vm->host, ret->host);
	watches_know(op->vs->watches, op->desktop);
	return 0;
}

static int finish(struct vs_op *op, struct vs_vm *vm, struct machine *ret, struct pst_err *err)
{
	struct vs_found f;

	if (vs_configure(op, vm, err) < 0 || vs_power_on(op, vm, err) < 0)
		return err->code;
	/* Where it runs, is known only now. */
	if (vs_find(op, &f, err) < 0)
		return err->code;
	if (f.now.whose != VS_OURS || f.now.power != VS_ON)
		return pst_err_set(
			err, PST_EIO, "vSphere says that desktop %s was started, and it does not run: look at its events", op->desktop);
	return answer_fill(op, &f.now, ret, err);
}

/* What a failed create has left; in a time of its own, since the command's may be over. */
static void create_undo(struct vs_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct vs_found f;
	struct vs_op undo;

	vs_op_begin(&undo, op->vs, op->desktop);
	if (vs_find(&undo, &f, &ignored) == 0)
		(void)vs_remove(&undo, &f.now, &ignored);
	vs_op_end(&undo);
}

static int create_run(struct vs_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	char name[VS_NAME_SIZE];
	struct vs_found f;
	struct vs_vm vm;
	int rc;

	if (vs_find(op, &f, err) < 0)
		return err->code;
	if (f.now.whose == VS_OURS && f.now.power == VS_ON && f.now.record.phase == LV_RUNNING) {
		if (strcmp(f.now.record.request.task, r->task) == 0)
			return answer_fill(op, &f.now, ret, err);
		return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", r->desktop);
	}
	snprintf(name, sizeof(name), VS_PREFIX "%s", op->desktop);
	if (f.now.whose == VS_FOREIGN)
		return pst_err_set(err, PST_ECONFLICT, "a machine %s that is not ours stands in the folder; rename it, or remove it", name);
	if (!vs_network_path(&op->vs->set, r->network, err) || vs_remove(op, &f.now, err) < 0 || vs_remove(op, &f.next, err) < 0)
		return err->code;
	if (vs_clone(op, name, r, NULL, &vm, err) < 0)
		return err->code;
	rc = finish(op, &vm, ret, err);
	/* When vSphere is gone, or the caller, it is as after a crash. */
	if (rc < 0 && rc != PST_ECLOSED)
		create_undo(op);
	return rc;
}

int vsphere_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct vs_op op;
	int rc;

	vs_op_begin(&op, vsphere_of(d), r->desktop);
	rc = create_run(&op, r, ret, err);
	vs_op_end(&op);
	return rc;
}

int vsphere_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct vs_found f;
	struct vs_op op;
	int rc;

	vs_op_begin(&op, vsphere_of(d), desktop);
	rc = vs_find(&op, &f, err);
	if (rc == 0)
		rc = vs_remove(&op, &f.now, err) < 0 || vs_remove(&op, &f.next, err) < 0 ? err->code : 0;
	if (rc == 0)
		watches_forget(op.vs->watches, desktop);
	vs_op_end(&op);
	return rc;
}

static int refresh(struct vs_op *op, struct vs_vm *old, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct vs_found f = { .now.whose = VS_NOBODY };
	char name[VS_NAME_SIZE];

	snprintf(name, sizeof(name), VS_PREFIX "%s" VS_NEXT, op->desktop);
	if (!vs_network_path(&op->vs->set, r->network, err) || vs_clone(op, name, r, &old->host, &f.next, err) < 0 ||
		vs_remove(op, old, err) < 0 || vs_found_tidy(op, &f, err) < 0)
		return err->code;
	return finish(op, &f.now, ret, err);
}

/* The same machine with its disk, started again. Its agent has asked Windows to shut down: it has half of the time that there is. */
static int restart_keep(struct vs_op *op, struct vs_vm *vm, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	uint64_t now = pst_mono_ms(), left = op->vim.end_ms - PST_MIN(op->vim.end_ms, now);
	int rc;

	vm->record.request = *r;
	rc = r->is_windows ? vs_power_stop(op, vm, now + left / 2, err) : vs_power_off(op, vm, err);
	return rc < 0 ? rc : finish(op, vm, ret, err);
}

static int restart_run(struct vs_op *op, const struct machine_request *wish, bool is_refresh, struct machine *ret, struct pst_err *err)
{
	struct machine_request r = *wish;
	struct vs_found f;

	if (vs_find(op, &f, err) < 0 || vs_found_tidy(op, &f, err) < 0)
		return err->code;
	if (f.now.whose != VS_OURS)
		return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s to restart", op->desktop);
	request_merge(&r, &f.now.record.request);
	if (f.now.record.phase != LV_CREATING && f.now.power == VS_ON && strcmp(f.now.record.request.task, r.task) == 0)
		return answer_fill(op, &f.now, ret, err); /* done before */
	if (is_refresh || f.now.record.phase == LV_CREATING)
		return refresh(op, &f.now, &r, ret, err);
	return restart_keep(op, &f.now, &r, ret, err);
}

int vsphere_restart(struct driver *d, const struct machine_request *r, bool is_refresh, struct machine *ret, struct pst_err *err)
{
	struct vs_op op;
	int rc;

	vs_op_begin(&op, vsphere_of(d), r->desktop);
	rc = restart_run(&op, r, is_refresh, ret, err);
	vs_op_end(&op);
	return rc;
}
