/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The record in a machine's notes is there from its definition on.
 *
 *	create:  define (creating) → disk → controller, drive, card → seed → start → record (running)
 *	destroy: record (destroying) → off → destroy → files
 */
#include "broker/hypervisor/hyperv/hyperv_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct site {
	char disk[VM_PATH_SIZE + VM_NAME_SIZE + 8], parent[VM_PATH_SIZE + VM_NAME_SIZE + 8], switch_path[1024], mac[LV_MAC_SIZE];
};

static int on_switch(const struct soap_node *item, void *arg, struct pst_err *err)
{
	struct cim_ref r = cim_ref("Msvm_VirtualEthernetSwitch");
	struct site *s = arg;

	cim_key_add(&r, "CreationClassName", "Msvm_VirtualEthernetSwitch");
	cim_key_add(&r, "Name", soap_text(item, "Name"));
	cim_path(&r, s->switch_path, sizeof(s->switch_path));
	return 0;
}

static int switch_find(struct hv_op *op, const struct machine_request *r, struct site *s, struct pst_err *err)
{
	char query[256], name[2 * VM_NAME_SIZE];
	const struct net_named *named;
	const char *wanted;

	if (nets_find(&op->h->nets, r->network, &named, err) < 0)
		return err->code;
	wanted = named ? named->value : op->h->network;
	if (!request_has_network(r) || !wanted[0])
		return 0;
	cim_wql(wanted, name, sizeof(name));
	snprintf(query, sizeof(query), "SELECT * FROM Msvm_VirtualEthernetSwitch WHERE ElementName = '%s'", name);
	if (wsman_enumerate(&op->ws, CIM_V2, query, on_switch, s, err) < 0)
		return err->code;
	return s->switch_path[0] ? 0 : pst_err_set(err, PST_EINVAL, "%s has no virtual switch \"%s\"", wsman_name(op->h->wsman), wanted);
}

/* An image is "ref:NAME": NAME.vhdx in the folder of images. */
static int site_find(struct hv_op *op, const struct machine_request *r, struct site *s, struct pst_err *err)
{
	const char *name = r->image_base + strlen(REQUEST_REF);

	memset(s, 0, sizeof(*s));
	if (strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) != 0 || strpbrk(name, "/:@"))
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.100s\" is not " REQUEST_REF "NAME, for NAME.vhdx in %s", r->image_name, r->image_base,
			op->h->images);
	snprintf(s->parent, sizeof(s->parent), "%s\\%.63s.vhdx", op->h->images, name);
	snprintf(s->disk, sizeof(s->disk), "%s\\%s.vhdx", op->h->folder, op->name);
	lv_mac(r->desktop, s->mac);
	return switch_find(op, r, s, err);
}

static int address_take(struct hv_op *op, struct lv_record *r, struct pst_err *err)
{
	struct hyperv *h = op->h;
	bool has_looked;
	int rc;

	pthread_mutex_lock(&h->naming);
	has_looked = h->has_looked;
	pthread_mutex_unlock(&h->naming);
	if (!has_looked && hv_list(&h->base, NULL, NULL, err) < 0)
		return err->code;
	pthread_mutex_lock(&h->naming);
	rc = lv_addresses_take(&h->addresses, op->call.desktop, r->address, err);
	pthread_mutex_unlock(&h->naming);
	return rc;
}

static int seed_give(struct hv_op *op, const struct hv_vm *vm, struct pst_err *err)
{
	char *text;
	int rc;

	if (op->h->seed.agents[0] == '\0' || vm->record.request.enrol_token[0] == '\0')
		return 0;
	text = seed_text(&op->h->seed, &vm->record.request, err);
	rc = text ? vm_seed(&op->ws, vm->id, text, err) : err->code;
	seed_text_free(text);
	return rc;
}

