/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory and processors of a stopped machine; the claim of its disk at any time. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/json.h"
#include "base/text.h"
#include "broker/hypervisor/kubevirt/quantity.h"

#include <stdio.h>
#include <string.h>

static const char *storage_of(const json_t *o, const char *part, const char *what)
{
	json_t *p = json_object_get(o, part);

	return pst_json_str(what ? json_object_get(json_object_get(p, "resources"), what) : json_object_get(p, "capacity"), "storage", 64);
}

/* What was asked for of the disk, or what it has. */
static int disk_look(struct rest_op *op, const char *path, uint64_t *ret_mb, struct pst_err *err)
{
	json_t *o = k8s_get(op, path, err);
	const char *asked = storage_of(o, "spec", "requests"), *has = storage_of(o, "status", NULL);
	uint64_t a = 0, b = 0;
	int rc = 0;

	if (!o)
		return err->code;
	if ((!asked || !quantity_mb(asked, &a)) && (!has || !quantity_mb(has, &b)))
		rc = pst_err_set(err, PST_EPROTO, "Kubernetes does not say how large the desktop's disk is");
	*ret_mb = a > b ? a : b;
	json_decref(o);
	return rc;
}

static int disk_grow(struct rest_op *op, struct kube_found *f, uint32_t mb, struct pst_err *err)
{
	const char *root = kube_root(f);
	char path[REST_PATH_SIZE];
	uint64_t have = 0;
	json_t *body, *made;

	if (!root[0] || strspn(root, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(root))
		return pst_err_set(err, PST_EUNSUPPORTED, "a container disk does not grow: take " REQUEST_REF "pvc:NAME as the image's base");
	if (kube_path(kubevirt_of_op(op), KUBE_CLAIMS, root, path, err) < 0 || disk_look(op, path, &have, err) < 0)
		return err->code;
	if (have > mb)
		return pst_err_set(err, PST_EINVAL, "a disk of %llu MB cannot become one of %u MB", (unsigned long long)have, mb);
	if (have == mb)
		return 0;
	body = json_pack("{s:{s:{s:{s:o}}}}", "spec", "resources", "requests", "storage", json_sprintf("%uMi", mb));
	made = body ? k8s_merge(op, path, body, err) : NULL;
	if (!body)
		pst_err_set(err, PST_ENOMEM, "no memory");
	json_decref(body);
	json_decref(made);
	return made ? 0 : err->code;
}

/* 0 for what stays. */
static uint32_t change(uint32_t wish, uint32_t now)
{
	return wish != now ? wish : 0;
}

static int resize_run(struct rest_op *op, struct kube_found *f, const struct machine_size *size, struct pst_err *err)
{
	struct machine_request *r = &f->claim.request;
	uint32_t memory_mb = change(size->memory_mb, r->memory_mb), cpu_percent = change(size->cpu_percent, r->cpu_percent);
	json_t *more = NULL;

	if ((memory_mb || cpu_percent) && kube_is_up(f))
		return pst_err_set(err, PST_EBUSY, "memory and processors change while the machine is stopped");
	if (size->disk_mb && disk_grow(op, f, size->disk_mb, err) < 0)
		return err->code;
	/* A pod is made by its claim. */
	if ((memory_mb || cpu_percent) && !kubevirt_of_op(op)->site.is_pods && !(more = objects_size(memory_mb, cpu_percent, err)))
		return err->code;
	r->memory_mb = memory_mb ? memory_mb : r->memory_mb;
	r->cpu_percent = cpu_percent ? cpu_percent : r->cpu_percent;
	r->disk_mb = size->disk_mb ? size->disk_mb : r->disk_mb;
	return kube_claim_save(op, f, more, err);
}

int kubevirt_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	struct kube_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &kubevirt_of(d)->rest, desktop);
	rc = kube_need(&op, &f, true, err);
	if (rc == 0)
		rc = resize_run(&op, &f, size, err);
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}
