/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking, hearing how it goes, and writing how it ended. */
#include "broker/storage/image_jobs.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/db.h"
#include "db/image.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 60000
#define AGAIN_MS 10000                          /* after a provisioner that was busy */
#define REMOVE_AGAIN_MS (INT64_C(3600) * 1000) /* after a removal that failed */

struct working {
	struct working *next;
	struct image_jobs *jobs;
	struct image_job_row row;
	char step[16];
	int percent;
	bool was_asked; /* by an earlier call, or before the broker's start: it may be done already */
	bool is_asked;  /* of the present connection */
};

struct question;

struct image_jobs {
	struct db *db;
	const struct storage_ops *ops;
	void *arg;
	struct pst_timer *timer;
	struct working *first;
	struct question *questions; /* whose answers have not come */
	bool is_connected;
};

struct question {
	struct question *next;
	struct image_jobs *jobs; /* NULL: they are gone */
	char id[DB_ID_SIZE];
};

static void timer_cb(void *arg);

static struct working *find(const struct image_jobs *jobs, const char *id)
{
	struct working *w = jobs->first;

	while (w && strcmp(w->row.id, id) != 0)
		w = w->next;
	return w;
}

static struct working *add(struct image_jobs *jobs, const struct image_job_row *row)
{
	struct working *w = pst_zalloc(1, sizeof(*w)), **at = &jobs->first;

	if (!w)
		return NULL; /* its row has it: the next start asks for it */
	w->jobs = jobs;
	w->row = *row;
	pst_strlcpy(w->step, sizeof(w->step), "waiting");
	while (*at)
		at = &(*at)->next;
	*at = w;
	return w;
}

static void drop(struct image_jobs *jobs, struct working *w)
{
	struct working **at = &jobs->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}

static void load_one(const struct image_job_row *row, void *arg)
{
	struct working *w = add(arg, row);

	if (w)
		w->was_asked = true;
}

struct image_jobs *image_jobs_create(uv_loop_t *loop, struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err)
{
	struct image_jobs *jobs = pst_zalloc(1, sizeof(*jobs));

