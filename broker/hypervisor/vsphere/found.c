/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A desktop's machines: by their names in the folder, and ours only with our record in them. The record names the
 * desktop that the name does, so neither a copy nor a renamed machine passes for one.
 */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/address.h"
#include "broker/hypervisor/vsphere/fault.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/spec.h"
#include "broker/hypervisor/vsphere/task.h"

#include <stdio.h>
#include <string.h>

#define UUID_LEN (PST_UUID_SIZE - 1)

const char *const vs_vm_paths[] = { "name", "runtime.powerState", "runtime.connectionState", "runtime.host", "guest.ipAddress",
	"config.template", "config.extraConfig", NULL };

bool vs_name_read(const char *name, char ret_desktop[PST_UUID_SIZE], bool *ret_is_next)
{
	struct pst_uuid u;
	char text[PST_UUID_SIZE];
	const char *rest;

	if (!pst_str_starts(name, VS_PREFIX) || strlen(name) < strlen(VS_PREFIX) + UUID_LEN)
		return false;
	snprintf(text, sizeof(text), "%s", name + strlen(VS_PREFIX));
	rest = name + strlen(VS_PREFIX) + UUID_LEN;
	if (pst_uuid_parse(text, &u) < 0 || (*rest && strcmp(rest, VS_NEXT) != 0))
		return false;
	memcpy(ret_desktop, text, PST_UUID_SIZE);
	*ret_is_next = *rest != '\0';
	return true;
}

static const char *value_of(const struct soap_node *content, const char *path)
{
	const struct soap_node *value = property_of(content, path);

	return value ? value->text : "";
}

static void power_read(const struct vsphere *vs, const struct soap_node *content, struct vs_vm *vm)
{
	const char *state = value_of(content, "runtime.powerState"), *address = value_of(content, "guest.ipAddress");

	vm->power = strcmp(state, "poweredOn") == 0 ? VS_ON : strcmp(state, "suspended") == 0 ? VS_SUSPENDED : VS_OFF;
	/* What is not said is not known. */
	vm->is_connected = state[0] && strcmp(value_of(content, "runtime.connectionState"), "connected") == 0;
	vm->address[0] = '\0';
	if (vm->power == VS_ON && vs_address_is_good(&vs->set, address))
		pst_strlcpy(vm->address, sizeof(vm->address), address);
}

static enum vs_whose whose_read(const struct vsphere *vs, const struct soap_node *content, struct vs_vm *vm)
{
	const struct soap_node *extra = property_of(content, "config.extraConfig");
	const char *text = spec_extra_find(extra, VS_RECORD_KEY);
	struct pst_err ignored = PST_ERR_INIT;
	char desktop[PST_UUID_SIZE];

	if (!vs_name_read(vm->name, desktop, &vm->is_next))
		return VS_FOREIGN;
	if (!extra)
		return VS_UNREADABLE;
	if (!text || lv_record_read(text, &vm->record, &ignored) < 0 || strcmp(vm->record.instance, vs->instance) != 0 ||
		strcmp(vm->record.provider, vs->provider) != 0 || strcmp(vm->record.request.desktop, desktop) != 0)
		return VS_FOREIGN;
	return strcmp(value_of(content, "config.template"), "true") == 0 ? VS_FOREIGN : VS_OURS;
}

void vs_vm_read(const struct vsphere *vs, const struct vim_ref *ref, const struct soap_node *content, struct vs_vm *ret)
{
	struct pst_err ignored = PST_ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	ret->ref = *ref;
	ret->whose = VS_FOREIGN;
	if (pst_strlcpy(ret->name, sizeof(ret->name), value_of(content, "name")) < 0)
		return;
	(void)vim_ref_read(property_of(content, "runtime.host"), &ret->host, &ignored);
	power_read(vs, content, ret);
	ret->whose = whose_read(vs, content, ret);
}

int vs_vm_explain(const struct vs_vm *vm, const struct soap_node *content, struct pst_err *err)
{
	const struct soap_node *refused = property_refused(content, "config.extraConfig");
	char what[VS_NAME_SIZE + 40];

	if (refused) {
		snprintf(what, sizeof(what), "to show the configuration of %s", vm->name);
		return fault_set(err, soap_child(refused, "fault"), soap_text(refused, "localizedMessage"), what);
	}
	if (vm->is_connected)
		return pst_err_set(err, PST_EBUSY, "vSphere is still making %s", vm->name);
	return pst_err_set(err, PST_EIO,
		"vSphere cannot read the configuration of %s: make its host and datastore reachable, or remove it from the inventory",
		vm->name);
}

