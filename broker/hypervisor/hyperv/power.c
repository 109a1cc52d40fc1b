/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power and snapshots. The record says first what is meant. */
#include "broker/hypervisor/hyperv/hyperv_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHUTDOWN_PART 2 /* of the deadline is the guest's, to end by itself */
#define SNAPSHOTS_MAX 64 /* Hyper-V carries 50 */

static int whole_need(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	int rc = hv_need(op, vm, err);

	if (rc == 0 && vm->record.phase != LV_RUNNING && vm->record.phase != LV_STOPPED)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s was never finished: it has to be refreshed or destroyed", op->call.desktop);
	return rc;
}

static int change(struct driver *d, const char *desktop, int (*work)(struct hv_op *op, struct hv_vm *vm, const void *arg, struct pst_err *err),
	const void *arg, struct pst_err *err)
{
	struct hyperv *h = hyperv_of(d);
	struct hv_vm *vm = pst_zalloc(1, sizeof(*vm));
	struct hv_op op;
	int rc;

	if (!vm)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = hv_op_begin(&op, h, desktop, h->deadline_ms, err);
	if (rc == 0) {
		rc = whole_need(&op, vm, err);
		if (rc == 0)
			rc = work(&op, vm, arg, err);
		hv_op_end(&op);
	}
	free(vm);
	return rc;
}

/* Who does not answer (no integration services) is switched off. */
int hv_stop(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	bool has_agent = rdp_site_has_agent(&op->h->seed, &vm->record.request);
	struct pst_err why = PST_ERR_INIT;
	uint64_t now = pst_mono_ms();
	int rc;

	if (vm->state != VM_RUNNING)
		return hv_off(op, vm, err);
	rc = vm_ask(&op->ws, vm->id, &why);
	if (rc == PST_ECLOSED)
		return pst_err_pass(err, rc, &why);
	if (rc < 0 && !has_agent)
		return hv_off(op, vm, err);
	rc = hv_await(op, vm, VM_OFF, now + (op->call.end_ms - PST_MIN(now, op->call.end_ms)) / SHUTDOWN_PART, &why);
	/* That it could not be looked is no reason to end a guest that is at it. */
	return rc == PST_ETIMEOUT ? hv_off(op, vm, err) : pst_err_pass(err, rc, &why);
}

static int save_memory(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	if (vm->state != VM_RUNNING)
		return 0;
	if (vm_wish(&op->ws, vm->id, VM_WISH_SAVE, err) < 0)
		return err->code;
	return hv_await(op, vm, VM_SAVED, op->call.end_ms, err);
}

static int power_work(struct hv_op *op, struct hv_vm *vm, const void *arg, struct pst_err *err)
{
	enum machine_power wish = *(const enum machine_power *)arg;
	int rc;

	vm->record.phase = wish == POWER_START ? LV_RUNNING : LV_STOPPED;
	if (hv_save(op, vm, err) < 0)
		return err->code;
	if (wish != POWER_START)
		watches_forget(op->h->watches, op->call.desktop);
	if (wish == POWER_START)
		rc = hv_on(op, vm, err);
	else if (wish == POWER_SUSPEND)
		rc = save_memory(op, vm, err);
	else
		rc = wish == POWER_STOP ? hv_stop(op, vm, err) : hv_off(op, vm, err);
	if (rc == 0 && wish == POWER_START)
		watches_know(op->h->watches, op->call.desktop);
	return rc;
}

int hv_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	return change(d, desktop, power_work, &wish, err);
}

struct entry {
	const char *pin;
	struct machine_endpoint *endpoint;
	json_t **account;
};

static int way_work(struct hv_op *op, struct hv_vm *vm, const void *arg, struct pst_err *err)
{
	const struct entry *e = arg;

	rdp_site_endpoint(&op->h->rdp, &op->h->seed, &vm->record.request, vm->record.address, e->endpoint);
	return rdp_site_enter(&op->h->rdp, &vm->record.request, e->endpoint, e->pin, e->account, err);
}

int hv_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	struct entry e = { .pin = pin, .endpoint = ret, .account = ret_account };

	return change(d, desktop, way_work, &e, err);
}

