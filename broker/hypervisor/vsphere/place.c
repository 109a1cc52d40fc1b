/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects by their inventory path (SearchIndex.FindByInventoryPath). */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

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
