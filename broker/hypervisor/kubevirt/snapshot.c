/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots of the disk, and going back to one. They are objects of their own, named by the desktop and a hash of
 * the name that people gave, which an annotation keeps, with whether the desktop ran.
 */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void names_make(const char *desktop, const char *name, char snapshot[OBJECTS_NAME_SIZE], char restore[OBJECTS_NAME_SIZE])
{
	uint8_t sum[PST_SHA256_LEN];
	char part[13], back[14];

	pst_sha256(name, strlen(name), sum);
	pst_hex_encode(sum, 6, part, sizeof(part));
	objects_name(desktop, part, snapshot);
	snprintf(back, sizeof(back), "r%s", part);
	objects_name(desktop, back, restore);
}

/* 1: ready; 0: on its way; an error: it failed. */
static int snapshot_state(const json_t *o, struct pst_err *err)
{
	const json_t *status = json_object_get(o, "status");
	const char *phase = pst_json_str(status, "phase", 32), *message = pst_json_str(json_object_get(status, "error"), "message", 400);
	char words[200];

	if (pst_json_bool(status, "readyToUse", false))
		return 1;
	if (!phase || strcmp(phase, "Failed") != 0)
		return 0;
	rest_words(words, sizeof(words), message ? message : "without a reason");
	return pst_err_set(err, PST_EIO, "the snapshot failed: %s", words);
}

static int take_run(struct rest_op *op, struct kube_found *f, const char *name, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	char snapshot[OBJECTS_NAME_SIZE], restore[OBJECTS_NAME_SIZE], path[REST_PATH_SIZE], collection[REST_PATH_SIZE];
	json_t *body;
	int rc;

	if (!kube_root(f)[0])
		return pst_err_set(err, PST_EUNSUPPORTED, "a container disk has no snapshots: take " REQUEST_REF "pvc:NAME as the image's base");
	names_make(op->desktop, name, snapshot, restore);
	if (kube_path(k, KUBE_SNAPSHOTS, snapshot, path, err) < 0 || kube_path(k, KUBE_SNAPSHOTS, "", collection, err) < 0)
		return err->code;
	body = objects_snapshot(&k->site, op->desktop, snapshot, name, kube_is_up(f), err);
	rc = body ? kube_object_await(op, path, collection, body, snapshot_state, err) : err->code;
	json_decref(body);
	if (rc == PST_EIO) { /* so that the name can be taken again */
		struct pst_err ignored = PST_ERR_INIT;

		(void)k8s_delete(op, path, -1, &ignored);
	}
	return rc;
}

static int drop_run(struct rest_op *op, struct kube_found *f, const char *name, struct pst_err *err)
{
	char snapshot[OBJECTS_NAME_SIZE], restore[OBJECTS_NAME_SIZE], path[REST_PATH_SIZE];

	names_make(op->desktop, name, snapshot, restore);
	return kube_path(kubevirt_of_op(op), KUBE_SNAPSHOTS, snapshot, path, err) < 0 ? err->code : kube_object_remove(op, path, -1, err);
}

static int restore_state(const json_t *o, struct pst_err *err)
{
	return pst_json_bool(json_object_get(o, "status"), "complete", false);
}

/* One restore is done once: an earlier one of that name goes first. */
static int restore_run(struct rest_op *op, const char *name, const char *snapshot, struct pst_err *err)
{
	const struct kubevirt *k = kubevirt_of_op(op);
	char path[REST_PATH_SIZE], collection[REST_PATH_SIZE];
	json_t *body;
	int rc;

	if (kube_path(k, KUBE_RESTORES, name, path, err) < 0 || kube_path(k, KUBE_RESTORES, "", collection, err) < 0 ||
		kube_object_remove(op, path, -1, err) < 0)
		return err->code;
	body = objects_restore(&k->site, op->desktop, name, snapshot, err);
	rc = body ? kube_object_await(op, path, collection, body, restore_state, err) : err->code;
	json_decref(body);
	return rc < 0 ? rc : k8s_delete(op, path, -1, err);
}

/* What the machine is now is written again: its specification is that of then. */
static int claim_renew(struct rest_op *op, struct kube_found *f, bool ran, struct pst_err *err)
{
	json_t *size = objects_size(f->claim.request.memory_mb, f->claim.request.cpu_percent, err);

	f->claim.phase = ran ? CLAIM_RUNNING : CLAIM_STOPPED;
	if (!size || kube_claim_save(op, f, size, err) < 0)
		return err->code;
	if (!ran) {
		watches_forget(op->rest->watches, op->desktop);
		return 0;
	}
	if (kube_start(op, f, err) < 0)
		return err->code;
	watches_know(op->rest->watches, op->desktop);
	return 0;
}

static int revert_run(struct rest_op *op, struct kube_found *f, const char *name, struct pst_err *err)
{
	char snapshot[OBJECTS_NAME_SIZE], restore[OBJECTS_NAME_SIZE], path[REST_PATH_SIZE];
	const char *words;
	bool ran;
	json_t *o;

	names_make(op->desktop, name, snapshot, restore);
	if (kube_path(kubevirt_of_op(op), KUBE_SNAPSHOTS, snapshot, path, err) < 0)
		return err->code;
	o = k8s_get(op, path, err);
	if (!o)
		return err->code == PST_ENOTFOUND ? pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", op->desktop, name) : err->code;
	words = pst_json_str(json_object_get(json_object_get(o, "metadata"), "annotations"), OBJECTS_RAN, 8);
	ran = !words || strcmp(words, "yes") == 0;
	json_decref(o);
	if (kube_stop(op, f, 0, err) < 0 || restore_run(op, restore, snapshot, err) < 0)
		return err->code;
	return claim_renew(op, f, ran, err);
}

static int run(struct driver *d, const char *desktop, const char *name,
	int (*work)(struct rest_op *op, struct kube_found *f, const char *name, struct pst_err *err), struct pst_err *err)
{
	struct kube_found f;
	struct rest_op op;
	int rc = kube_machines_only(d, "have snapshots", err);

	if (rc < 0)
		return rc;
	rest_begin(&op, &kubevirt_of(d)->rest, desktop);
	rc = kube_need(&op, &f, true, err);
	if (rc == 0)
		rc = work(&op, &f, name, err);
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}

int kubevirt_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return run(d, desktop, name, take_run, err);
}

int kubevirt_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return run(d, desktop, name, revert_run, err);
}

int kubevirt_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return run(d, desktop, name, drop_run, err);
}
