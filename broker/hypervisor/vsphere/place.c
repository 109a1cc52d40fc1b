/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects by their inventory path (SearchIndex.FindByInventoryPath). */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"

#include <string.h>

#define ARGS_MAX 8192

int vs_place_look(struct vs_op *op, const char *path, struct vim_ref *ret, struct pst_err *err)
{
	struct vim_service service;
	struct vim_call c = { .method = "FindByInventoryPath", .self = &service.search, .repeatable = true };
	const struct soap_node *found;
	struct soap *s = NULL;
	struct pst_buf b;
	int rc = 0;

	ret->type[0] = ret->id[0] = '\0';
	if (vim_service(&op->vim, &service, err) < 0)
		return err->code;
	pst_buf_init(&b, ARGS_MAX);
	soap_put(&b, "inventoryPath", path);
	c.args = pst_buf_cstr(&b);
	if (c.args)
		s = vim_call(&op->vim, &c, err);
	else
		pst_err_set(err, PST_ELIMIT, "too long an inventory path");
	pst_buf_finish(&b);
	if (!s)
		return err->code;
	found = soap_child(soap_body(s), "returnval");
	if (found)
		rc = vim_ref_read(found, ret, err);
	soap_destroy(s);
	return rc;
}

int vs_place_find(struct vs_op *op, const char *path, const char *what, struct vim_ref *ret, struct pst_err *err)
{
	int rc = vs_place_look(op, path, ret, err);

	if (rc == 0 && !ret->type[0])
		return pst_err_set(
			err, PST_ENOTFOUND, "vSphere has no \"%.250s\", or does not show it to this account; see \"%s\"", path, what);
	return rc;
}

int vs_place_need(struct vs_op *op, const char *path, const char *what, const char *type, struct vim_ref *ret, struct pst_err *err)
{
	if (vs_place_find(op, path, what, ret, err) < 0)
		return err->code;
	/* A VirtualApp is a ResourcePool, too. */
	if (strcmp(ret->type, type) == 0 || (strcmp(type, "ResourcePool") == 0 && strcmp(ret->type, "VirtualApp") == 0))
		return 0;
	return pst_err_set(err, PST_EINVAL, "\"%.200s\" is a %.40s of vSphere, and not a %s; see \"%s\"", path, ret->type, type, what);
}

struct room {
	struct vim_ref ref; /* type "": none yet */
	uint64_t bytes;
};

/* The one with the most free space of those that can be used. */
static int room_visit(const struct vim_ref *ref, const struct soap_node *content, void *arg, struct pst_err *err)
{
	const struct soap_node *is_there = property_of(content, "summary.accessible"), *rests = property_of(content, "summary.maintenanceMode"),
			       *left = property_of(content, "summary.freeSpace");
	struct room *room = arg;
	uint64_t bytes = 0;

	if (!is_there || strcmp(is_there->text, "true") != 0 || (rests && rests->text[0] && strcmp(rests->text, "normal") != 0))
		return 0;
	if (left)
		(void)pst_parse_u64(left->text, 0, INT64_MAX, &bytes);
	if (!room->ref.type[0] || bytes > room->bytes)
		*room = (struct room){ .ref = *ref, .bytes = bytes };
	return 0;
}

int vs_datastore_find(struct vs_op *op, const char *path, struct vim_ref *ret, struct pst_err *err)
{
	static const char *const paths[] = { "summary.accessible", "summary.maintenanceMode", "summary.freeSpace", NULL };
	struct vim_ref pod;
	struct property_set set = { .object = &pod, .children = "Datastore", .paths = paths };
	struct room room = { .bytes = 0 };

	if (vs_place_find(op, path, "datastore", &pod, err) < 0)
		return err->code;
	if (strcmp(pod.type, "StoragePod") != 0)
		return vs_place_need(op, path, "datastore", "Datastore", ret, err);
	if (property_each(&op->vim, &set, room_visit, &room, err) < 0)
		return err->code;
	if (!room.ref.type[0])
		return pst_err_set(err, PST_ENOSPC, "no datastore of the cluster \"%.200s\" is accessible and out of maintenance: look at them in vSphere", path);
	*ret = room.ref;
	return 0;
}
