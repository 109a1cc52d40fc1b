/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots are images of a container's layer: localhost/puesto-DESKTOP:NAME. Their comment says whether the
 * desktop ran. A desktop that was reverted stands on its image by another name, ":_ID", so that the snapshot
 * can be dropped, and its name used again, while it does. The run directory, with the agent's identity and the highest epoch, is not in them: what
 * protects a desktop does not go back in time.
 */
#include "broker/hypervisor/container/container_priv.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define REPO_SIZE 64
#define RAN "ran"
#define BASE_DIGITS 24
#define FILES_MS (UINT64_C(6) * 3600 * 1000) /* for some gigabytes */

static void repo_name(const char *desktop, char out[REPO_SIZE])
{
	snprintf(out, REPO_SIZE, "localhost/puesto-%s", desktop);
}

static void snapshot_name(const char *desktop, const char *name, char out[REPO_SIZE + MACHINE_NAME_SIZE])
{
	snprintf(out, REPO_SIZE + MACHINE_NAME_SIZE, "localhost/puesto-%s:%s", desktop, name);
}

/* The desktop; else PST_ENOTFOUND. One that is not whole is good for what makes it whole. */
static int desktop_find(struct op *op, struct found *f, bool whole, struct pst_err *err)
{
	if (found_look(op, f, err) < 0)
		return err->code;
	return f->is_there && !(whole && f->now.next) ? 0 : pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->desktop);
}

static int take_run(struct op *op, struct found *f, const char *name, struct pst_err *err)
{
	char repo[REPO_SIZE], image[REPO_SIZE + MACHINE_NAME_SIZE];
	struct pst_err why = PST_ERR_INIT;
	json_t *there;

	repo_name(op->desktop, repo);
	snapshot_name(op->desktop, name, image);
	there = engine_image(&op->engine, image, &why);
	json_decref(there);
	if (there || why.code != PST_ENOTFOUND)
		return there ? 0 : pst_err_pass(err, why.code, &why);
	return engine_commit(&op->engine, f->now.id, repo, name, f->now.phase == SPEC_RUNNING ? RAN : "rested", err);
}

int container_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), desktop);
	rc = desktop_find(&op, &f, true, err);
	if (rc == 0)
		rc = take_run(&op, &f, name, err);
	found_finish(&f);
	op_end(&op);
	return rc;
}

/* "_" and the beginning of the image's id: no name of a snapshot begins so. */
static int base_tag(const json_t *image, char out[MACHINE_NAME_SIZE], struct pst_err *err)
{
	const char *id = pst_json_str(image, "Id", 80);

	id = id && strncmp(id, "sha256:", 7) == 0 ? id + 7 : id;
	if (!id || strspn(id, "0123456789abcdef") < BASE_DIGITS)
		return pst_err_set(err, PST_EPROTO, "the engine gives an image without an id");
	snprintf(out, MACHINE_NAME_SIZE, "_%.*s", BASE_DIGITS, id);
	return 0;
}

/* The snapshot's image, or PST_ENOTFOUND. Owned. */
static json_t *snapshot_open(struct op *op, const char *name, struct pst_err *err)
{
	char image[REPO_SIZE + MACHINE_NAME_SIZE];
	json_t *o;

	snapshot_name(op->desktop, name, image);
	o = engine_image(&op->engine, image, err);
	if (!o && err->code == PST_ENOTFOUND)
		pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", op->desktop, name);
	return o;
}

static int revert_run(struct op *op, struct found *f, const char *name, struct pst_err *err)
{
	char repo[REPO_SIZE], image[REPO_SIZE + MACHINE_NAME_SIZE], base[MACHINE_NAME_SIZE];
	json_t *there = snapshot_open(op, name, err);
	struct machine_request r;
	const char *comment;
	bool ran;
	int rc;

	if (!there)
		return err->code;
	comment = pst_json_str(there, "Comment", 64);
	ran = !comment || strcmp(comment, RAN) == 0;
	repo_name(op->desktop, repo);
	snapshot_name(op->desktop, name, image);
	rc = base_tag(there, base, err);
	json_decref(there);
	if (rc < 0 || spec_request(f->labels, &r, err) < 0 || engine_image_tag(&op->engine, image, repo, base, err) < 0)
		return err->code;
	memcpy(r.task, f->now.task, sizeof(r.task));
	r.enrol_token[0] = '\0';
	snapshot_name(op->desktop, base, image);
	return container_replace(op, f, &r, image, false, !ran, err);
}

int container_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), desktop);
	rc = desktop_find(&op, &f, false, err);
	if (rc == 0)
		rc = revert_run(&op, &f, name, err);
	if (rc == 0)
		watches_know(op.c->watches, desktop);
	found_finish(&f);
	op_end(&op);
	return rc;
}

/* The name goes; the image, too, unless the desktop stands on it: then at its next refresh. */
static int drop_run(struct op *op, const char *name, struct pst_err *err)
{
	char image[REPO_SIZE + MACHINE_NAME_SIZE], base[MACHINE_NAME_SIZE];
	struct pst_err why = PST_ERR_INIT;
	json_t *there = snapshot_open(op, name, &why);
	int rc;

	if (!there)
		return why.code == PST_ENOTFOUND ? 0 : pst_err_pass(err, why.code, &why);
	rc = base_tag(there, base, err);
	json_decref(there);
	snapshot_name(op->desktop, name, image);
	if (rc < 0 || engine_image_remove(&op->engine, image, err) < 0)
		return err->code;
	snapshot_name(op->desktop, base, image);
	rc = engine_image_remove(&op->engine, image, &why);
	return rc == PST_ECONFLICT ? 0 : pst_err_pass(err, rc, &why);
}

int container_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), desktop);
	rc = desktop_find(&op, &f, true, err);
	if (rc == 0)
		rc = drop_run(&op, name, err);
	found_finish(&f);
	op_end(&op);
	return rc;
}

int container_files(struct driver *d, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), desktop);
	op.engine.end_ms = pst_mono_ms() + FILES_MS;
	rc = desktop_find(&op, &f, true, err);
	if (rc == 0 && f.now.phase != SPEC_ENDED && f.now.phase != SPEC_MADE)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s runs: stop it first, its files must not change meanwhile", desktop);
	if (rc == 0)
		rc = engine_export(&op.engine, f.now.id, fd, max, go_on, arg, err);
	found_finish(&f);
	op_end(&op);
	return rc;
}

/* Only names of ours, whatever the engine lists. */
static int tags_remove(struct op *op, const json_t *image, const char *repo, struct pst_err *err)
{
	json_t *tag;
	size_t i;

	json_array_foreach(json_object_get(image, "RepoTags"), i, tag)
	{
		const char *name = json_string_value(tag);
		char mine[REPO_SIZE + MACHINE_NAME_SIZE];

		if (!name || strncmp(name, repo, strlen(repo)) != 0 || name[strlen(repo)] != ':')
			continue;
		snapshot_name(op->desktop, name + strlen(repo) + 1, mine);
		if (strcmp(mine, name) == 0 && engine_image_remove(&op->engine, mine, err) < 0)
			return err->code;
	}
	return 0;
}

int container_snapshots_remove(struct op *op, struct pst_err *err)
{
	char repo[REPO_SIZE];
	json_t *images, *image;
	size_t i;
	int rc = 0;

	repo_name(op->desktop, repo);
	images = engine_images(&op->engine, repo, err);
	if (!images)
		return err->code;
	json_array_foreach(images, i, image)
	{
		if (rc == 0)
			rc = tags_remove(op, image, repo, err);
	}
	json_decref(images);
	return rc;
}
