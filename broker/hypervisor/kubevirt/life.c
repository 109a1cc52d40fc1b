/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The VirtualMachine with its claim comes first and goes last, so what a
 * crash leaves is always found by the desktop's uuid, which is in its name.
 *
 *	create:  machine (creating) → Service, seed → start → claim (running)
 *	refresh: claim (creating) → stop → new specification, old disks and snapshots away → as create
 *	destroy: claim (destroying) → snapshots → Service, seed → machine, and its disks with it
 */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <string.h>

#define TRIES 4
#define PAUSE_MS 100

static void machine_fill(const struct rest_op *op, const struct kube_found *f, struct machine *m)
{
	const struct machine_request *r = &f->claim.request;

	pst_strlcpy(m->desktop, sizeof(m->desktop), op->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	pst_strlcpy(m->host, sizeof(m->host), f->host);
	m->state = MACHINE_RUNNING;
	watches_know(op->rest->watches, op->desktop);
	/* A Service's address stays; on another network each instance has its own, which the next list may know first. */
	const char *address = kube_is_apart(kubevirt_of_op(op), r) ? f->address : f->claim.address;

	if (address[0] == '\0')
		return;
	m->endpoint.kind = ENDPOINT_TLS;
	m->endpoint.port = kubevirt_of_op(op)->seed.agent_port;
	pst_strlcpy(m->endpoint.address, sizeof(m->endpoint.address), address);
}

static int snapshots_remove(struct rest_op *op, struct pst_err *err)
{
	return kubevirt_of_op(op)->site.is_pods ? 0 : kube_others_remove(op, KUBE_SNAPSHOTS, NULL, err);
}

static int remains_remove(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];

	if (!f->machine)
		return 0;
	objects_name(op->desktop, "", name);
	f->claim.phase = CLAIM_DESTROYING;
	(void)kube_claim_save(op, f, NULL, &ignored); /* what cannot be written on can be removed */
	if (snapshots_remove(op, err) < 0 || kube_sides_remove(op, err) < 0 ||
		kube_path(kubevirt_of_op(op), kube_machines(kubevirt_of_op(op)), name, path, err) < 0)
		return err->code;
	return kube_object_remove(op, path, 0, err);
}

/* From the machine that stands to the instance that runs. */
static int finish(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	if (kube_service_put(op, f, err) < 0 || kube_disk_put(op, f, err) < 0 || kube_seed_put(op, f, err) < 0 || kube_start(op, f, err) < 0)
		return err->code;
	f->claim.phase = CLAIM_RUNNING;
	return kube_claim_save(op, f, NULL, err);
}

static void claim_begin(struct rest_op *op, const struct machine_request *r, struct claim *c)
{
	const struct kubevirt *k = kubevirt_of_op(op);

	memset(c, 0, sizeof(*c));
	c->phase = CLAIM_CREATING;
	c->request = *r;
	snprintf(c->place, sizeof(c->place), "%s/puesto-%s", k->space, op->desktop);
	pst_strlcpy(c->provider, sizeof(c->provider), k->provider);
	pst_strlcpy(c->instance, sizeof(c->instance), k->instance);
}

/* Posts it; what is there then is found, by whichever answer. */
static int machine_post(struct rest_op *op, const struct claim *c, struct kube_found *f, struct pst_err *err)
{
	json_t *o = kube_machine_make(kubevirt_of_op(op), c, err), *made;
	char path[REST_PATH_SIZE];
	int rc = o ? kube_path(kubevirt_of_op(op), kube_machines(kubevirt_of_op(op)), "", path, err) : err->code;

	for (int i = 0; i < TRIES && rc == 0; i++) {
		struct pst_err why = PST_ERR_INIT;

		made = k8s_create(op, path, o, &why);
		json_decref(made);
		if (!made && why.code != PST_ECONFLICT && !rest_is_unsure(op, why.code))
			rc = pst_err_pass(err, why.code, &why);
		else
			rc = kube_find(op, f, err);
		if (rc < 0 || f->machine)
			break;
		rc = rest_wait(op, PAUSE_MS << i, err);
		if (rc == 0 && i + 1 == TRIES)
			rc = pst_err_set(err, PST_EIO, "Kubernetes says that it has made the machine, and there is none");
	}
	json_decref(o);
	if (rc == 0 && strcmp(f->claim.request.task, c->request.task) != 0)
		rc = pst_err_set(err, PST_ECONFLICT, "desktop %s is made by another task", op->desktop);
	return rc;
}

/* What a failed create has left; in a time of its own, since the command's may be over. */
static void create_undo(struct rest_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct kube_found f;
	struct rest_op undo;

	rest_begin(&undo, op->rest, op->desktop);
	if (kube_find(&undo, &f, &ignored) == 0)
		remains_remove(&undo, &f, &ignored);
	kube_found_finish(&f);
	rest_end(&undo);
}