	if (jobs) {
		jobs->db = db;
		jobs->ops = ops;
		jobs->arg = arg;
		jobs->timer = pst_timer_create(loop);
	}
	if (!jobs || !jobs->timer) {
		image_jobs_destroy(jobs);
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	if (db_image_job_each(db, load_one, jobs, err) == 0) {
		pst_timer_start(jobs->timer, SWEEP_MS, timer_cb, jobs);
		return jobs;
	}
	image_jobs_destroy(jobs);
	return NULL;
}

void image_jobs_destroy(struct image_jobs *jobs)
{
	if (!jobs)
		return;
	while (jobs->first)
		drop(jobs, jobs->first);
	for (struct question *q = jobs->questions; q; q = q->next)
		q->jobs = NULL;
	pst_timer_destroy(jobs->timer);
	free(jobs);
}

/* --- how it ended ------------------------------------------------------------------------ */

struct ending {
	const struct image_job_row *row;
	const char *code, *error; /* NULL, NULL: it is done */
	const json_t *msg;        /* of one that is done */
};

static void folder_of(const char *path, char *out, size_t size)
{
	pst_strlcpy(out, size, path);
	if (strrchr(out, '/'))
		*strrchr(out, '/') = '\0';
}

static int version_made(struct image_jobs *jobs, const struct ending *e, struct version_row *v, struct pst_err *err)
{
	struct version_files_row f = {.size = pst_json_int(e->msg, "size", 0, INT64_MAX, 0), .file_size = pst_json_int(e->msg, "file_size", 0, INT64_MAX, 0)};
	const char *path = pst_json_str(e->msg, "path", sizeof(v->base) - 1), *sha256 = pst_json_str(e->msg, "sha256", sizeof(f.sha256) - 1);

	if (!path || path[0] != '/')
		return pst_err_set(err, PST_EPROTO, "the provisioner does not say where the version is");
	pst_strlcpy(v->base, sizeof(v->base), path);
	folder_of(path, v->path, sizeof(v->path));
	pst_strlcpy(v->state, sizeof(v->state), "ready");
	pst_strlcpy(f.version_id, sizeof(f.version_id), v->id);
	pst_strlcpy(f.datastore, sizeof(f.datastore), e->row->datastore);
	pst_strlcpy(f.sha256, sizeof(f.sha256), sha256 ? sha256 : "");
	return db_version_files_put(jobs->db, &f, err);
}

/* Its copies go one after the other, and the version with the last of its files. */
static int version_removed(struct image_jobs *jobs, const struct ending *e, const struct version_row *v, struct pst_err *err)
{
	bool was_copy;

	if (db_version_copy_remove(jobs->db, v->id, e->row->datastore, &was_copy, err) < 0)
		return err->code;
	return was_copy ? 0 : db_version_delete(jobs->db, v->image_id, v->version, err);
}

static int version_end(struct image_jobs *jobs, const struct ending *e, struct pst_err *err)
{
	bool is_removal = strcmp(e->row->kind, "remove") == 0, is_copy = strcmp(e->row->kind, "copy") == 0;
	struct version_row v;
	int rc = db_version_get(jobs->db, e->row->image_id, e->row->version, &v, err);

	if (rc < 0 || ((is_removal || is_copy) && e->error))
		return rc;
	if (is_removal)
		return version_removed(jobs, e, &v, err);
	if (is_copy)
		return db_version_copy_put(jobs->db, v.id, e->row->datastore, pst_wall_ms(), err);
	v.updated = pst_wall_ms();
	if (e->error)
		pst_strlcpy(v.state, sizeof(v.state), "failed");
	else if (version_made(jobs, e, &v, err) < 0)
		return err->code;
	return db_version_update(jobs->db, &v, err);
}

/* A removal that the broker began by itself and that has to wait is no news. */
static int ending_audit(struct image_jobs *jobs, const struct ending *e, struct pst_err *err)
{
	bool is_removal = strcmp(e->row->kind, "remove") == 0;
	const char *kind = is_removal ? "image.version_removed" : e->error ? "image.version_failed" : "image.version_ready";
	json_t *detail = json_pack("{s:s, s:s, s:s}", "image", e->row->image, "version", e->row->version, "datastore", e->row->datastore);

	if (is_removal && e->error) {
		json_decref(detail);
		return 0;
	}
	if (e->error)
		json_object_set_new(detail, "error", json_string(e->error));
	if (strcmp(e->row->kind, "copy") == 0)
		kind = e->error ? "image.copy_failed" : "image.version_copied";
	return jobs->ops->audit(jobs->arg, NULL, kind, "image", e->row->image_id, detail, err);
}

static int ending_write(struct image_jobs *jobs, const struct ending *e, struct pst_err *err)
{
	struct image_job_row row = *e->row;
	int rc = db_begin(jobs->db, err);

	if (rc < 0)
		return rc;
	pst_strlcpy(row.state, sizeof(row.state), e->error ? "failed" : "done");
	pst_strlcpy(row.error_code, sizeof(row.error_code), e->code ? e->code : "");
	pst_strlcpy(row.error, sizeof(row.error), e->error ? e->error : "");
	row.updated = pst_wall_ms();
	rc = db_image_job_end(jobs->db, &row, err);
	if (rc == 0)
		rc = version_end(jobs, e, err);
	if (rc == 0)
		rc = ending_audit(jobs, e, err);
	if (rc == 0)
		rc = db_commit(jobs->db, err);
	if (rc < 0)
		db_rollback(jobs->db);
	return rc;
}

/* What cannot be written now (a full disk) is asked for again, and met by what is done. */
static int end(struct image_jobs *jobs, struct working *w, const struct ending *e, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char image_id[DB_ID_SIZE];
	int rc = ending_write(jobs, e, &why);

	if (rc < 0 && rc != PST_ENOTFOUND) {
		w->is_asked = false;
		pst_timer_start(jobs->timer, AGAIN_MS, timer_cb, jobs);
		return pst_err_pass(err, rc, &why);
	}
	memcpy(image_id, w->row.image_id, sizeof(image_id));
	drop(jobs, w);
	jobs->ops->images_changed(jobs->arg);
	jobs->ops->changed(jobs->arg, "image", image_id);
	image_jobs_sweep(jobs); /* the next of its copies */
	return 0;
}

/* --- asking -------------------------------------------------------------------------------- */

static json_t *job_json(const struct working *w)
{
	const struct image_job_row *r = &w->row;
	json_t *msg = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "op", "image", "kind", r->kind, "task", r->id, "datastore", r->datastore,
		"image", r->image, "version", r->version, "repeat", (int)w->was_asked);

