/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Start, stop, off and suspend. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/hypervisor/vsphere/address.h"
#include "broker/hypervisor/vsphere/fault.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/task.h"

#define AGAIN_MS 1000 /* between two waits, of which the first broke off */
#define STOP_RESERVE_MS 15000 /* of the deadline, for ending a guest that does not listen */

/* Whoever was there first has made it so, too. */
static int power_task(struct vs_op *op, struct vs_vm *vm, const char *method, const char *what, enum vs_power power, struct pst_err *err)
{
	struct vim_call c = { .method = method, .self = &vm->ref };
	struct pst_err why = PST_ERR_INIT;

	if (vm->power == power)
		return 0;
	if (task_run(&op->vim, &c, what, NULL, &why) < 0) {
		if (!fault_is(&why, "InvalidPowerState") || vs_vm_look(op, vm, err) < 0 || vm->power != power) {
			*err = why;
			return why.code;
		}
	}
	vm->power = power;
	return 0;
}

int vs_power_on(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	return power_task(op, vm, "PowerOnVM_Task", "switching the machine on", VS_ON, err);
}

int vs_power_off(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	return power_task(op, vm, "PowerOffVM_Task", "switching the machine off", VS_OFF, err);
}

/* Until it is off, or a wait breaks off. */
static int off_wait(struct vs_op *op, struct vs_vm *vm, struct vim_op *ask, struct pst_err *err)
{
	static const char *const paths[] = { "runtime.powerState", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	struct pst_err ignored = PST_ERR_INIT;
	struct property_wait w;
	int rc = 0;

	if (property_wait_begin(ask, &set, &w, &ignored) < 0)
		return 0;
	while (rc == 0 && vm->power == VS_ON && vim_op_check(&op->vim, &ignored) == 0 && property_wait_next(ask, &w, VS_WAIT_S, &ignored) >= 0)
		rc = vs_vm_look(op, vm, err);
	property_wait_end(ask, &w);
	return rc;
}

/* A guest that is shutting down is not ended because a wait broke off, as with its session: it is begun anew. */
static int off_await(struct vs_op *op, struct vs_vm *vm, struct vim_op *ask, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int rc = 0;

	while (rc == 0 && vm->power == VS_ON && vim_op_check(ask, &ignored) == 0) {
		rc = off_wait(op, vm, ask, err);
		if (rc == 0 && vm->power == VS_ON && vim_op_left(ask) && (rc = vim_op_pause(&op->vim, AGAIN_MS, err)) == 0)
			rc = vs_vm_look(op, vm, err);
	}
	return rc;
}

int vs_power_stop(struct vs_op *op, struct vs_vm *vm, uint64_t until_ms, struct pst_err *err)
{
	struct vim_op ask = { .vim = op->vim.vim, .owner = op->vim.owner, .end_ms = until_ms };
	bool has_agent = rdp_site_has_agent(&op->vs->set.seed, &vm->record.request);
	struct pst_err ignored = PST_ERR_INIT;
	struct soap *s;
	int rc = 0;

	s = vm->power == VS_ON ? vim_call(&ask, &(struct vim_call){ .method = "ShutdownGuest", .self = &vm->ref }, &ignored) : NULL;
	if (s || has_agent)
		rc = off_await(op, vm, &ask, err);
	soap_destroy(s);
	return rc < 0 ? rc : vs_power_off(op, vm, err);
}

/* Until the deadline comes near. */
static int stop(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	return vs_power_stop(op, vm, op->vim.end_ms - PST_MIN(op->vim.end_ms, (uint64_t)STOP_RESERVE_MS), err);
}

static int suspend(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	return vm->power == VS_OFF ? 0 : power_task(op, vm, "SuspendVM_Task", "suspending the machine", VS_SUSPENDED, err);
}

static int phase_save(struct vs_op *op, struct vs_vm *vm, enum lv_phase phase, struct pst_err *err)
{
	bool is_off = vm->power == VS_OFF;

	if (vm->record.phase == phase)
		return 0;
	vm->record.phase = phase;
	/* One that is off finds a seed without a token: that was for its first start. */
	return vs_save(op, vm, is_off, err);
}

/* Said before it is done: a machine that we stop has not failed. One that is suspended takes no configuration. */
static int sleep_by(struct vs_op *op, struct vs_vm *vm, enum machine_power wish, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int rc;

	if (vm->power == VS_SUSPENDED && wish == POWER_SUSPEND)
		return 0;
	if (vm->power == VS_SUSPENDED)
		return vs_power_off(op, vm, err) < 0 ? err->code : phase_save(op, vm, LV_STOPPED, err);
	if (phase_save(op, vm, LV_STOPPED, err) < 0)
		return err->code;
	rc = wish == POWER_SUSPEND ? suspend(op, vm, err) : wish == POWER_STOP ? stop(op, vm, err) : vs_power_off(op, vm, err);
	if (rc < 0 && vm->power == VS_ON)
		(void)phase_save(op, vm, LV_RUNNING, &ignored);
	return rc;
}

static int start(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	if (vm->power == VS_SUSPENDED && vs_power_on(op, vm, err) < 0)
		return err->code;
	if (phase_save(op, vm, LV_RUNNING, err) < 0 || vs_power_on(op, vm, err) < 0)
		return err->code;
	return rdp_site_needs_address(&op->vs->set.seed, &vm->record.request) ? vs_address_wait(op, vm, err) : 0;
}

static int wish_do(struct vs_op *op, struct vs_vm *vm, const void *arg, struct pst_err *err)
{
	enum machine_power wish = *(const enum machine_power *)arg;

	if ((wish == POWER_START ? start(op, vm, err) : sleep_by(op, vm, wish, err)) < 0)
		return err->code;
	if (wish == POWER_START)
		watches_know(op->vs->watches, op->desktop);
	else
		watches_forget(op->vs->watches, op->desktop);
	return 0;
}

int vsphere_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	return vs_work(d, desktop, wish_do, &wish, err);
}