static int create_new(struct rest_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct kube_found f = { .machine = NULL };
	const struct net_named *net;
	struct claim c;
	int rc;

	claim_begin(op, r, &c);
	rc = nets_find(&kubevirt_of_op(op)->nets, r->network, &net, err);
	if (rc == 0)
		rc = machine_post(op, &c, &f, err);
	if (rc == 0) {
		f.claim = c; /* with its token */
		rc = finish(op, &f, err);
	}
	if (rc == 0)
		machine_fill(op, &f, ret);
	else if (rc != PST_ECONFLICT && !atomic_load(&op->cancelled)) /* another task's machine is not ours to undo */
		create_undo(op);
	kube_found_finish(&f);
	return rc;
}

static int create_run(struct rest_op *op, struct kube_found *f, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	if (f->machine && strcmp(f->phase, "Running") == 0 && kube_is_up(f) && f->claim.phase != CLAIM_DESTROYING) {
		if (strcmp(f->claim.request.task, r->task) != 0)
			return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", op->desktop);
		if (f->claim.phase != CLAIM_RUNNING) {
			f->claim.request = *r;
			if (finish(op, f, err) < 0) /* all but the last word had been said */
				return err->code;
		}
		machine_fill(op, f, ret);
		return 0;
	}
	if (remains_remove(op, f, err) < 0)
		return err->code;
	return create_new(op, r, ret, err);
}

int kubevirt_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct kube_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &kubevirt_of(d)->rest, r->desktop);
	rc = kube_find(&op, &f, err);
	if (rc == 0)
		rc = create_run(&op, &f, r, ret, err);
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}

int kubevirt_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct kube_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &kubevirt_of(d)->rest, desktop);
	rc = kube_find(&op, &f, &why);
	if (rc == 0)
		rc = remains_remove(&op, &f, &why);
	else if (rc == PST_ECONFLICT) /* somebody else's is for us not there */
		rc = 0;
	if (rc == 0)
		watches_forget(op.rest->watches, desktop);
	kube_found_finish(&f);
	rest_end(&op);
	return pst_err_pass(err, rc, &why);
}

/* The specification is made anew, with a disk of another name; KubeVirt makes that. */
static int refresh(struct rest_op *op, struct kube_found *f, const struct machine_request *r, struct pst_err *err)
{
	struct kubevirt *k = kubevirt_of_op(op);
	const struct net_named *net;
	json_t *fresh, *spec;

	if (nets_find(&k->nets, r->network, &net, err) < 0)
		return err->code;
	f->claim.phase = CLAIM_CREATING;
	f->claim.request = *r;
	if (kube_claim_save(op, f, NULL, err) < 0 || kube_stop(op, f, 0, err) < 0 || snapshots_remove(op, err) < 0)
		return err->code;
	fresh = kube_machine_make(k, &f->claim, err);
	if (!fresh)
		return err->code;
	spec = k->site.is_pods ? json_pack("{s:O}", "data", json_object_get(fresh, "data")) : json_pack("{s:O}", "spec", json_object_get(fresh, "spec"));
	json_decref(fresh);
	if (!spec)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (kube_claim_save(op, f, spec, err) < 0 || kube_others_remove(op, kube_disks(k), kube_root(f), err) < 0)
		return err->code;
	return finish(op, f, err);
}

/* The same machine, ended and started. */
static int restart_keep(struct rest_op *op, struct kube_found *f, const struct machine_request *r, struct pst_err *err)
{
	bool is_pods = kubevirt_of_op(op)->site.is_pods;
	json_t *size = NULL;

	if (kube_stop(op, f, 0, err) < 0)
		return err->code;
	f->claim.request = *r;
	f->claim.phase = CLAIM_RUNNING;
	if (!is_pods && !(size = objects_size(r->memory_mb, r->cpu_percent, err))) /* a pod is made by its claim */
		return err->code;
	if (kube_claim_save(op, f, size, err) < 0)
		return err->code;
	if (!is_pods && r->enrol_token[0] && kube_seed_put(op, f, err) < 0)
		return err->code;
	return kube_start(op, f, err);
}

static int restart_run(struct rest_op *op, struct kube_found *f, const struct machine_request *wish, bool is_refresh, struct machine *ret,
	struct pst_err *err)
{
	struct machine_request r = *wish;
	bool is_whole = f->claim.phase != CLAIM_CREATING;
	int rc;

	request_merge(&r, &f->claim.request);
	if (strcmp(f->phase, "Running") == 0 && kube_is_up(f) && f->claim.phase == CLAIM_RUNNING && strcmp(f->claim.request.task, r.task) == 0) {
		machine_fill(op, f, ret); /* done before */
		return 0;
	}
	rc = is_refresh || !is_whole ? refresh(op, f, &r, err) : restart_keep(op, f, &r, err);
	if (rc == 0)
		machine_fill(op, f, ret);
	return rc;
}

int kubevirt_restart(struct driver *d, const struct machine_request *r, bool is_refresh, struct machine *ret, struct pst_err *err)
{
	struct kube_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &kubevirt_of(d)->rest, r->desktop);
	rc = kube_need(&op, &f, false, err);
	if (rc == 0)
		rc = restart_run(&op, &f, r, is_refresh, ret, err);
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}
