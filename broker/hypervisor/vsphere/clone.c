/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine from the image's template. "ref:NAME" or "ref:NAME@SNAPSHOT": NAME is an inventory path, or a name in
 * the folder of templates. With a snapshot (the named one, or the one it stands on) the clone is linked.
 */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/fault.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/spec.h"
#include "broker/hypervisor/vsphere/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
	char path[2 * VS_PATH_SIZE];
	char snapshot[MACHINE_NAME_SIZE]; /* "" for the one it stands on, if any */
	struct vim_ref vm, at;            /* at.type "": a full copy */
};

static int source_name(const struct vs_op *op, const struct machine_request *r, struct source *ret, struct pst_err *err)
{
	const char *name = r->image_base + strlen(REQUEST_REF), *at;
	int len;

	if (strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) != 0)
		return pst_err_set(err, PST_EUNSUPPORTED,
			"image %s: its base \"%.200s\" is no template of vSphere; write " REQUEST_REF "NAME or " REQUEST_REF
			"NAME@SNAPSHOT",
			r->image_name, r->image_base);
	at = strrchr(name, '@');
	len = at ? (int)(at - name) : (int)strlen(name);
	if (len == 0 || len >= VS_PATH_SIZE || (at && (!at[1] || pst_strlcpy(ret->snapshot, sizeof(ret->snapshot), at + 1) < 0)))
		return pst_err_set(err, PST_EINVAL, "image %s: \"%.200s\" is no NAME or NAME@SNAPSHOT", r->image_name, name);
	if (memchr(name, '/', (size_t)len))
		snprintf(ret->path, sizeof(ret->path), "%.*s", len, name + strspn(name, "/"));
	else
		snprintf(ret->path, sizeof(ret->path), "%s/%.*s", op->vs->set.templates, len, name);
	return 0;
}

static int snapshot_pick(struct source *s, const struct soap_node *info, struct pst_err *err)
{
	const struct soap_node *tree = s->snapshot[0] ? vs_snapshot_named(info, s->snapshot) : NULL;
	const struct soap_node *ref = s->snapshot[0] ? soap_child(tree, "snapshot") : soap_child(info, "currentSnapshot");

	if (ref)
		return vim_ref_read(ref, &s->at, err);
	if (s->snapshot[0])
		return pst_err_set(
			err, PST_EINVAL, "the template \"%.200s\" has no snapshot \"%s\": take it in vSphere", s->path, s->snapshot);
	return 0;
}

static int source_find(struct vs_op *op, const struct machine_request *r, struct source *ret, struct pst_err *err)
{
	static const char *const paths[] = { "name", "snapshot", NULL };
	struct property_set set = { .object = &ret->vm, .paths = paths };
	const struct soap_node *content;
	struct soap *s;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (source_name(op, r, ret, err) < 0 || vs_place_look(op, ret->path, &ret->vm, err) < 0)
		return err->code;
	if (strcmp(ret->vm.type, "VirtualMachine") != 0)
		return pst_err_set(err, PST_EINVAL, "image %s: vSphere has no template \"%.200s\", or does not show it to this account",
			r->image_name, ret->path);
	s = property_get(&op->vim, &set, &content, err);
	if (!s)
		return err->code;
	rc = snapshot_pick(ret, property_of(content, "snapshot"), err);
	soap_destroy(s);
	return rc;
}

struct places {
	struct vim_ref folder, pool, datastore, host;
};

static int host_choose(
	struct vs_op *op, const struct machine_request *r, const struct vim_ref *host, struct vim_ref *ret, struct pst_err *err)
{
	const struct vs_settings *s = &op->vs->set;

	if (r->host[0])
		return vs_host_find(op, r->host, ret, err);
	if (host && host->type[0])
		*ret = *host;
	else if (s->host[0])
		return vs_place_find(op, s->host, "host", ret, err);
	return 0;
}

static int places_find(
	struct vs_op *op, const struct machine_request *r, const struct vim_ref *host, struct places *ret, struct pst_err *err)
{
	const struct vs_settings *s = &op->vs->set;

	memset(ret, 0, sizeof(*ret));
	if (vs_place_need(op, s->folder, "folder", "Folder", &ret->folder, err) < 0 ||
		vs_place_need(op, s->pool, "pool", "ResourcePool", &ret->pool, err) < 0 ||
		(s->datastore[0] && vs_datastore_find(op, s->datastore, &ret->datastore, err) < 0))
		return err->code;
	return host_choose(op, r, host, &ret->host, err);
}

static const struct vim_ref *or_none(const struct vim_ref *ref)
{
	return ref->type[0] ? ref : NULL;
}

static int clone_run(struct vs_op *op, const struct source *s, const struct places *p, const char *name, const char *record,
	struct vim_ref *ret, struct pst_err *err)
{
	struct spec_clone spec = { .folder = &p->folder,
		.pool = &p->pool,
		.datastore = or_none(&p->datastore),
		.host = or_none(&p->host),
		.snapshot = or_none(&s->at),
		.name = name,
		.record = record };
	struct vim_call c = { .method = "CloneVM_Task", .self = &s->vm };
	struct pst_buf b;
	int rc;

	pst_buf_init(&b, 8 * LV_RECORD_MAX);
	spec_clone_put(&b, &spec);
	c.args = pst_buf_cstr(&b);
	rc = c.args ? task_run(&op->vim, &c, "cloning the template", ret, err) : pst_err_set(err, PST_ELIMIT, "too large a record");
	pst_buf_finish(&b);
	if (rc < 0 && fault_is(err, "DuplicateName"))
		return pst_err_set(err, PST_EBUSY,
			"vSphere is still making %s for an earlier command, or has a machine of that name that it does not show", name);
	return rc;
}

static void record_fill(const struct vsphere *vs, const struct machine_request *r, struct lv_record *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->phase = LV_CREATING;
	pst_strlcpy(ret->instance, sizeof(ret->instance), vs->instance);
	pst_strlcpy(ret->provider, sizeof(ret->provider), vs->provider);
	ret->request = *r;
}

/* A host that was chosen is kept to, also where the server put the clone elsewhere. */
static int host_keep(struct vs_op *op, struct vs_vm *vm, const struct vim_ref *host, struct pst_err *err)
{
	static const char *const paths[] = { "runtime.host", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	const struct soap_node *content;
	struct soap *s = property_get(&op->vim, &set, &content, err);
	int rc;

	if (!s)
		return err->code;
	rc = vim_ref_read(property_of(content, "runtime.host"), &vm->host, err);
	soap_destroy(s);
	return rc < 0 ? rc : vs_move(op, vm, host, err);
}

int vs_clone(struct vs_op *op, const char *name, const struct machine_request *r, const struct vim_ref *host, struct vs_vm *ret,
	struct pst_err *err)
{
	struct source source;
	struct places places;
	char *record;
	int rc;

	memset(ret, 0, sizeof(*ret));
	record_fill(op->vs, r, &ret->record);
	if (source_find(op, r, &source, err) < 0 || places_find(op, r, host, &places, err) < 0)
		return err->code;
	record = lv_record_text(&ret->record);
	if (!record)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = clone_run(op, &source, &places, name, record, &ret->ref, err);
	free(record);
	if (rc < 0)
		return rc;
	pst_strlcpy(ret->name, sizeof(ret->name), name);
	ret->is_next = pst_str_ends(name, VS_NEXT);
	ret->whose = VS_OURS;
	return r->host[0] ? host_keep(op, ret, &places.host, err) : 0;
}
