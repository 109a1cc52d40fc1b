/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions whose files are made on a datastore: by import or capture, with progress; cancelled; removed. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/foreign.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "broker/storage/datastores.h"
#include "broker/storage/image_jobs.h"
#include "db/db.h"
#include "db/image.h"

#include <string.h>

/* --- what is shown ------------------------------------------------------------------ */

static json_t *job_json(struct api *api, const struct image_job_row *j)
{
	char es[DB_LONG_SIZE];
	const char *step = j->state;
	int percent = strcmp(j->state, "done") == 0 ? 100 : 0;

	image_jobs_progress(api->image_jobs, j->id, &step, &percent);
	if (!foreign_spanish(j->error, es, sizeof(es)))
		pst_strlcpy(es, sizeof(es), j->error);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:o}", "id", j->id, "kind", j->kind, "state", j->state, "step", step, "percent",
		percent, "datastore", j->datastore, "source", j->source, "error", j->error, "error_es", es, "created", json_time(j->created), "updated",
		json_time(j->updated));
}

static void copy_add(const char *datastore, void *arg)
{
	json_array_append_new(arg, json_string(datastore));
}

void api_version_files_json(struct api *api, const struct version_row *v, json_t *o)
{
	struct version_files_row f;
	struct image_job_row j;

	if (db_version_files_get(api->db, v->id, &f, NULL) == 0) {
		json_t *copies = json_array();

		db_version_copy_each(api->db, v->id, copy_add, copies, NULL);
		json_object_set_new(o, "files", json_pack("{s:s, s:I, s:I, s:s, s:o}", "datastore", f.datastore, "size", (json_int_t)f.size, "file_size",
			(json_int_t)f.file_size, "sha256", f.sha256, "copies", copies));
	}
	if (db_image_job_of(api->db, v->id, &j, NULL) == 0)
		json_object_set_new(o, "job", job_json(api, &j));
}

bool api_image_has_no_files(struct api_call *call, const char *image_id)
{
	struct pst_err err = PST_ERR_INIT;
	char versions[600];

	if (db_version_files_of_image(call->api->db, image_id, versions, sizeof(versions), &err) < 0) {
		write_fail(call, &err);
		return false;
	}
	if (!versions[0])
		return true;
	db_rollback(call->api->db);
	call_problem(call, "in_use", "versions with files on datastores: %s", versions);
	return false;
}

/* --- made ------------------------------------------------------------------------------ */

struct body {
	struct version_row v;
	json_t *import, *capture;
	struct image_job_row job;
	char desktop[DB_NAME_SIZE];
};

/* The file lies in the datastore's folder incoming: a name, never a path. */
static bool file_is_good(const char *name)
{
	return *name && *name != '.' && *name != '-' && !strchr(name, '/');
}

static bool datastore_is_good(struct api_call *call, const char *field, const char *name)
{
	struct datastore_view v;

	if (!datastores_view(call->api->datastores, name, &v))
		call_field(call, field, "%s: there is no datastore '%s'", field, name);
	else if (v.report && !v.takes_images)
		call_field(call, field, "%s: '%s' is a provider's own directory and takes no images", field, name);
	return !call_is_answered(call);
}

static bool import_read(struct api_call *call, struct body *b)
{
	static const char *const formats[] = {"", "raw", "qcow2", "vmdk", "vhdx", "oci", NULL};
	static const struct field table[] = {
		{.name = "datastore", .kind = FIELD_SLUG, .required = true, FIELD(struct image_job_row, datastore)},
		{.name = "file", .kind = FIELD_TEXT, .required = true, FIELD(struct image_job_row, source), .max = 100},
		{.name = "format", .kind = FIELD_WORD, FIELD(struct image_job_row, format), .words = formats},
	};

	pst_strlcpy(b->job.kind, sizeof(b->job.kind), "import");
	if (fields_read(call, b->import, "import.", table, PST_ARRAY_LEN(table), &b->job, NULL) < 0)
		return false;
	if (!file_is_good(b->job.source)) {
		call_field(call, "import.file", "import.file: give the name of a file in the datastore's folder 'incoming', without a path");
		return false;
	}
	return datastore_is_good(call, "import.datastore", b->job.datastore);
}

/* Its disk does not change while it is read: it is off, and stays so. */
static bool desktop_take(struct api_call *call, struct body *b, const struct core_desktop *d)
{
	struct pst_err err = PST_ERR_INIT;
	struct version_row v;

	if (d->x.power != POWER_OFF || d->t.id[0]) {
		call_problem(call, "conflict", "stop the desktop '%s' first: its disk must not change meanwhile", d->name);
		return false;
	}
	if (db_version_get(call->api->db, d->image_id, d->image_version, &v, &err) < 0) {
		call_error(call, &err);
		return false;
	}
	pst_strlcpy(b->job.source, sizeof(b->job.source), d->id);
	pst_strlcpy(b->job.base, sizeof(b->job.base), v.base);
	return true;
}

