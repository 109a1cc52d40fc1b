/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clones of a template. The claim goes with the call, so a clone whose answer was lost is known again; the id
 * is ours to choose and Proxmox VE gives each once, so asking a second time for the same id makes no second
 * machine.
 */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 4
#define ID_TRIES 16
#define PAUSE_MS 200

/* The call's body; owned, NULL with err. */
static json_t *body_make(struct rest_op *op, const struct pve_found *f, const struct pve_vm *template, struct pst_err *err)
{
	const struct pve_settings *s = &proxmox_of_op(op)->set;
	char *claim = claim_text(&f->claim, err), name[64];
	json_t *o;

	if (!claim)
		return NULL;
	snprintf(name, sizeof(name), "puesto-%s", op->desktop);
	o = json_pack("{s:i,s:s,s:s,s:i}", "newid", (int)f->vm.id, "name", name, "description", claim, "full", s->is_full ? 1 : 0);
	free(claim);
	if (!o)
		pst_err_set(err, PST_ENOMEM, "no memory");
	if (o && s->pool[0])
		json_object_set_new(o, "pool", json_string(s->pool));
	if (o && s->is_full && s->storage[0])
		json_object_set_new(o, "storage", json_string(s->storage));
	if (o && strcmp(f->vm.node, template->node) != 0)
		json_object_set_new(o, "target", json_string(f->vm.node));
	return o;
}

/* One look on one node. 2: it is on its way. */
static int look_once(struct rest_op *op, struct pve_vm *vm, struct pve_found *f, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	json_t *config = pve_vm_config(op, vm, &why);
	struct pve_brief brief;
	struct claim claim;
	bool is_ours;
	int rc;

	if (!config)
		return why.code == PST_ENOTFOUND ? 0 : pst_err_set(err, why.code, "%s", why.text);
	is_ours = pve_brief_read(proxmox_of_op(op), vm->id, config, &brief, &claim, &why) == 0 && strcmp(brief.desktop, op->desktop) == 0 &&
		strcmp(brief.task, f->claim.request.task) == 0;
	if (pst_json_str(config, "lock", 64))
		rc = 2;
	else if (is_ours)
		rc = 1;
	else
		rc = pst_err_set(err, PST_ECONFLICT, "machine %u is somebody else's", vm->id);
	if (rc == 1) {
		f->vm = *vm;
		json_decref(f->config);
		f->config = json_incref(config);
	}
	json_decref(config);
	return rc;
}

/* What stands under that id? 1: ours by that task, whole; 0: nothing; PST_ECONFLICT: somebody else's. */
static int clone_look(struct rest_op *op, struct pve_found *f, const char *const nodes[2], struct pst_err *err)
{
	int rc = 2;

	while (rc == 2) {
		rc = 0;
		for (int i = 0; i < 2 && rc == 0 && (i == 0 || strcmp(nodes[0], nodes[1]) != 0); i++) {
			struct pve_vm vm = { .id = f->vm.id };

			pst_strlcpy(vm.node, sizeof(vm.node), nodes[i]);
			rc = look_once(op, &vm, f, err);
		}
		if (rc == 2 && rest_wait(op, PAUSE_MS, err) < 0)
			return err->code;
	}
	return rc;
}

/* 0: f->vm stands. PST_ECONFLICT: the id is somebody's. */
static int clone_under(struct rest_op *op, struct pve_found *f, const struct pve_vm *template, struct pst_err *err)
{
	char path[REST_PATH_SIZE], own[VMCONFIG_NAME_SIZE];
	const char *const nodes[2] = { own, template->node };
	json_t *body;
	int rc;

	pst_strlcpy(own, sizeof(own), f->vm.node);
	snprintf(f->claim.place, sizeof(f->claim.place), "%u", f->vm.id);
	body = body_make(op, f, template, err);
	rc = body ? pve_vm_path(template, "/clone", path, err) : err->code;
	for (int i = 0; i < TRIES && rc == 0; i++) {
		struct pst_err why = PST_ERR_INIT;
		int sent = pve_send(op, "POST", path, body, &why);

		if (sent < 0 && sent != PST_ECONFLICT && !rest_is_unsure(op, sent)) {
			rc = pst_err_pass(err, sent, &why);
			break;
		}
		rc = clone_look(op, f, nodes, err);
		if (rc == 0 && sent == PST_ECONFLICT) /* a volume of that id is left of somebody's */
			rc = pst_err_pass(err, sent, &why);
		if (rc != 0)
			break;
		if (rest_wait(op, PAUSE_MS, err) < 0)
			rc = err->code;
		else if (i + 1 == TRIES)
			rc = pst_err_set(err, PST_EIO, "%s clones template %u again and again, and there is no machine %u: look at its tasks", op->rest->what,
				template->id, f->vm.id);
	}
	json_decref(body);
	return rc > 0 ? 0 : rc;
}

int pve_clone(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct pve_vm template;
	char node[VMCONFIG_NAME_SIZE];
	uint32_t after = 0;
	int rc = PST_ECONFLICT;

	if (pve_template_find(op, &f->claim.request, &template, err) < 0 || pve_node_choose(op, &template, f->claim.request.host, node, err) < 0)
		return err->code;
	for (int i = 0; i < ID_TRIES && rc == PST_ECONFLICT; i++) {
		memset(&f->vm, 0, sizeof(f->vm));
		pst_strlcpy(f->vm.node, sizeof(f->vm.node), node);
		if (pve_id_take(op, after, &f->vm.id, err) < 0)
			return err->code;
		after = f->vm.id;
		rc = clone_under(op, f, &template, &why);
		pve_id_give(proxmox_of_op(op), after);
	}
	f->is_there = rc == 0;
	return rc < 0 ? pst_err_set(err, rc, "clone template %u: %s", template.id, why.text) : 0;
}