	if (!msg)
		return NULL;
	if (strcmp(r->kind, "import") == 0) {
		json_object_set_new(msg, "file", json_string(r->source));
		json_object_set_new(msg, "format", json_string(r->format));
	} else if (strcmp(r->kind, "capture") == 0) {
		json_object_set_new(msg, "desktop", json_string(r->source));
		json_object_set_new(msg, "base", json_string(r->base));
	} else if (strcmp(r->kind, "copy") == 0) {
		json_object_set_new(msg, "from", json_string(r->source));
		json_object_set_new(msg, "sha256", json_string(r->base));
	} else {
		json_object_set_new(msg, "keep_ms", json_integer(IMAGE_KEEP_MS));
		json_object_set_new(msg, "reason", json_string("version removed"));
	}
	return msg;
}

static bool is_passing(int code)
{
	return code == PST_EBUSY || code == PST_ENOMEM || code == PST_ECLOSED || code == PST_ETIMEOUT;
}

static void refused(struct image_jobs *jobs, struct working *w, const struct pst_err *why)
{
	struct ending e = {.row = &w->row, .code = pst_code_word(why->code), .error = why->text};
	struct pst_err err = PST_ERR_INIT;

	if (is_passing(why->code)) {
		w->is_asked = false;
		pst_timer_start(jobs->timer, AGAIN_MS, timer_cb, jobs);
	} else if (end(jobs, w, &e, &err) < 0) {
		pst_warn("the end of a job on an image is not written yet: %s", err.text);
	}
}

static void question_free(struct question *q)
{
	struct question **at = &q->jobs->questions;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	free(q);
}

static void asked_cb(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct question *q = arg;
	struct pst_err err = PST_ERR_INIT;
	int rc = pst_ctl_reply_check(reply, call_err, &err);
	struct working *w = q->jobs ? find(q->jobs, q->id) : NULL;

	pst_fd_close(&fd);
	if (w && rc < 0)
		refused(q->jobs, w, &err);
	if (q->jobs)
		question_free(q);
	else
		free(q);
}

static void ask(struct image_jobs *jobs, struct working *w)
{
	struct question *q = jobs->is_connected && !w->is_asked ? pst_zalloc(1, sizeof(*q)) : NULL;

	if (!q)
		return;
	q->jobs = jobs;
	q->next = jobs->questions;
	jobs->questions = q;
	memcpy(q->id, w->row.id, sizeof(q->id));
	if (!jobs->ops->ask(jobs->arg, job_json(w), asked_cb, q)) {
		question_free(q);
		return;
	}
	w->is_asked = w->was_asked = true;
}

static void ask_all(struct image_jobs *jobs)
{
	for (struct working *w = jobs->first; w; w = w->next)
		ask(jobs, w);
}

void image_jobs_begin(struct image_jobs *jobs, const struct image_job_row *row)
{
	struct working *w = add(jobs, row);

	if (w)
		ask(jobs, w);
}

bool image_jobs_cancel(struct image_jobs *jobs, const char *id)
{
	struct pst_err err = PST_ERR_INIT;
	struct working *w = find(jobs, id);

	if (!w)
		return false;
	if (w->is_asked && jobs->ops->ask(jobs->arg, json_pack("{s:s, s:s}", "op", "image_cancel", "task", id), NULL, NULL))
		return true;
	/* Nobody works on it now. */
	struct ending e = {.row = &w->row, .code = "closed", .error = "it was cancelled"};

	return end(jobs, w, &e, &err) == 0;
}

void image_jobs_connected(struct image_jobs *jobs)
{
	jobs->is_connected = true;
	ask_all(jobs);
	image_jobs_sweep(jobs);
}

void image_jobs_gone(struct image_jobs *jobs)
{
	jobs->is_connected = false;
	for (struct working *w = jobs->first; w; w = w->next) {
		w->is_asked = false;
		w->percent = 0;
		pst_strlcpy(w->step, sizeof(w->step), "waiting");
		jobs->ops->changed(jobs->arg, "image", w->row.image_id);
	}
}

/* --- hearing ---------------------------------------------------------------------------------- */

