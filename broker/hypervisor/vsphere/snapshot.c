/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots in vSphere's tree, with the memory of what runs. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/task.h"

#include <string.h>

struct snapshot {
	struct vim_ref ref; /* type "": there is none of that name */
	bool ran;
};

/* VirtualMachineSnapshotTree. As deep as the parser takes. */
static const struct soap_node *tree_find(const struct soap_node *tree, const char *name)
{
	for (; tree; tree = soap_again(tree)) {
		const struct soap_node *below =
			strcmp(soap_text(tree, "name"), name) == 0 ? tree : tree_find(soap_child(tree, "childSnapshotList"), name);

		if (below)
			return below;
	}
	return NULL;
}

const struct soap_node *vs_snapshot_named(const struct soap_node *info, const char *name)
{
	return tree_find(soap_child(info, "rootSnapshotList"), name);
}

static int snapshot_find(struct vs_op *op, const struct vs_vm *vm, const char *name, struct snapshot *ret, struct pst_err *err)
{
	static const char *const paths[] = { "name", "snapshot", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	const struct soap_node *content, *tree;
	struct soap *s = property_get(&op->vim, &set, &content, err);
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	if (!s)
		return err->code;
	tree = vs_snapshot_named(property_of(content, "snapshot"), name);
	if (tree) {
		rc = vim_ref_read(soap_child(tree, "snapshot"), &ret->ref, err);
		ret->ran = strcmp(soap_text(tree, "state"), "poweredOn") == 0;
	}
	soap_destroy(s);
	return rc;
}

static int take(struct vs_op *op, struct vs_vm *vm, const void *name, struct pst_err *err)
{
	struct vim_call c = { .method = "CreateSnapshot_Task", .self = &vm->ref };
	struct snapshot snapshot;
	struct pst_buf b;
	int rc = snapshot_find(op, vm, name, &snapshot, err);

	if (rc < 0 || snapshot.ref.type[0])
		return rc;
	pst_buf_init(&b, 1024);
	soap_put(&b, "name", name);
	soap_put(&b, "description", "Puesto");
	soap_put(&b, "memory", vm->power == VS_ON ? "true" : "false");
	soap_put(&b, "quiesce", "false");
	c.args = pst_buf_cstr(&b);
	rc = task_run(&op->vim, &c, "taking the snapshot", NULL, err);
	pst_buf_finish(&b);
	return rc;
}

/* The machine has the snapshot's own, older record now: it is written anew, and an old token with it. */
static int record_restore(struct vs_op *op, struct vs_vm *vm, bool ran, struct pst_err *err)
{
	if (vs_vm_look(op, vm, err) < 0)
		return err->code;
	if (vm->power == VS_SUSPENDED && vs_power_off(op, vm, err) < 0) /* it takes no configuration, and did not run */
		return err->code;
	vm->record.phase = ran ? LV_RUNNING : LV_STOPPED;
	if (vs_save(op, vm, true, err) < 0)
		return err->code;
	return ran ? vs_power_on(op, vm, err) : vm->power == VS_ON ? vs_power_off(op, vm, err) : 0;
}

static int revert(struct vs_op *op, struct vs_vm *vm, const void *name, struct pst_err *err)
{
	struct snapshot snapshot;
	struct vim_call c = { .method = "RevertToSnapshot_Task", .self = &snapshot.ref };
	int rc = snapshot_find(op, vm, name, &snapshot, err);

	if (rc < 0)
		return rc;
	if (!snapshot.ref.type[0])
		return pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", op->desktop, (const char *)name);
	if (task_run(&op->vim, &c, "going back to the snapshot", NULL, err) < 0 || record_restore(op, vm, snapshot.ran, err) < 0)
		return err->code;
	if (snapshot.ran)
		watches_know(op->vs->watches, op->desktop);
	else
		watches_forget(op->vs->watches, op->desktop);
	return 0;
}

static int drop(struct vs_op *op, struct vs_vm *vm, const void *name, struct pst_err *err)
{
	struct snapshot snapshot;
	struct vim_call c = { .method = "RemoveSnapshot_Task",
		.self = &snapshot.ref,
		.args = "<removeChildren>false</removeChildren><consolidate>true</consolidate>" };
	int rc = snapshot_find(op, vm, name, &snapshot, err);

	if (rc < 0 || !snapshot.ref.type[0])
		return rc;
	return task_run(&op->vim, &c, "removing the snapshot", NULL, err);
}

int vsphere_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return vs_work(d, desktop, take, name, err);
}

int vsphere_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return vs_work(d, desktop, revert, name, err);
}

int vsphere_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return vs_work(d, desktop, drop, name, err);
}