static bool capture_read(struct api_call *call, struct body *b)
{
	static const struct field table[] = {
		{.name = "datastore", .kind = FIELD_SLUG, .required = true, FIELD(struct body, job.datastore)},
		{.name = "desktop", .kind = FIELD_REF, .required = true, FIELD(struct body, desktop)},
	};
	const struct core_desktop *d;

	pst_strlcpy(b->job.kind, sizeof(b->job.kind), "capture");
	if (fields_read(call, b->capture, "capture.", table, PST_ARRAY_LEN(table), b, NULL) < 0 ||
		!datastore_is_good(call, "capture.datastore", b->job.datastore))
		return false;
	d = desktop_find(call, b->desktop);
	return d && desktop_take(call, b, d);
}

static bool body_read(struct api_call *call, struct body *b)
{
	const struct field table[] = {
		{.name = "version", .kind = FIELD_SLUG, .required = true, FIELD(struct body, v.version)},
		{.name = "notes", .kind = FIELD_TEXT, FIELD(struct body, v.notes), .max = 1000},
		{.name = "import", .kind = FIELD_OBJECT, FIELD(struct body, import)},
		{.name = "capture", .kind = FIELD_OBJECT, FIELD(struct body, capture)},
	};

	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), b, NULL) < 0)
		return false;
	if (strcmp(b->v.version, "latest") == 0)
		call_field(call, "version", "version: 'latest' stands for the published one: choose another word");
	else if (b->import && b->capture)
		call_field(call, "capture", "capture: give exactly one of the two");
	if (call_is_answered(call))
		return false;
	return b->import ? import_read(call, b) : capture_read(call, b);
}

static void answer(struct api_call *call, int status, const char *image_id)
{
	call_ok(call, status, api_image_json(call->api, image_id));
}

void api_version_make(struct api_call *call, const struct image_row *i)
{
	struct body b = {.v = {.base = "", .state = "building"}};
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid version = pst_uuid_make(), job = pst_uuid_make();
	struct image_job_row row;

	if (!body_read(call, &b) || write_begin(call) < 0)
		return;
	pst_uuid_text(&version, b.v.id);
	pst_uuid_text(&job, b.job.id);
	memcpy(b.v.image_id, i->id, sizeof(b.v.image_id));
	memcpy(b.job.version_id, b.v.id, sizeof(b.job.version_id));
	b.v.created = b.v.updated = b.job.created = b.job.updated = pst_wall_ms();
	pst_strlcpy(b.v.base, sizeof(b.v.base), "building"); /* no base that anything could be made from */
	if (db_version_insert(call->api->db, &b.v, &err) < 0 || db_image_job_put(call->api->db, &b.job, &err) < 0 ||
		db_image_job_get(call->api->db, b.job.id, &row, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, b.import ? "image.import_started" : "image.capture_started", "image", i->id, json_incref(call->body)) < 0)
		return;
	image_jobs_begin(call->api->image_jobs, &row);
	answer(call, 201, i->id);
}

/* --- cancelled and removed ---------------------------------------------------------------- */

static bool version_find(struct api_call *call, struct image_row *i, struct version_row *v)
{
	struct pst_err err = PST_ERR_INIT;

	if (db_image_get(call->api->db, call->params[0], i, &err) == 0 && db_version_get(call->api->db, i->id, call->params[1], v, &err) == 0)
		return true;
	call_error(call, &err);
	return false;
}

static bool runs(struct api_call *call, const struct version_row *v, struct image_job_row *j)
{
	return db_image_job_of(call->api->db, v->id, j, NULL) == 0 && strcmp(j->state, "running") == 0;
}

static json_t *detail(const struct version_row *v)
{
	return json_pack("{s:s}", "version", v->version);
}

void api_version_cancel(struct api_call *call)
{
	struct image_job_row j;
	struct version_row v;
	struct image_row i;

	if (!version_find(call, &i, &v))
		return;
	if (!runs(call, &v, &j) || !image_jobs_cancel(call->api->image_jobs, j.id)) {
		call_problem(call, "conflict", "nothing is being done with the version '%s'", v.version);
		return;
	}
	if (write_event(call, "image.job_cancelled", "image", i.id, detail(&v)) == 0)
		answer(call, 202, i.id);
}

