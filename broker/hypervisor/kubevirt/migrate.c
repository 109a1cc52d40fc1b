/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To another node: a VirtualMachineInstanceMigration that says to which (addedNodeSelector, KubeVirt 1.6). */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/json.h"
#include "base/text.h"

#include <string.h>

/* A token without rights on nodes is believed: the migration then finds no place. */
static int node_check(struct rest_op *op, const char *host, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[REST_PATH_SIZE];
	json_t *o;

	if (rest_path(path, err, "/api/v1/nodes/%s", host) < 0)
		return err->code;
	o = k8s_get(op, path, &why);
	json_decref(o);
	if (o || why.code == PST_EDENIED)
		return 0;
	return why.code == PST_ENOTFOUND ? pst_err_set(err, PST_ENOTFOUND, "the cluster has no node \"%s\"", host) : pst_err_set(err, why.code, "%s", why.text);
}

/* 1: over, 0: not yet. */
static int move_state(const json_t *o, struct pst_err *err)
{
	const char *phase = pst_json_str(json_object_get(o, "status"), "phase", 32);

	if (phase && strcmp(phase, "Failed") == 0)
		return pst_err_set(err, PST_EIO, "the move failed; \"kubectl describe vmim\" says why");
	return phase && strcmp(phase, "Succeeded") == 0;
}

static int move(struct rest_op *op, struct kube_found *f, const char *host, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	struct pst_err ignored = PST_ERR_INIT;
	char name[OBJECTS_NAME_SIZE], path[REST_PATH_SIZE], collection[REST_PATH_SIZE];
	json_t *body;
	int rc;

	objects_name(op->desktop, "move", name);
	/* One of before has ended, or is none of this command's. */
	if (kube_path(k, KUBE_MIGRATIONS, name, path, err) < 0 || kube_path(k, KUBE_MIGRATIONS, "", collection, err) < 0 ||
		kube_object_remove(op, path, -1, err) < 0)
		return err->code;
	body = objects_migration(&k->site, op->desktop, name, host, err);
	rc = body ? kube_object_await(op, path, collection, body, move_state, err) : err->code;
	json_decref(body);
	if (rc < 0 && atomic_load(&op->cancelled)) {
		struct rest_op undo; /* without its object, KubeVirt gives the move up */

		rest_begin(&undo, op->rest, "");
		(void)k8s_delete(&undo, path, -1, &ignored);
		rest_end(&undo);
		return rc;
	}
	(void)k8s_delete(op, path, -1, &ignored);
	if (rc < 0 || kube_instance_look(op, f, err) < 0)
		return err->code;
	return strcmp(f->host, host) == 0 ? 0 : pst_err_set(err, PST_EIO, "the desktop moved to %s: KubeVirt before 1.6 cannot be told where to", f->host);
}

int kubevirt_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err)
{
	struct kube_found f;
	struct rest_op op;
	int rc = kube_machines_only(d, "move", err);

	if (rc < 0)
		return rc;
	rest_begin(&op, &kubevirt_of(d)->rest, desktop);
	rc = kube_need(&op, &f, true, err);
	if (rc == 0)
		rc = node_check(&op, host, err);
	if (rc == 0 && !kube_is_up(&f))
		rc = pst_err_set(err, PST_EBUSY, "a desktop that is off is started wherever there is room: start it first");
	if (rc == 0 && strcmp(f.host, host) != 0)
		rc = move(&op, &f, host, err);
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}
