/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Start and stop. KubeVirt takes a wish and follows it later, so a wish is repeated until it is so. To suspend is
 * not carried: a paused instance keeps its memory in its node's, not on disk.
 */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"
#include "broker/hypervisor/kubevirt/pods.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"

#include <stdio.h>
#include <string.h>

#define PAUSE_FIRST_MS 50
#define PAUSE_LAST_MS 1000
#define AGAIN_MS 1000
#define STOP_RESERVE_S 5 /* of the deadline, for ending a guest that does not listen */

/* Something that takes a while: a subresource of the machine ("s" of instances). */
struct goal {
	const char *kind, *verb;
	const json_t *body;
	int grace_s; /* of a stop */
	int (*wish)(struct rest_op *op, const struct kube_found *f, const struct goal *g, struct pst_err *err);
	/* 1 when it is so, 0, or an error. */
	int (*is_reached)(struct rest_op *op, struct kube_found *f, struct pst_err *err);
};

static int subresource_put(struct rest_op *op, const struct kube_found *f, const struct goal *g, struct pst_err *err)
{
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];

	objects_name(op->desktop, "", name);
	if (rest_path(path, err, KUBE_SUB, kubevirt_of_op(op)->space, g->kind, name, g->verb) < 0)
		return err->code;
	return k8s_put(op, path, g->body, err);
}

/* A pod that has ended is in the way of the next. */
static int pod_make(struct rest_op *op, const struct kube_found *f, const struct goal *g, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE], collection[REST_PATH_SIZE];
	struct pst_err why = PST_ERR_INIT;
	json_t *pod, *made = NULL;

	objects_name(op->desktop, "", name);
	if (kube_path(k, KUBE_PODS, name, path, err) < 0 || kube_path(k, KUBE_PODS, "", collection, err) < 0)
		return err->code;
	if (f->phase[0] && !kube_is_up(f) && kube_object_remove(op, path, 0, err) < 0)
		return err->code;
	pod = pods_pod(&k->site, &f->claim, kube_root(f), f->uid, &why);
	if (pod)
		made = k8s_create(op, collection, pod, &why);
	json_decref(pod);
	json_decref(made);
	return made || why.code == PST_ECONFLICT ? 0 : pst_err_pass(err, why.code, &why);
}

static int pod_remove(struct rest_op *op, const struct kube_found *f, const struct goal *g, struct pst_err *err)
{
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];

	objects_name(op->desktop, "", name);
	return kube_path(kubevirt_of_op(op), KUBE_PODS, name, path, err) < 0 ? err->code : k8s_delete(op, path, g->grace_s, err);
}

/* What KubeVirt says of the machine meanwhile; only words. */
static void words_look(struct rest_op *op, struct kube_found *f)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];
	const char *words;
	json_t *o;

	objects_name(op->desktop, "", name);
	if (kube_path(kubevirt_of_op(op), kube_machines(kubevirt_of_op(op)), name, path, &ignored) < 0 || !(o = k8s_get(op, path, &ignored)))
		return;
	words = pst_json_str(json_object_get(o, "status"), "printableStatus", sizeof(f->words) - 1);
	rest_words(f->words, sizeof(f->words), words ? words : "nothing");
	json_decref(o);
}

static int reach(struct rest_op *op, struct kube_found *f, const struct goal *g, struct pst_err *err)
{
	uint64_t pause = PAUSE_FIRST_MS, next = 0;
	int rc;

	for (;;) {
		rc = kube_instance_look(op, f, err);
		if (rc == 0)
			rc = g->is_reached(op, f, err);
		if (rc != 0)
			return rc > 0 ? 0 : rc;
		if (pst_mono_ms() >= next) {
			struct pst_err why = PST_ERR_INIT;

			if (next)
				words_look(op, f);
			/* It is on its way already, or has gone: the next look tells. */
			if (g->wish(op, f, g, &why) < 0 && why.code != PST_ENOTFOUND && !rest_is_unsure(op, why.code))
				return pst_err_set(err, why.code, "%s", why.text);
			next = pst_mono_ms() + AGAIN_MS;
		}
		if (rest_wait(op, pause, err) < 0)
			return err->code == PST_ETIMEOUT ? pst_err_wrap(err, "%s desktop %s (its instance: %s, KubeVirt says: %.60s)", g->verb, op->desktop,
				f->phase[0] ? f->phase : "none", f->words) : err->code;
		pause = PST_MIN(pause * 2, (uint64_t)PAUSE_LAST_MS);
	}
}

