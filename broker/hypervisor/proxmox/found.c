/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's machines, found by what is written on them; and writing on them. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 4
#define LEAD "A desktop of Puesto. It belongs to the provider \"%s\" and is made, changed and removed by it: do not edit this text.\n\n    %s"

static void items_take(const struct pve_inventory *v, struct pve_found *f, const char *desktop)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->items[i].brief.desktop, desktop) != 0)
			continue;
		if (!f->is_there)
			f->vm = v->items[i].vm;
		else if (f->others_n < PST_ARRAY_LEN(f->others))
			f->others[f->others_n++] = v->items[i].vm;
		f->is_there = true;
	}
}

/* The whole claim of the one that counts; PST_ENOTFOUND when it, or what makes it ours, has gone since. */
static int claim_load(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	struct pve_brief brief;
	int rc;

	f->config = pve_vm_config(op, &f->vm, err);
	if (!f->config)
		return err->code;
	rc = pve_brief_read(p, f->vm.id, f->config, &brief, &f->claim, err);
	if (rc == 0 && strcmp(brief.desktop, op->desktop) != 0)
		rc = pst_err_set(err, PST_ENOTFOUND, "machine %u is another desktop's", f->vm.id);
	if (rc == PST_ENOTFOUND)
		pve_briefs_forget(p->briefs, f->vm.id);
	return rc;
}

static int find_once(struct rest_op *op, struct pve_found *ret, struct pst_err *err)
{
	struct pve_inventory v;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = pve_inventory_read(op, &v, err);
	if (rc == 0)
		items_take(&v, ret, op->desktop);
	pve_inventory_finish(&v);
	return rc == 0 && ret->is_there ? claim_load(op, ret, err) : rc;
}

int pve_find(struct rest_op *op, struct pve_found *ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = find_once(op, ret, &why);

	for (int i = 1; i < TRIES && rc == PST_ENOTFOUND; i++) {
		pve_found_finish(ret);
		rc = find_once(op, ret, &why);
	}
	if (rc == PST_ENOTFOUND)
		return pst_err_set(err, PST_EBUSY, "what %s says of desktop %s does not hold", op->rest->what, op->desktop);
	return pst_err_pass(err, rc, &why);
}

int pve_need(struct rest_op *op, struct pve_found *ret, bool whole, struct pst_err *err)
{
	int rc = pve_find(op, ret, err);

	if (rc < 0)
		return rc;
	if (!ret->is_there || ret->claim.phase == CLAIM_DESTROYING)
		return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->desktop);
	if (whole && ret->claim.phase == CLAIM_CREATING)
		return pst_err_set(err, PST_EBUSY, "desktop %s was never finished: create or restart it", op->desktop);
	return pve_vm_settle(op, &ret->vm, err);
}

void pve_found_finish(struct pve_found *f)
{
	json_decref(f->config);
	f->config = NULL;
}

int pve_claim_save(struct rest_op *op, struct pve_found *f, json_t *more, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	const char *old = pst_json_str(f->config, "tags", VMCONFIG_VALUE_SIZE);
	char *text, *claim, tags[VMCONFIG_VALUE_SIZE], rev[VMCONFIG_REV_SIZE];
	json_t *config = more ? more : json_object();
	int rc = 0;

	snprintf(f->claim.place, sizeof(f->claim.place), "%u", f->vm.id);
	claim = claim_text(&f->claim, err);
	if (!claim) {
		json_decref(config);
		return err->code;
	}
	if (asprintf(&text, LEAD, p->provider, claim) < 0)
		text = NULL;
	free(claim);
	if (!text || !config) {
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
	} else if (strlen(text) > CLAIM_MAX) {
		rc = pst_err_set(err, PST_ELIMIT, "what is asked for desktop %s does not fit into a description: give its image a shorter name", op->desktop);
	} else {
		vmconfig_rev(text, rev);
		rc = vmconfig_tags(old ? old : "", p->instance, rev, tags) ? 0
			: pst_err_set(err, PST_ELIMIT, "the tags of machine %u are longer than %d bytes", f->vm.id, VMCONFIG_VALUE_SIZE);
	}
	if (rc == 0) {
		json_object_set_new(config, "description", json_string(text));
		json_object_set_new(config, "tags", json_string(tags));
		rc = pve_vm_configure(op, &f->vm, json_incref(config), err);
	}
	json_decref(config);
	free(text);
	return rc;
}

static int is_gone(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct pve_vm vm = *g->vm;

	if (pve_vm_look(op, &vm, &why) == PST_ENOTFOUND)
		return 1;
	return why.code < 0 ? pst_err_set(err, why.code, "%s", why.text) : 0;
}

int pve_vm_remove(struct rest_op *op, struct pve_vm *vm, struct pst_err *err)
{
	struct pve_goal g = { .vm = vm, .what = "remove", .method = "DELETE", .path = "?purge=1", .is_reached = is_gone };
	struct pst_err why = PST_ERR_INIT;
	int rc = pve_vm_settle(op, vm, &why);

	if (rc == 0 && vm->is_running)
		rc = pve_vm_stop(op, vm, &why);
	if (rc == 0)
		rc = pve_seed_remove(op, vm, &why);
	if (rc == 0)
		rc = pve_reach(op, &g, &why);
	return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
}

int pve_found_tidy(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	for (size_t i = 0; i < f->others_n; i++) {
		struct pve_vm *vm = &f->others[i];
		struct pst_err why = PST_ERR_INIT;
		int rc = pve_vm_settle(op, vm, &why);

		/* Half-made ones have the template's protection. */
		if (rc == 0)
			rc = pve_vm_configure(op, vm, json_pack("{s:i}", "protection", 0), &why);
		if (rc < 0 && rc != PST_ENOTFOUND)
			return pst_err_pass(err, rc, &why);
		if (pve_vm_remove(op, vm, err) < 0)
			return err->code;
	}
	f->others_n = 0;
	return 0;
}