struct look {
	const char *name;
	const struct look *before;          /* or NULL: only what it did not see yet counts */
	char instance_id[VM_INSTANCE_SIZE]; /* "" while not found */
	char seen[SNAPSHOTS_MAX][VM_INSTANCE_SIZE];
	size_t n;
};

static bool was_seen(const struct look *l, const char *instance_id)
{
	for (size_t i = 0; l && i < l->n; i++) {
		if (strcmp(l->seen[i], instance_id) == 0)
			return true;
	}
	return false;
}

static int on_snapshot(const struct soap_node *item, void *arg, struct pst_err *err)
{
	const char *id = soap_text(item, "InstanceID");
	struct look *l = arg;

	if (l->n == SNAPSHOTS_MAX)
		return pst_err_set(err, PST_ELIMIT, "the machine has more than %d snapshots: remove some in Hyper-V", SNAPSHOTS_MAX);
	pst_strlcpy(l->seen[l->n++], VM_INSTANCE_SIZE, id);
	if (l->before ? !was_seen(l->before, id) : strcmp(soap_text(item, "ElementName"), l->name) == 0)
		pst_strlcpy(l->instance_id, sizeof(l->instance_id), id);
	return 0;
}

/* By its name; or, with a look of before, the one that has come since. */
static int snapshot_find(struct hv_op *op, const struct hv_vm *vm, const char *name, const struct look *before, struct look *l, struct pst_err *err)
{
	char query[320];

	memset(l, 0, sizeof(*l));
	l->name = name;
	l->before = before;
	snprintf(query, sizeof(query),
		"SELECT * FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemType = 'Microsoft:Hyper-V:Snapshot:Realized' AND VirtualSystemIdentifier = '%s'",
		vm->id);
	return wsman_enumerate(&op->ws, CIM_V2, query, on_snapshot, l, err);
}

static int take_work(struct hv_op *op, struct hv_vm *vm, const void *arg, struct pst_err *err)
{
	struct look before, after;

	if (snapshot_find(op, vm, arg, NULL, &before, err) < 0)
		return err->code;
	if (before.instance_id[0])
		return 0;
	if (vm_snapshot(&op->ws, vm->id, err) < 0 || snapshot_find(op, vm, arg, &before, &after, err) < 0)
		return err->code;
	if (!after.instance_id[0])
		return pst_err_set(err, PST_EIO, "%s says that it took a snapshot, and there is none", wsman_name(op->h->wsman));
	return vm_rename(&op->ws, after.instance_id, arg, err);
}

static int revert_work(struct hv_op *op, struct hv_vm *vm, const void *arg, struct pst_err *err)
{
	struct lv_record record = vm->record;
	struct look l;

	if (snapshot_find(op, vm, arg, NULL, &l, err) < 0)
		return err->code;
	if (!l.instance_id[0])
		return pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", op->call.desktop, (const char *)arg);
	if (hv_off(op, vm, err) < 0 || vm_snapshot_apply(&op->ws, l.instance_id, err) < 0 || hv_need(op, vm, err) < 0)
		return err->code;
	/* A snapshot of a running machine has its memory: then it comes back as one that was saved. */
	record.phase = vm->state == VM_SAVED || vm->state == VM_RUNNING ? LV_RUNNING : LV_STOPPED;
	vm->record = record;
	if (hv_save(op, vm, err) < 0)
		return err->code;
	if (record.phase == LV_STOPPED) {
		watches_forget(op->h->watches, op->call.desktop);
		return 0;
	}
	watches_know(op->h->watches, op->call.desktop);
	return hv_on(op, vm, err);
}

static int drop_work(struct hv_op *op, struct hv_vm *vm, const void *arg, struct pst_err *err)
{
	struct look l;

	if (snapshot_find(op, vm, arg, NULL, &l, err) < 0)
		return err->code;
	return l.instance_id[0] ? vm_snapshot_drop(&op->ws, l.instance_id, err) : 0;
}

int hv_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return change(d, desktop, take_work, name, err);
}

int hv_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return change(d, desktop, revert_work, name, err);
}

int hv_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return change(d, desktop, drop_work, name, err);
}
