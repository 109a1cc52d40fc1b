/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's machine and its instance. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"
#include "broker/hypervisor/kubevirt/pods.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define TRIES 4
#define PAUSE_MS 25

int kube_path(const struct kubevirt *k, const char *collection, const char *name, char out[REST_PATH_SIZE], struct pst_err *err)
{
	char base[REST_PATH_SIZE];
	int n = snprintf(base, sizeof(base), collection, k->space);

	if (n < 0 || (size_t)n >= sizeof(base))
		return pst_err_set(err, PST_ELIMIT, "too long a path");
	return rest_path(out, err, "%.1500s%s%s", base, name[0] ? "/" : "", name);
}

static void place_make(const struct kubevirt *k, const char *desktop, char out[CLAIM_PLACE_SIZE])
{
	snprintf(out, CLAIM_PLACE_SIZE, "%s/puesto-%s", k->space, desktop);
}

bool kube_claim_read(const struct kubevirt *k, const json_t *machine, struct claim *ret)
{
	const json_t *meta = json_object_get(machine, "metadata");
	const char *text = pst_json_str(json_object_get(meta, "annotations"), OBJECTS_CLAIM, CLAIM_MAX);
	char place[CLAIM_PLACE_SIZE], name[OBJECTS_NAME_SIZE];
	struct pst_err ignored = PST_ERR_INIT;

	if (!text || claim_parse(text, ret, &ignored) < 0)
		return false;
	place_make(k, ret->request.desktop, place);
	objects_name(ret->request.desktop, "", name);
	return claim_is_ours(ret, k->instance, k->provider, place) && strcmp(k8s_name(machine), name) == 0;
}

const char *kube_machines(const struct kubevirt *k)
{
	return k->site.is_pods ? KUBE_MAPS : KUBE_VMS;
}

const char *kube_instances(const struct kubevirt *k)
{
	return k->site.is_pods ? KUBE_PODS : KUBE_VMIS;
}

const char *kube_disks(const struct kubevirt *k)
{
	return k->site.is_pods ? KUBE_CLAIMS : KUBE_VOLUMES;
}

json_t *kube_machine_make(const struct kubevirt *k, const struct claim *c, struct pst_err *err)
{
	return k->site.is_pods ? pods_machine(&k->site, c, err) : objects_machine(&k->site, c, err);
}

int kube_machines_only(struct driver *d, const char *what, struct pst_err *err)
{
	return kubevirt_of(d)->site.is_pods ? pst_err_set(err, PST_EUNSUPPORTED, "a pod cannot %s", what) : 0;
}

void kube_host(const json_t *instance, char out[MACHINE_NAME_SIZE])
{
	const char *host = pst_json_str(json_object_get(instance, "status"), "nodeName", MACHINE_NAME_SIZE - 1);

	if (!host)
		host = pst_json_str(json_object_get(instance, "spec"), "nodeName", MACHINE_NAME_SIZE - 1);
	pst_strlcpy(out, MACHINE_NAME_SIZE, host ? host : "");
}

void kube_address(const json_t *instance, char out[CLAIM_ADDRESS_SIZE])
{
	json_t *list = json_object_get(json_object_get(instance, "status"), "interfaces");
	const char *ip = pst_json_str(json_array_get(list, 0), "ipAddress", CLAIM_ADDRESS_SIZE - 1);
	struct in6_addr in;

	if (!list)
		ip = pst_json_str(json_object_get(instance, "status"), "podIP", CLAIM_ADDRESS_SIZE - 1);
	if (!ip || (inet_pton(AF_INET, ip, &in) != 1 && inet_pton(AF_INET6, ip, &in) != 1))
		ip = "";
	pst_strlcpy(out, CLAIM_ADDRESS_SIZE, ip);
}

static void instance_take(struct kube_found *f, const json_t *o)
{
	const json_t *status = json_object_get(o, "status");
	const char *phase = pst_json_str(status, "phase", sizeof(f->phase) - 1);
	json_t *condition;
	size_t i;

	kube_address(o, f->address);
	kube_host(o, f->host);
	pst_strlcpy(f->phase, sizeof(f->phase), phase ? phase : "Pending");
	f->is_ending = json_object_get(json_object_get(o, "metadata"), "deletionTimestamp") != NULL;
	f->is_paused = false;
	json_array_foreach(json_object_get(status, "conditions"), i, condition)
	{
		const char *type = pst_json_str(condition, "type", 64), *is = pst_json_str(condition, "status", 16);

		f->is_paused |= type && is && strcmp(type, "Paused") == 0 && strcmp(is, "True") == 0;
	}
}

int kube_instance_look(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];
	json_t *o;

	objects_name(op->desktop, "", name);
	if (kube_path(kubevirt_of_op(op), kube_instances(kubevirt_of_op(op)), name, path, err) < 0)
		return err->code;
	f->phase[0] = f->host[0] = f->address[0] = '\0';
	f->is_ending = f->is_paused = false;
	o = k8s_get(op, path, &why);
	if (!o)
		return why.code == PST_ENOTFOUND ? 0 : pst_err_set(err, why.code, "%s", why.text);
	instance_take(f, o);
	json_decref(o);
	return 0;
}