static int runs(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	return !f->is_ending && strcmp(f->phase, "Running") == 0;
}

static int rests(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	return !f->phase[0] || strcmp(f->phase, "Succeeded") == 0 || strcmp(f->phase, "Failed") == 0;
}

static int goes_on(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	return !f->is_paused;
}

int kube_start(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	bool is_pods = kubevirt_of_op(op)->site.is_pods;
	json_t *body = json_object();
	struct goal g = { .kind = "s", .verb = "start", .body = body, .is_reached = runs, .wish = is_pods ? pod_make : subresource_put };
	int rc;

	/* What it was told at its start went with the last pod; a token that is used up does not come back. */
	rc = is_pods ? kube_seed_put(op, f, err) : 0;
	if (rc == 0)
		rc = reach(op, f, &g, err);
	json_decref(body);
	if (rc < 0 || f->claim.request.enrol_token[0] == '\0')
		return rc;
	/* The seed was read when the instance was made: whoever looks later finds no token, and a later start gives none. */
	pst_wipe(f->claim.request.enrol_token, sizeof(f->claim.request.enrol_token));
	return kube_seed_put(op, f, err);
}

int kube_stop(struct rest_op *op, struct kube_found *f, unsigned grace_s, struct pst_err *err)
{
	json_t *body = json_pack("{s:i}", "gracePeriod", (int)grace_s);
	struct goal g = { .kind = "s", .verb = "stop", .body = body, .grace_s = (int)grace_s, .is_reached = rests,
		.wish = kubevirt_of_op(op)->site.is_pods ? pod_remove : subresource_put };
	int rc = body ? reach(op, f, &g, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	json_decref(body);
	return rc;
}

static int sleep_by(struct rest_op *op, struct kube_found *f, enum machine_power wish, struct pst_err *err)
{
	uint64_t left_s = rest_left_ms(op) / 1000;
	unsigned grace_s = wish == POWER_STOP ? (unsigned)(left_s > 2 * STOP_RESERVE_S ? left_s - STOP_RESERVE_S : left_s / 2) : 0;
	struct pst_err ignored = PST_ERR_INIT;
	int rc;

	/* Said before it is done: a machine that we stop has not failed. */
	f->claim.phase = CLAIM_STOPPED;
	rc = kube_claim_save(op, f, NULL, err);
	if (rc == 0)
		rc = kube_stop(op, f, grace_s, err);
	if (rc < 0 && !atomic_load(&op->cancelled) && kube_instance_look(op, f, &ignored) == 0 && kube_is_up(f)) {
		f->claim.phase = CLAIM_RUNNING;
		(void)kube_claim_save(op, f, NULL, &ignored);
	}
	if (rc == 0)
		watches_forget(op->rest->watches, op->desktop);
	return rc;
}

static int wake(struct rest_op *op, struct kube_found *f, struct pst_err *err)
{
	static const struct goal unpause = { .kind = "instances", .verb = "unpause", .is_reached = goes_on, .wish = subresource_put };

	if (kube_start(op, f, err) < 0 || (f->is_paused && reach(op, f, &unpause, err) < 0))
		return err->code;
	if (f->claim.phase != CLAIM_RUNNING) {
		f->claim.phase = CLAIM_RUNNING;
		if (kube_claim_save(op, f, NULL, err) < 0)
			return err->code;
	}
	watches_know(op->rest->watches, op->desktop);
	return 0;
}

int kubevirt_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct kube_found f;
	struct rest_op op;
	int rc;

	if (wish == POWER_SUSPEND)
		return pst_err_set(err, PST_EUNSUPPORTED, "Kubernetes keeps no machine's memory on disk: a desktop there cannot be suspended");
	rest_begin(&op, &kubevirt_of(d)->rest, desktop);
	rc = kube_need(&op, &f, true, err);
	if (rc == 0)
		rc = wish == POWER_START ? wake(&op, &f, err) : sleep_by(&op, &f, wish, err);
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}