/* Retired now: nobody publishes it any more while its files go. */
static void files_remove(struct api_call *call, const struct image_row *i, struct version_row *v, const struct version_files_row *f)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct image_job_row job = {.kind = "remove"}, row;

	if (write_begin(call) < 0)
		return;
	pst_uuid_text(&id, job.id);
	memcpy(job.version_id, v->id, sizeof(job.version_id));
	if (image_jobs_removal(call->api->db, f, job.datastore, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	job.created = job.updated = v->updated = pst_wall_ms();
	pst_strlcpy(v->state, sizeof(v->state), "retired");
	if (db_version_update(call->api->db, v, &err) < 0 || db_image_job_put(call->api->db, &job, &err) < 0 ||
		db_image_job_get(call->api->db, job.id, &row, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "image.removal_started", "image", i->id, detail(v)) < 0)
		return;
	image_jobs_begin(call->api->image_jobs, &row);
	if (reconciler_config_changed(call->api->rec, &err) < 0)
		call_error(call, &err);
	else
		answer(call, 202, i->id);
}

bool api_version_files_remove(struct api_call *call, const struct image_row *i, struct version_row *v)
{
	struct pst_err err = PST_ERR_INIT;
	struct version_files_row f;
	struct image_job_row j;
	int rc;

	if (runs(call, v, &j)) {
		call_problem(call, "conflict", "something is being done with the version '%s': cancel it, or wait for its end", v->version);
		return true;
	}
	rc = db_version_files_get(call->api->db, v->id, &f, &err);
	if (rc == PST_ENOTFOUND)
		return false;
	if (rc == 0)
		files_remove(call, i, v, &f);
	else
		call_error(call, &err);
	return true;
}

/* --- on further datastores -------------------------------------------------------------------- */

struct copying {
	struct image_row i;
	struct version_row v;
	struct version_files_row f;
	char datastore[DB_WORD_SIZE];
	bool is_there; /* the datastore has a copy */
};

static void copy_compare(const char *datastore, void *arg)
{
	struct copying *c = arg;

	c->is_there |= strcmp(c->datastore, datastore) == 0;
}

/* False: it is answered. */
static bool copying_find(struct api_call *call, struct copying *c)
{
	struct pst_err err = PST_ERR_INIT;
	struct image_job_row j;
	int rc;

	if (!version_find(call, &c->i, &c->v))
		return false;
	rc = db_version_files_get(call->api->db, c->v.id, &c->f, &err);
	if (rc == PST_ENOTFOUND || strcmp(c->v.state, "ready") != 0)
		call_problem(call, "conflict", "the version '%s' is not ready, or has no files on a datastore", c->v.version);
	else if (rc < 0 || db_version_copy_each(call->api->db, c->v.id, copy_compare, c, &err) < 0)
		call_error(call, &err);
	else if (runs(call, &c->v, &j))
		call_problem(call, "conflict", "something is being done with the version '%s': cancel it, or wait for its end", c->v.version);
	return !call_is_answered(call);
}

/* kind: "copy" or "remove"; the job of a version that stays as it is. */
static void copying_begin(struct api_call *call, const struct copying *c, const char *kind, const char *event)
{
	struct image_job_row job = {.id = ""}, row;
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();

	if (write_begin(call) < 0)
		return;
	pst_uuid_text(&id, job.id);
	memcpy(job.version_id, c->v.id, sizeof(job.version_id));
	pst_strlcpy(job.kind, sizeof(job.kind), kind);
	pst_strlcpy(job.datastore, sizeof(job.datastore), c->datastore);
	pst_strlcpy(job.source, sizeof(job.source), c->f.datastore);
	pst_strlcpy(job.base, sizeof(job.base), c->f.sha256);
	job.created = job.updated = pst_wall_ms();
	if (db_image_job_put(call->api->db, &job, &err) < 0 || db_image_job_get(call->api->db, job.id, &row, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, event, "image", c->i.id, json_pack("{s:s, s:s}", "version", c->v.version, "datastore", c->datastore)) < 0)
		return;
	image_jobs_begin(call->api->image_jobs, &row);
	answer(call, 202, c->i.id);
}

void api_version_copy(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "datastore", .kind = FIELD_SLUG, .required = true, FIELD(struct copying, datastore)},
	};
	struct copying c = {.datastore = ""};

	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &c, NULL) < 0 || !datastore_is_good(call, "datastore", c.datastore) ||
		!copying_find(call, &c))
		return;
	if (c.is_there || strcmp(c.f.datastore, c.datastore) == 0)
		call_problem(call, "conflict", "the datastore '%s' has the version '%s' already", c.datastore, c.v.version);
	else
		copying_begin(call, &c, "copy", "image.copy_started");
}

void api_version_copy_remove(struct api_call *call)
{
	struct copying c = {.datastore = ""};

	if (pst_strlcpy(c.datastore, sizeof(c.datastore), call->params[2]) < 0 || !copying_find(call, &c)) {
		if (!call_is_answered(call))
			call_problem(call, "not_found", "there is no copy on that datastore");
		return;
	}
	if (!c.is_there)
		call_problem(call, "not_found", "there is no copy on that datastore");
	else
		copying_begin(call, &c, "remove", "image.copy_removal_started");
}