bool kube_is_up(const struct kube_found *f)
{
	return f->phase[0] && !f->is_ending && strcmp(f->phase, "Succeeded") != 0 && strcmp(f->phase, "Failed") != 0;
}

/* Keeps the object, and what of it is asked for all the time. */
static int machine_take(struct rest_op *op, struct kube_found *f, json_t *machine, struct pst_err *err)
{
	const char *uid = pst_json_str(json_object_get(machine, "metadata"), "uid", sizeof(f->uid) - 1);
	const char *words = pst_json_str(json_object_get(machine, "status"), "printableStatus", sizeof(f->words) - 1);

	json_decref(f->machine);
	f->machine = NULL;
	if (!kube_claim_read(kubevirt_of_op(op), machine, &f->claim) || strcmp(f->claim.request.desktop, op->desktop) != 0 || !uid) {
		json_decref(machine);
		return pst_err_set(err, PST_ECONFLICT, "the object of desktop %s is not ours; it is left alone", op->desktop);
	}
	f->machine = machine;
	pst_strlcpy(f->uid, sizeof(f->uid), uid);
	rest_words(f->words, sizeof(f->words), words ? words : "");
	return 0;
}

int kube_find(struct rest_op *op, struct kube_found *ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];
	json_t *machine;

	memset(ret, 0, sizeof(*ret));
	objects_name(op->desktop, "", name);
	if (kube_path(kubevirt_of_op(op), kube_machines(kubevirt_of_op(op)), name, path, err) < 0)
		return err->code;
	machine = k8s_get(op, path, &why);
	if (!machine)
		return why.code == PST_ENOTFOUND ? 0 : pst_err_set(err, why.code, "%s", why.text);
	if (machine_take(op, ret, machine, err) < 0)
		return err->code;
	return kube_instance_look(op, ret, err);
}

int kube_need(struct rest_op *op, struct kube_found *ret, bool whole, struct pst_err *err)
{
	int rc = kube_find(op, ret, err);

	/* What is not ours is for us not there. */
	if (rc == PST_ECONFLICT || (rc == 0 && (!ret->machine || ret->claim.phase == CLAIM_DESTROYING)))
		return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->desktop);
	if (rc == 0 && whole && ret->claim.phase == CLAIM_CREATING)
		return pst_err_set(err, PST_EBUSY, "desktop %s was never finished: create or restart it", op->desktop);
	return rc;
}

void kube_found_finish(struct kube_found *f)
{
	json_decref(f->machine);
	f->machine = NULL;
}

int kube_claim_save(struct rest_op *op, struct kube_found *f, json_t *more, struct pst_err *err)
{
	struct kubevirt *k = kubevirt_of_op(op);
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];
	struct pst_err why = PST_ERR_INIT;
	struct claim wish;
	json_t *body, *machine = NULL;
	int rc = 0;

	place_make(k, op->desktop, f->claim.place);
	wish = f->claim;
	objects_name(op->desktop, "", name);
	body = objects_claim(&wish, err);
	if (body && more)
		json_object_update_recursive(body, more);
	json_decref(more);
	if (!body)
		return err->code;
	rc = kube_path(k, kube_machines(k), name, path, &why);
	/* KubeVirt writes there, too: what has changed between is tried again. */
	for (int i = 0; rc == 0 && !machine && i < TRIES; i++) {
		if (i > 0)
			rc = rest_wait(op, PAUSE_MS << i, &why);
		machine = rc == 0 ? k8s_merge(op, path, body, &why) : NULL;
		if (!machine && !rest_is_unsure(op, why.code))
			break;
	}
	json_decref(body);
	if (!machine)
		return pst_err_pass(err, why.code, &why);
	if (machine_take(op, f, machine, err) < 0)
		return err->code;
	f->claim = wish; /* with its token, which is never written */
	return 0;
}

const char *kube_root(const struct kube_found *f)
{
	json_t *spec = json_object_get(json_object_get(json_object_get(f->machine, "spec"), "template"), "spec"), *v;
	const char *state = pst_json_str(json_object_get(f->machine, "data"), PODS_STATE, 253);
	size_t i;

	if (state)
		return state;
	json_array_foreach(json_object_get(spec, "volumes"), i, v)
	{
		const char *name = pst_json_str(v, "name", 64), *volume = pst_json_str(json_object_get(v, "dataVolume"), "name", 253);

		if (!name || strcmp(name, OBJECTS_ROOT) != 0)
			continue;
		if (!volume)
			volume = pst_json_str(json_object_get(v, "persistentVolumeClaim"), "claimName", 253);
		return volume ? volume : "";
	}
	return "";
}