static void progress_take(struct image_jobs *jobs, struct working *w, const json_t *msg)
{
	static const char *const steps[] = {"waiting", "converting", "copying", "digesting", "removing"};
	const char *step = pst_json_str(msg, "step", sizeof(w->step) - 1);

	for (size_t i = 0; step && i < PST_ARRAY_LEN(steps); i++) {
		if (strcmp(steps[i], step) == 0)
			pst_strlcpy(w->step, sizeof(w->step), step);
	}
	w->percent = (int)pst_json_int(msg, "percent", 0, 100, w->percent);
	jobs->ops->changed(jobs->arg, "image", w->row.image_id);
}

int image_jobs_told(struct image_jobs *jobs, const json_t *msg, struct pst_err *err)
{
	const char *task = pst_json_str(msg, "task", DB_ID_SIZE - 1), *state = pst_json_str(msg, "state", 16);
	struct working *w = task ? find(jobs, task) : NULL;
	const json_t *error = json_object_get(msg, "error");

	if (!w || !state)
		return 0; /* it ended here already */
	struct ending e = {.row = &w->row, .msg = msg};

	if (strcmp(state, "done") == 0)
		return end(jobs, w, &e, err);
	if (strcmp(state, "failed") != 0) {
		progress_take(jobs, w, msg);
		return 0;
	}
	e.code = pst_json_str(error, "code", 64);
	e.error = pst_json_str(error, "title", 512);
	e.code = e.code ? e.code : "internal";
	e.error = e.error ? e.error : "the provisioner gave no reason";
	return end(jobs, w, &e, err);
}

bool image_jobs_progress(const struct image_jobs *jobs, const char *id, const char **ret_step, int *ret_percent)
{
	const struct working *w = find(jobs, id);

	if (!w)
		return false;
	*ret_step = w->step;
	*ret_percent = w->percent;
	return true;
}

/* --- retired versions --------------------------------------------------------------------------- */

static void copy_first(const char *datastore, void *arg)
{
	char *first = arg;

	if (!first[0])
		pst_strlcpy(first, DB_WORD_SIZE, datastore);
}

int image_jobs_removal(struct db *db, const struct version_files_row *files, char ret_datastore[DB_WORD_SIZE], struct pst_err *err)
{
	ret_datastore[0] = '\0';
	if (db_version_copy_each(db, files->version_id, copy_first, ret_datastore, err) < 0)
		return err->code;
	return ret_datastore[0] ? 0 : pst_strlcpy(ret_datastore, DB_WORD_SIZE, files->datastore);
}

static int removal_write(struct image_jobs *jobs, const struct version_row *v, struct image_job_row *row, struct pst_err *err)
{
	struct version_files_row files;
	struct pst_uuid id = pst_uuid_make();
	int rc = db_version_files_get(jobs->db, v->id, &files, err);

	if (rc < 0)
		return rc;
	memset(row, 0, sizeof(*row));
	pst_uuid_text(&id, row->id);
	memcpy(row->version_id, v->id, sizeof(row->version_id));
	pst_strlcpy(row->kind, sizeof(row->kind), "remove");
	if (image_jobs_removal(jobs->db, &files, row->datastore, err) < 0)
		return err->code;
	row->created = row->updated = pst_wall_ms();
	rc = db_image_job_put(jobs->db, row, err);
	return rc < 0 ? rc : db_image_job_get(jobs->db, row->id, row, err);
}

void image_jobs_sweep(struct image_jobs *jobs)
{
	struct pst_err err = PST_ERR_INIT;
	struct image_job_row row;
	struct version_row v;

	if (!jobs->is_connected || jobs->first || db_in_transaction(jobs->db) ||
		db_version_removable(jobs->db, pst_wall_ms() - REMOVE_AGAIN_MS, &v, &err) < 0)
		return;
	err = (struct pst_err)PST_ERR_INIT;
	if (removal_write(jobs, &v, &row, &err) < 0)
		pst_warn("a retired version of an image stays: %s", err.text);
	else
		image_jobs_begin(jobs, &row);
}

static void timer_cb(void *arg)
{
	struct image_jobs *jobs = arg;

	ask_all(jobs);
	image_jobs_sweep(jobs);
	pst_timer_start(jobs->timer, SWEEP_MS, timer_cb, jobs);
}