static int vm_load(struct vs_op *op, const char *name, struct vs_vm *ret, struct pst_err *err)
{
	char path[VS_PATH_SIZE + VS_NAME_SIZE];
	struct property_set set = { .object = &ret->ref, .paths = vs_vm_paths };
	const struct soap_node *content;
	struct pst_err why = PST_ERR_INIT;
	struct vim_ref ref;
	struct soap *s;
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	snprintf(path, sizeof(path), "%s/%s", op->vs->set.folder, name);
	if (vs_place_look(op, path, &ref, err) < 0)
		return err->code;
	if (!ref.type[0])
		return 0;
	ret->ref = ref;
	s = property_get(&op->vim, &set, &content, &why);
	if (!s && why.code == PST_ENOTFOUND)
		return 0; /* gone since */
	if (!s)
		return pst_err_pass(err, why.code, &why);
	vs_vm_read(op->vs, &ref, content, ret);
	if (ret->whose == VS_UNREADABLE)
		rc = vs_vm_explain(ret, content, err);
	soap_destroy(s);
	return rc;
}

int vs_find(struct vs_op *op, struct vs_found *ret, struct pst_err *err)
{
	char name[VS_NAME_SIZE], next[VS_NAME_SIZE];

	snprintf(name, sizeof(name), VS_PREFIX "%s", op->desktop);
	snprintf(next, sizeof(next), VS_PREFIX "%s" VS_NEXT, op->desktop);
	return vm_load(op, name, &ret->now, err) < 0 ? err->code : vm_load(op, next, &ret->next, err);
}

int vs_vm_look(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	static const char *const paths[] = { "runtime.powerState", "runtime.connectionState", "guest.ipAddress", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	const struct soap_node *content;
	struct soap *s = property_get(&op->vim, &set, &content, err);

	if (!s)
		return err->code;
	power_read(op->vs, content, vm);
	soap_destroy(s);
	return 0;
}

static int vm_rename(struct vs_op *op, struct vs_vm *vm, const char *name, struct pst_err *err)
{
	struct vim_call c = { .method = "Rename_Task", .self = &vm->ref };
	struct pst_buf b;
	int rc;

	pst_buf_init(&b, 1024);
	soap_put(&b, "newName", name);
	c.args = pst_buf_cstr(&b);
	rc = task_run(&op->vim, &c, "renaming the machine", NULL, err);
	pst_buf_finish(&b);
	if (rc < 0)
		return rc;
	pst_strlcpy(vm->name, sizeof(vm->name), name);
	vm->is_next = false;
	return 0;
}

int vs_found_tidy(struct vs_op *op, struct vs_found *f, struct pst_err *err)
{
	char name[VS_NAME_SIZE];

	if (f->next.whose != VS_OURS)
		return 0;
	if (f->now.whose == VS_OURS) {
		if (vs_remove(op, &f->next, err) < 0)
			return err->code;
	} else {
		snprintf(name, sizeof(name), VS_PREFIX "%s", op->desktop);
		if (f->now.whose == VS_FOREIGN)
			return pst_err_set(
				err, PST_ECONFLICT, "a machine %s that is not ours stands in the folder; rename it, or remove it", name);
		if (vm_rename(op, &f->next, name, err) < 0)
			return err->code;
		f->now = f->next;
	}
	f->next.whose = VS_NOBODY;
	return 0;
}

int vs_need(struct vs_op *op, struct vs_vm *ret, struct pst_err *err)
{
	struct vs_found f;

	if (vs_find(op, &f, err) < 0 || vs_found_tidy(op, &f, err) < 0)
		return err->code;
	if (f.now.whose != VS_OURS)
		return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->desktop);
	if (f.now.record.phase == LV_CREATING)
		return pst_err_set(err, PST_EBUSY, "desktop %s was never finished: create or restart it", op->desktop);
	*ret = f.now;
	return 0;
}

int vs_work(struct driver *d, const char *desktop, int (*work)(struct vs_op *op, struct vs_vm *vm, const void *arg, struct pst_err *err),
	const void *arg, struct pst_err *err)
{
	struct vs_vm vm;
	struct vs_op op;
	int rc;

	vs_op_begin(&op, vsphere_of(d), desktop);
	rc = vs_need(&op, &vm, err);
	if (rc == 0)
		rc = work(&op, &vm, arg, err);
	vs_op_end(&op);
	return rc;
}
