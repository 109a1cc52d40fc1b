/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands beside a machine: its seed, its address, its disks and snapshots. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"
#include "broker/hypervisor/kubevirt/pods.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MS 500
#define SELECTOR_SIZE 800
#define CA_MAX (64u << 10)

static int side_apply(struct rest_op *op, const char *collection, const char *suffix, const json_t *o, json_t **ret, struct pst_err *err)
	__attribute__((format(printf, 2, 0)));

static int side_apply(struct rest_op *op, const char *collection, const char *suffix, const json_t *o, json_t **ret, struct pst_err *err)
{
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];

	objects_name(op->desktop, suffix, name);
	if (!o || kube_path(kubevirt_of_op(op), collection, name, path, err) < 0)
		return err->code;
	*ret = k8s_apply(op, path, o, err);
	return *ret ? 0 : err->code;
}

int kube_seed_put(struct rest_op *op, const struct kube_found *f, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	json_t *o = NULL, *made = NULL;
	char *text = NULL;
	size_t len;
	int rc;

	if (!k->site.has_seeds)
		return 0;
	if (k->site.is_pods && pst_file_read(k->seed.agents_ca, CA_MAX, &text, &len, err) < 0)
		return pst_err_wrap(err, "agents_ca");
	if (!k->site.is_pods && !(text = seed_text(&k->seed, &f->claim.request, err)))
		return err->code;
	o = k->site.is_pods ? pods_seed(&k->site, &f->claim, f->uid, k->seed.agents, text, err) : objects_seed(&k->site, &f->claim, f->uid, text, err);
	seed_text_free(text);
	rc = side_apply(op, KUBE_SECRETS, "seed", o, &made, err);
	json_decref(o);
	json_decref(made);
	return rc < 0 ? pst_err_wrap(err, "write the seed") : 0;
}

int kube_disk_put(struct rest_op *op, const struct kube_found *f, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	char path[REST_PATH_SIZE];
	json_t *o, *made = NULL;

	if (!k->site.is_pods)
		return 0;
	o = pods_state(&k->site, &f->claim, kube_root(f), f->uid, err);
	if (o && kube_path(k, KUBE_CLAIMS, kube_root(f), path, err) == 0)
		made = k8s_apply(op, path, o, err);
	json_decref(o);
	json_decref(made);
	return made ? 0 : pst_err_wrap(err, "make the desktop's disk");
}

/* The address that the cluster, or its load balancer, gave; "" while there is none. */
static void service_address(const json_t *service, char out[CLAIM_ADDRESS_SIZE])
{
	json_t *ingress = json_object_get(json_object_get(json_object_get(service, "status"), "loadBalancer"), "ingress");
	const json_t *spec = json_object_get(service, "spec");
	const char *type = pst_json_str(spec, "type", 32), *ip = NULL;
	struct in6_addr in;

	if (type && strcmp(type, "LoadBalancer") == 0)
		ip = pst_json_str(json_array_get(ingress, 0), "ip", CLAIM_ADDRESS_SIZE - 1);
	else
		ip = pst_json_str(spec, "clusterIP", CLAIM_ADDRESS_SIZE - 1);
	if (!ip || (inet_pton(AF_INET, ip, &in) != 1 && inet_pton(AF_INET6, ip, &in) != 1))
		ip = "";
	pst_strlcpy(out, CLAIM_ADDRESS_SIZE, ip);
}

int kube_service_put(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	json_t *o, *made = NULL;
	int rc;

	if (kube_is_apart(k, &f->claim.request) || f->claim.address[0]) /* a Service does not reach other networks; and one keeps its address */
		return 0;
	o = objects_service(&k->site, &f->claim, f->uid, err);
	do {
		rc = side_apply(op, KUBE_SERVICES, "", o, &made, err);
		if (rc == 0)
			service_address(made, f->claim.address);
		json_decref(made);
		made = NULL;
	} while (rc == 0 && !f->claim.address[0] && (rc = rest_wait(op, PAUSE_MS, err)) == 0);
	json_decref(o);
	return rc < 0 ? pst_err_wrap(err, "give the desktop an address") : 0;
}

struct names {
	char (*names)[254];
	size_t n;
};

static void names_begin(void *arg)
{
	((struct names *)arg)->n = 0;
}

static int name_take(const json_t *item, void *arg, struct pst_err *err)
{
	struct names *v = arg;
	void *more = realloc(v->names, (v->n + 1) * sizeof(*v->names));

	if (!more)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	v->names = more;
	pst_strlcpy(v->names[v->n++], sizeof(*v->names), k8s_name(item));
	return 0;
}

static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(name);
}

static int names_remove(struct rest_op *op, const char *collection, const struct names *v, const char *but, struct pst_err *err)
	__attribute__((format(printf, 2, 0)));

static int names_remove(struct rest_op *op, const char *collection, const struct names *v, const char *but, struct pst_err *err)
{
	char path[REST_PATH_SIZE];

	for (size_t i = 0; i < v->n; i++) {
		if (!is_name(v->names[i]) || (but && strcmp(v->names[i], but) == 0))
			continue;
		if (kube_path(kubevirt_of_op(op), collection, v->names[i], path, err) < 0 || k8s_delete(op, path, -1, err) < 0)
			return err->code;
	}
	return 0;
}

int kube_others_remove(struct rest_op *op, const char *collection, const char *but, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	char path[REST_PATH_SIZE], selector[SELECTOR_SIZE];
	struct names v = { .n = 0 };
	struct k8s_list l = { .path = path, .selector = selector, .begin = names_begin, .visit = name_take, .arg = &v };
	int rc = objects_selector(&k->site, op->desktop, selector, sizeof(selector));

	if (rc < 0)
		return pst_err_set(err, rc, "too long a selector");
	rc = kube_path(k, collection, "", path, err);
	if (rc == 0)
		rc = k8s_list(op, &l, err);
	if (rc == 0)
		rc = names_remove(op, collection, &v, but, err);
	free(v.names);
	return rc;
}

int kube_sides_remove(struct rest_op *op, struct pst_err *err)
{
	static const struct {
		const char *collection, *suffix;
	} sides[] = { { KUBE_SECRETS, "seed" }, { KUBE_SERVICES, "" } };
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];

	for (size_t i = 0; i < PST_ARRAY_LEN(sides); i++) {
		objects_name(op->desktop, sides[i].suffix, name);
		if (kube_path(kubevirt_of_op(op), sides[i].collection, name, path, err) < 0 || k8s_delete(op, path, -1, err) < 0)
			return err->code;
	}
	return 0;
}
