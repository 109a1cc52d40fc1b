/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots, with the memory of what runs. The name that people gave is in the snapshot's description. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* 1 when it is there, 0, or an error. */
static int snapshot_look(struct rest_op *op, const struct pve_vm *vm, const char *own, struct pst_err *err)
{
	char path[REST_PATH_SIZE];
	json_t *list, *o;
	size_t i;
	int rc = 0;

	if (pve_vm_path(vm, "/snapshot", path, err) < 0)
		return err->code;
	list = pve_get(op, path, JSON_ARRAY, err);
	if (!list)
		return err->code;
	json_array_foreach(list, i, o)
	{
		const char *name = pst_json_str(o, "name", 64);

		if (name && strcmp(name, own) == 0)
			rc = 1;
	}
	json_decref(list);
	return rc;
}

static int is_taken(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	return snapshot_look(op, g->vm, g->arg, err);
}

static int is_dropped(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	int rc = snapshot_look(op, g->vm, g->arg, err);

	return rc < 0 ? rc : !rc;
}

static int take_run(struct rest_op *op, struct pve_found *f, const char *name, struct pst_err *err)
{
	char own[VMCONFIG_SNAPSHOT_SIZE];
	struct pve_goal g = { .vm = &f->vm, .what = "take a snapshot", .method = "POST", .path = "/snapshot", .is_reached = is_taken, .arg = own };
	json_t *body;
	int rc;

	vmconfig_snapshot(name, own);
	rc = snapshot_look(op, &f->vm, own, err);
	if (rc != 0)
		return rc > 0 ? 0 : rc;
	if (pve_seed_leave(op, f, err) < 0)
		return err->code;
	body = json_pack("{s:s,s:s,s:i}", "snapname", own, "description", name, "vmstate", f->vm.is_running ? 1 : 0);
	g.json = body;
	rc = body ? pve_reach(op, &g, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	json_decref(body);
	return rc;
}

static int drop_run(struct rest_op *op, struct pve_found *f, const char *name, struct pst_err *err)
{
	char own[VMCONFIG_SNAPSHOT_SIZE], path[64];
	struct pve_goal g = { .vm = &f->vm, .what = "remove a snapshot", .method = "DELETE", .path = path, .is_reached = is_dropped, .arg = own };

	vmconfig_snapshot(name, own);
	snprintf(path, sizeof(path), "/snapshot/%s", own);
	return pve_reach(op, &g, err);
}

/* Going back brings the configuration of then, and with it old tags; what the machine is now is written again. */
static int claim_renew(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	json_t *config;

	if (pve_vm_settle(op, &f->vm, err) < 0)
		return err->code;
	config = pve_vm_config(op, &f->vm, err);
	if (!config)
		return err->code;
	pve_found_finish(f);
	f->config = config;
	f->claim.phase = f->vm.is_running ? CLAIM_RUNNING : CLAIM_STOPPED;
	if (pve_claim_save(op, f, NULL, err) < 0)
		return err->code;
	if (f->vm.is_running)
		watches_know(op->rest->watches, op->desktop);
	else
		watches_forget(op->rest->watches, op->desktop);
	return 0;
}

/* There is no telling whether it has gone back already; going back twice is as once. */
static int revert_run(struct rest_op *op, struct pve_found *f, const char *name, struct pst_err *err)
{
	char own[VMCONFIG_SNAPSHOT_SIZE], rest[80], path[REST_PATH_SIZE];
	struct rest_call c = { .method = "POST", .is_repeatable = true };
	struct pst_err why = PST_ERR_INIT;
	int rc;

	vmconfig_snapshot(name, own);
	rc = snapshot_look(op, &f->vm, own, err);
	if (rc <= 0)
		return rc < 0 ? rc : pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", op->desktop, name);
	snprintf(rest, sizeof(rest), "/snapshot/%s/rollback", own);
	if (pve_vm_path(&f->vm, rest, path, err) < 0)
		return err->code;
	rc = pve_do(op, &c, path, &why);
	if (rc < 0 && rest_is_unsure(op, rc)) {
		rc = pve_vm_settle(op, &f->vm, &why);
		if (rc == 0)
			rc = pve_do(op, &c, path, &why);
	}
	return rc < 0 ? pst_err_pass(err, rc, &why) : claim_renew(op, f, err);
}

static int run(struct driver *d, const char *desktop, const char *name,
	int (*work)(struct rest_op *op, struct pve_found *f, const char *name, struct pst_err *err), struct pst_err *err)
{
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, desktop);
	rc = pve_need(&op, &f, true, err);
	if (rc == 0)
		rc = work(&op, &f, name, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}

int proxmox_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return run(d, desktop, name, take_run, err);
}

int proxmox_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return run(d, desktop, name, revert_run, err);
}

int proxmox_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return run(d, desktop, name, drop_run, err);
}
