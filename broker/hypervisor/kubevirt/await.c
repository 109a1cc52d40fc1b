/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kubernetes takes wishes and follows them later: what was asked for is looked at until it is so. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#define PAUSE_MS 100
#define AGAIN 16 /* looks between two wishes */

static bool is_worth_a_look(struct rest_op *op, int code)
{
	return code == PST_ECONFLICT || rest_is_unsure(op, code);
}

int kube_object_await(struct rest_op *op, const char *path, const char *collection, const json_t *body,
	int (*state)(const json_t *o, struct pst_err *err), struct pst_err *err)
{
	int rc = 0;

	while (rc == 0) {
		struct pst_err why = PST_ERR_INIT;
		json_t *o = k8s_get(op, path, &why);

		if (o)
			rc = state(o, err);
		else if (why.code != PST_ENOTFOUND)
			rc = pst_err_set(err, why.code, "%s", why.text);
		else if (!(o = k8s_create(op, collection, body, &why)) && !is_worth_a_look(op, why.code))
			rc = pst_err_set(err, why.code, "%s", why.text);
		json_decref(o);
		if (rc == 0)
			rc = rest_wait(op, PAUSE_MS, err);
	}
	return rc < 0 ? rc : 0;
}

int kube_object_remove(struct rest_op *op, const char *path, int grace_s, struct pst_err *err)
{
	for (unsigned i = 0;; i++) {
		struct pst_err why = PST_ERR_INIT;
		int rc = i % AGAIN == 0 ? k8s_delete(op, path, grace_s, &why) : 0;
		json_t *o;

		if (rc < 0 && !rest_is_unsure(op, rc))
			return pst_err_pass(err, rc, &why);
		o = k8s_get(op, path, &why);
		json_decref(o);
		if (!o)
			return why.code == PST_ENOTFOUND ? 0 : pst_err_pass(err, why.code, &why);
		if (rest_wait(op, PAUSE_MS, err) < 0)
			return err->code;
	}
}