static int machine_define(struct hv_op *op, struct hv_vm *vm, struct vm_plan *p, struct pst_err *err)
{
	char *notes = lv_record_text(&vm->record);
	int rc = PST_ENOMEM;

	p->notes = notes;
	if (notes)
		rc = vm_define(&op->ws, p, vm->id, err);
	else
		pst_err_set(err, PST_ENOMEM, "no memory for a record");
	free(notes);
	if (rc == 0)
		snprintf(vm->instance_id, sizeof(vm->instance_id), "Microsoft:%s", vm->id);
	return rc;
}

/* vm->record says what is to be; nothing of it is there. */
static int machine_make(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	const struct machine_request *r = &vm->record.request;
	struct site *s = pst_zalloc(1, sizeof(*s));
	struct vm_plan p = { .name = op->name, .memory_mb = r->memory_mb, .processors = PST_MAX((r->cpu_percent + 99) / 100, 1u), .disk_mb = r->disk_mb };
	int rc = s ? site_find(op, r, s, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	vm->record.phase = LV_CREATING;
	if (rc == 0) {
		p.disk = s->disk;
		p.parent = s->parent;
		p.switch_path = s->switch_path;
		p.mac = s->mac;
		rc = machine_define(op, vm, &p, err);
	}
	if (rc == 0 && (vm_disk_make(&op->ws, &p, err) < 0 || vm_equip(&op->ws, vm->id, &p, err) < 0 || seed_give(op, vm, err) < 0))
		rc = err->code;
	free(s);
	vm->state = VM_OFF;
	if (rc < 0 || hv_on(op, vm, err) < 0)
		return err->code;
	vm->record.phase = LV_RUNNING;
	return hv_save(op, vm, err);
}

static int files_remove(struct hv_op *op, struct pst_err *err)
{
	return vm_files_remove(&op->ws, op->h->folder, op->name, err);
}

static int machine_remove(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;

	vm->record.phase = LV_DESTROYING;
	(void)hv_save(op, vm, &ignored); /* a full disk must not keep it alive */
	return hv_off(op, vm, err) < 0 ? err->code : vm_destroy(&op->ws, vm->id, err);
}

/* Each of them: a reply that was lost may have left two. The disk of a stranger's machine is not ours either. */
static int remains_remove(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	bool is_foreign = false, was_ours = false;
	int rc;

	while ((rc = hv_find(op, vm, &is_foreign, err)) > 0) {
		if (machine_remove(op, vm, err) < 0)
			return err->code;
		was_ours = true;
	}
	return rc < 0 || (is_foreign && !was_ours) ? rc : files_remove(op, err);
}

static void make_undo(struct hv_op *op, struct hv_vm *vm)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct hv_op undo;

	if (call_is_cancelled(&op->call) || hv_op_begin(&undo, op->h, op->call.desktop, op->h->deadline_ms, &ignored) < 0)
		return;
	(void)remains_remove(&undo, vm, &ignored);
	hv_op_end(&undo);
}

static void answer(struct hv_op *op, const struct hv_vm *vm, struct machine *ret)
{
	hv_machine_fill(op->h, vm, ret);
	watches_know(op->h->watches, op->call.desktop);
}

static bool stands(const struct hv_vm *vm)
{
	return vm->state == VM_RUNNING && (vm->record.phase == LV_RUNNING || vm->record.phase == LV_STOPPED);
}

static int create_run(struct hv_op *op, struct hv_vm *vm, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	bool is_foreign = false;
	int rc = hv_find(op, vm, &is_foreign, err);

	if (rc < 0)
		return rc;
	if (is_foreign)
		return pst_err_set(err, PST_ECONFLICT, "%s has a machine %s without our mark; it is left alone", wsman_name(op->h->wsman), op->name);
	if (rc > 0 && stands(vm)) {
		if (strcmp(vm->record.request.task, r->task) != 0)
			return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", r->desktop);
		answer(op, vm, ret);
		return 0;
	}
	if (remains_remove(op, vm, err) < 0)
		return err->code;
	memset(vm, 0, sizeof(*vm));
	vm->record.request = *r;
	pst_strlcpy(vm->record.instance, sizeof(vm->record.instance), op->h->mark);
	pst_strlcpy(vm->record.provider, sizeof(vm->record.provider), op->h->provider);
	if (address_take(op, &vm->record, err) < 0)
		return err->code;
	rc = machine_make(op, vm, err);
	if (rc < 0)
		make_undo(op, vm);
	else
		answer(op, vm, ret);
	return rc;
}

