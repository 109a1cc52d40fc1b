/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One machine: how it stands, and bringing it somewhere. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define TRIES 4
#define PAUSE_FIRST_MS 50
#define PAUSE_LAST_MS 1000

int pve_vm_path(const struct pve_vm *vm, const char *rest, char out[REST_PATH_SIZE], struct pst_err *err)
{
	return rest_path(out, err, PVE_API "/nodes/%s/qemu/%u%s", vm->node, vm->id, rest);
}

int pve_vm_look(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	char path[REST_PATH_SIZE];
	const char *status, *lock;
	json_t *o;
	int rc = 0;

	if (pve_vm_path(vm, "/status/current", path, err) < 0)
		return err->code;
	o = pve_get(op, path, JSON_OBJECT, err);
	if (!o)
		return err->code;
	status = pst_json_str(o, "status", 32);
	lock = pst_json_str(o, "lock", sizeof(vm->lock) - 1);
	if (status) {
		vm->is_running = strcmp(status, "running") == 0;
		pst_strlcpy(vm->lock, sizeof(vm->lock), lock ? lock : "");
	} else {
		rc = pst_err_set(err, PST_EPROTO, "%s does not say how machine %u stands", op->rest->what, vm->id);
	}
	json_decref(o);
	return rc;
}

int pve_vm_settle(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	uint64_t pause = PAUSE_FIRST_MS;
	int rc;

	while ((rc = pve_vm_look(op, vm, err)) == 0 && vm->lock[0] && strcmp(vm->lock, "suspended") != 0) {
		rc = rest_wait(op, pause, err);
		if (rc == PST_ETIMEOUT)
			return pst_err_set(err, PST_EBUSY, "machine %u of node %s is locked (%s): wait, or unlock it there with \"qm unlock %u\"", vm->id,
				vm->node, vm->lock, vm->id);
		if (rc < 0)
			return rc;
		pause = PST_MIN(pause * 2, (uint64_t)PAUSE_LAST_MS);
	}
	return rc;
}

json_t *pve_vm_config(struct rest_op *op, const struct pve_vm *vm, struct pst_err *err)
{
	char path[REST_PATH_SIZE];

	return pve_vm_path(vm, "/config", path, err) < 0 ? NULL : pve_get(op, path, JSON_OBJECT, err);
}

int pve_vm_configure(struct rest_op *op, const struct pve_vm *vm, json_t *json, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[REST_PATH_SIZE];
	int rc = json ? pve_vm_path(vm, "/config", path, &why) : pst_err_set(&why, PST_ENOMEM, "no memory");

	/* The same once more is as once; another call of ours may hold the lock of its file for a moment. */
	for (int i = 0; rc == 0 && i < TRIES; i++) {
		rc = pve_send(op, "PUT", path, json, &why);
		if (rc == 0 || !rest_is_unsure(op, rc))
			break;
		rc = rest_wait(op, PAUSE_FIRST_MS << i, &why);
		if (rc == 0 && i + 1 == TRIES)
			rc = pst_err_set(&why, PST_EBUSY, "machine %u of node %s cannot be configured now", vm->id, vm->node);
	}
	json_decref(json);
	return pst_err_pass(err, rc, &why);
}

/* 1 when it is reached, 0, or an error. */
static int goal_look(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = pve_vm_settle(op, g->vm, &why);

	return rc == 0 || rc == PST_ENOTFOUND ? g->is_reached(op, g, err) : pst_err_pass(err, rc, &why);
}

static int goal_try(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	char path[REST_PATH_SIZE];

	return pve_vm_path(g->vm, g->path, path, err) < 0 ? err->code : pve_send(op, g->method, path, g->json, err);
}

/* What was to go may have gone by a call whose answer was lost. */
static bool is_worth_a_look(struct rest_op *op, int code)
{
	return code == 0 || code == PST_ENOTFOUND || rest_is_unsure(op, code);
}

int pve_reach(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = goal_look(op, g, err);

	for (int i = 0; i < TRIES && rc == 0; i++) {
		if (i > 0 && rest_wait(op, PAUSE_FIRST_MS << i, err) < 0)
			return err->code;
		why.code = 0;
		goal_try(op, g, &why);
		if (!is_worth_a_look(op, why.code))
			return pst_err_set(err, why.code, "%s", why.text);
		rc = goal_look(op, g, err);
	}
	if (rc != 0)
		return rc > 0 ? 0 : rc;
	return why.code < 0 ? pst_err_set(err, why.code, "%s", why.text)
		: pst_err_set(err, PST_EIO, "%s says that it did %s with machine %u, and it is not so", op->rest->what, g->what, g->vm->id);
}
