/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To another node. What lies on a storage of one node alone stops it: so the seed, long read, stays behind. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static int node_check(struct rest_op *op, const char *host, struct pst_err *err)
{
	json_t *nodes = pve_nodes(op, err), *o;
	bool is_there = false;
	size_t i;

	if (!nodes)
		return err->code;
	json_array_foreach(nodes, i, o)
		is_there |= strcmp(json_string_value(json_object_get(o, "node")), host) == 0;
	json_decref(nodes);
	return is_there ? 0 : pst_err_set(err, PST_ENOTFOUND, "%s has no node \"%s\"", op->rest->what, host);
}

/* Where it is now: the goal is looked at on the node that it goes to. */
static int has_moved(struct rest_op *op, struct pve_vm *vm, const char *host, struct pst_err *err)
{
	struct pve_vm there = *vm;
	struct pst_err why = PST_ERR_INIT;

	pst_strlcpy(there.node, sizeof(there.node), host);
	if (pve_vm_settle(op, &there, &why) < 0)
		return why.code == PST_ENOTFOUND ? 0 : pst_err_set(err, why.code, "%s", why.text);
	*vm = there;
	return 1;
}

static int move(struct rest_op *op, struct pve_found *f, const char *host, struct pst_err *err)
{
	json_t *body = json_pack("{s:s,s:i}", "target", host, "online", f->vm.is_running ? 1 : 0);
	struct pst_err why = PST_ERR_INIT;
	char path[REST_PATH_SIZE];
	int rc, moved;

	if (!body)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = pve_vm_path(&f->vm, "/migrate", path, &why);
	if (rc == 0)
		rc = pve_send(op, "POST", path, body, &why);
	json_decref(body);
	if (rc < 0 && rest_is_unsure(op, rc)) {
		rc = pve_vm_settle(op, &f->vm, &why);
		rc = rc == PST_ENOTFOUND ? 0 : rc;
	}
	if (rc < 0)
		return pst_err_pass(err, rc, &why);
	moved = has_moved(op, &f->vm, host, err);
	if (moved < 0)
		return moved;
	return moved ? 0 : pst_err_set(err, PST_EIO, "machine %u did not move to %s; its migration's task there says why", f->vm.id, host);
}

int proxmox_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err)
{
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, desktop);
	rc = pve_need(&op, &f, true, err);
	if (rc == 0)
		rc = node_check(&op, host, err);
	if (rc == 0 && strcmp(f.vm.node, host) != 0) {
		rc = pve_seed_leave(&op, &f, err);
		if (rc == 0)
			rc = move(&op, &f, host, err);
	}
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}