/* A machine's record is large: it lies on the heap. */
static int with_vm(struct driver *d, const char *desktop, int (*work)(struct hv_op *op, struct hv_vm *vm, void *arg, struct pst_err *err), void *arg,
	struct pst_err *err)
{
	struct hyperv *h = hyperv_of(d);
	struct hv_vm *vm = pst_zalloc(1, sizeof(*vm));
	struct hv_op op;
	int rc;

	if (!vm)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = hv_op_begin(&op, h, desktop, h->deadline_ms, err);
	if (rc == 0) {
		rc = work(&op, vm, arg, err);
		hv_op_end(&op);
	}
	free(vm);
	return rc;
}

struct question {
	const struct machine_request *request;
	struct machine *ret;
	bool refresh;
};

static int create_work(struct hv_op *op, struct hv_vm *vm, void *arg, struct pst_err *err)
{
	struct question *q = arg;

	return create_run(op, vm, q->request, q->ret, err);
}

int hv_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct question q = { .request = r, .ret = ret };

	return with_vm(d, r->desktop, create_work, &q, err);
}

static int destroy_work(struct hv_op *op, struct hv_vm *vm, void *arg, struct pst_err *err)
{
	if (remains_remove(op, vm, err) < 0)
		return err->code;
	watches_forget(op->h->watches, op->call.desktop);
	pthread_mutex_lock(&op->h->naming);
	lv_addresses_release(&op->h->addresses, op->call.desktop);
	pthread_mutex_unlock(&op->h->naming);
	return 0;
}

int hv_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	return with_vm(d, desktop, destroy_work, NULL, err);
}

/* Its agent has asked Windows to shut down: what it has in memory is written out. */
static int restart_keep(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	bool asks = vm->record.request.is_windows;

	if ((asks ? hv_stop(op, vm, err) : hv_off(op, vm, err)) < 0 || seed_give(op, vm, err) < 0 || hv_on(op, vm, err) < 0)
		return err->code;
	vm->record.phase = LV_RUNNING;
	return hv_save(op, vm, err);
}

/* Whether what is asked for can be, before anything is ended for it. */
static int site_check(struct hv_op *op, const struct machine_request *r, struct pst_err *err)
{
	struct site *s = pst_zalloc(1, sizeof(*s));
	int rc = s ? site_find(op, r, s, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	free(s);
	return rc;
}

/* The new machine has the old one's address. */
static int restart_renew(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	struct lv_record keep = vm->record;

	if (site_check(op, &keep.request, err) < 0 || remains_remove(op, vm, err) < 0)
		return err->code;
	memset(vm, 0, sizeof(*vm));
	vm->record = keep;
	return machine_make(op, vm, err);
}

static int restart_work(struct hv_op *op, struct hv_vm *vm, void *arg, struct pst_err *err)
{
	struct question *q = arg;
	struct machine_request old;
	bool renew;
	int rc = hv_need(op, vm, err);

	if (rc < 0)
		return rc;
	renew = q->refresh || (vm->record.phase != LV_RUNNING && vm->record.phase != LV_STOPPED);
	if (!stands(vm) || vm->record.phase != LV_RUNNING || strcmp(vm->record.request.task, q->request->task) != 0) {
		old = vm->record.request;
		vm->record.request = *q->request;
		if (!renew)
			vm->record.request.image_name[0] = '\0';
		request_merge(&vm->record.request, &old);
		rc = renew ? restart_renew(op, vm, err) : restart_keep(op, vm, err);
	}
	if (rc == 0)
		answer(op, vm, q->ret);
	return rc;
}

int hv_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct question q = { .request = r, .ret = ret, .refresh = refresh };

	return with_vm(d, r->desktop, restart_work, &q, err);
}
