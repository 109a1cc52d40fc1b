/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a job about a back-up begins and ends, in rows and events. */
#include "broker/storage/backup_priv.h"
#include "broker/storage/backup_row.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/db.h"
#include "db/recycle.h"
#include "db/snapshot.h"

#include <string.h>

void backup_row_begin(struct backup_row *row, const char *kind, const char *by)
{
	struct pst_uuid id = pst_uuid_make();

	pst_uuid_text(&id, row->job_id);
	row->updated = pst_wall_ms();
	if (strcmp(kind, "backup") == 0) {
		memcpy(row->id, row->job_id, sizeof(row->id));
		row->created = row->updated;
		row->by_hand = by != NULL;
		pst_strlcpy(row->state, sizeof(row->state), "making");
	}
	pst_strlcpy(row->job_kind, sizeof(row->job_kind), kind);
	pst_strlcpy(row->job_state, sizeof(row->job_state), "running");
	pst_strlcpy(row->job_by, sizeof(row->job_by), by ? by : "");
	row->error_code[0] = row->error[0] = '\0';
}

struct ending {
	struct backup_row row; /* as it will be */
	const json_t *msg;     /* of one that is done */
	bool is_backup, is_nothing; /* nothing was due */
};

static json_t *detail_of(const struct ending *e)
{
	const struct backup_row *r = &e->row;
	json_t *o = json_pack("{s:s, s:s, s:s}", "name", r->desktop, "user", r->user, "datastore", r->datastore);

	if (r->kind[0])
		json_object_set_new(o, "kind", json_string(r->kind));
	if (r->reason[0])
		json_object_set_new(o, "why", json_string(r->reason));
	if (r->made) {
		char made[PST_RFC3339_SIZE];

		pst_rfc3339(r->made, made);
		json_object_set_new(o, "made", json_string(made));
	}
	if (r->error[0])
		json_object_set_new(o, "error", json_string(r->error));
	return o;
}

static int audit(struct backup_jobs *jobs, const struct ending *e, const char *kind, struct pst_err *err)
{
	return jobs->ops->audit(jobs->arg, NULL, kind, "desktop", e->row.desktop_id, detail_of(e), err);
}

struct look {
	const struct ending *e;
	bool is_same;
};

static void failure_look(const struct backup_row *b, void *arg)
{
	struct look *l = arg;

	if (strcmp(b->desktop_id, l->e->row.desktop_id) == 0 && strcmp(b->id, l->e->row.id) != 0)
		l->is_same |= strcmp(b->error_code, l->e->row.error_code) == 0;
}

/* A failure that is tried again and fails for the same reason is no news. */
static bool is_old(struct backup_jobs *jobs, const struct ending *e)
{
	struct look l = {.e = e};

	return !e->row.by_hand && db_backup_failures(jobs->db, failure_look, &l, NULL) == 0 && l.is_same;
}

static int failed_write(struct backup_jobs *jobs, struct ending *e, struct pst_err *err)
{
	static const struct {
		const char *kind, *event;
	} events[] = {{"backup", "backup.failed"}, {"restore", "backup.restore_failed"}, {"rebuild", "backup.restore_failed"}, {"remove", "backup.remove_failed"}};
	bool is_silent = e->is_backup && is_old(jobs, e);
	int rc = 0;

	if (e->is_backup) {
		pst_strlcpy(e->row.state, sizeof(e->row.state), "failed");
		rc = db_backup_delete_failed(jobs->db, e->row.desktop_id, e->row.id, err);
	}
	if (rc == 0)
		rc = db_backup_put(jobs->db, &e->row, err);
	for (size_t i = 0; rc == 0 && !is_silent && i < PST_ARRAY_LEN(events); i++) {
		if (strcmp(events[i].kind, e->row.job_kind) == 0)
			rc = audit(jobs, e, events[i].event, err);
	}
	return rc;
}

static int removed_write(struct backup_jobs *jobs, const struct ending *e, struct pst_err *err)
{
	json_t *file;
	size_t i;
	int rc = 0;

	json_array_foreach(json_object_get(e->msg, "removed"), i, file) {
		if (rc == 0 && json_is_string(file))
			rc = db_backup_delete_file(jobs->db, e->row.desktop_id, json_string_value(file), err);
	}
	return rc;
}

static int made_read(struct ending *e, struct pst_err *err)
{
	const json_t *made = json_object_get(e->msg, "made");
	const char *file = pst_json_str(made, "id", DB_BACKUP_FILE_SIZE - 1), *parent = pst_json_str(made, "parent", DB_BACKUP_FILE_SIZE - 1);
	const char *kind = pst_json_str(made, "kind", 15), *reason = pst_json_str(made, "reason", 31), *store = pst_json_str(e->msg, "datastore", 63);
	struct backup_row *r = &e->row;

	e->is_nothing = json_is_null(made);
	if (e->is_nothing)
		return 0;
	if (!file || !*file || !kind || !reason || !store || (strcmp(kind, "full") != 0 && strcmp(kind, "incremental") != 0))
		return pst_err_set(err, PST_EPROTO, "the provisioner does not say what it has made");
	pst_strlcpy(r->file, sizeof(r->file), file);
	pst_strlcpy(r->parent, sizeof(r->parent), parent ? parent : "");
	pst_strlcpy(r->kind, sizeof(r->kind), kind);
	pst_strlcpy(r->reason, sizeof(r->reason), reason);
	pst_strlcpy(r->datastore, sizeof(r->datastore), store);
	pst_strlcpy(r->state, sizeof(r->state), "ready");
	r->made = pst_json_int(made, "made_ms", 0, INT64_MAX, 0);
	r->bytes = pst_json_int(made, "bytes", 0, INT64_MAX, 0);
	r->disk_size = pst_json_int(made, "disk_size", 0, INT64_MAX, 0);
	return 0;
}

static int backup_done(struct backup_jobs *jobs, struct ending *e, struct pst_err *err)
{
	if (made_read(e, err) < 0 || removed_write(jobs, e, err) < 0)
		return err->code;
	if (e->is_nothing)
		return db_backup_delete(jobs->db, e->row.id, err);
	if (db_backup_delete_failed(jobs->db, e->row.desktop_id, "", err) < 0 || db_backup_put(jobs->db, &e->row, err) < 0)
		return err->code;
	return audit(jobs, e, "backup.made", err);
}

static int done_write(struct backup_jobs *jobs, struct ending *e, struct pst_err *err)
{
	if (e->is_backup)
		return backup_done(jobs, e, err);
	if (strcmp(e->row.job_kind, "remove") == 0) {
		if (removed_write(jobs, e, err) < 0 || db_backup_delete(jobs->db, e->row.id, err) < 0)
			return err->code;
		return audit(jobs, e, "backup.removed", err);
	}
	if (db_backup_put(jobs->db, &e->row, err) < 0 || db_snapshot_delete(jobs->db, e->row.desktop_id, "", err) < 0)
		return err->code;
	return audit(jobs, e, "backup.restored", err);
}

static int ending_write(struct backup_jobs *jobs, struct ending *e, const char *error, struct pst_err *err)
{
	int rc = db_begin(jobs->db, err);

	if (rc < 0)
		return rc;
	rc = error ? failed_write(jobs, e, err) : done_write(jobs, e, err);
	if (rc == 0)
		rc = db_commit(jobs->db, err);
	if (rc < 0)
		db_rollback(jobs->db);
	return rc;
}

/* Its disk lies ready: the desktop comes back for whoever had it, as out of the recycle bin. */
static int desktop_bring(struct backup_jobs *jobs, const struct backup_row *r, struct pst_err *err)
{
	struct recycled_row was = {.epoch = r->epoch}, tomb;
	struct pst_err why = PST_ERR_INIT, ignored = PST_ERR_INIT;
	int rc;

	pst_strlcpy(was.id, sizeof(was.id), r->desktop_id);
	pst_strlcpy(was.name, sizeof(was.name), r->desktop);
	pst_strlcpy(was.pool_id, sizeof(was.pool_id), r->pool_id);
	pst_strlcpy(was.pool, sizeof(was.pool), r->pool);
	pst_strlcpy(was.provider_id, sizeof(was.provider_id), r->provider_id);
	pst_strlcpy(was.image_id, sizeof(was.image_id), r->image_id);
	pst_strlcpy(was.image_version, sizeof(was.image_version), r->version);
	pst_strlcpy(was.user_id, sizeof(was.user_id), r->user_id);
	pst_strlcpy(was.user, sizeof(was.user), r->user);
	/* An epoch never falls. */
	if (db_recycled_desktop(jobs->db, r->desktop_id, &tomb, &ignored) == 0)
		was.epoch = PST_MAX(was.epoch, tomb.epoch);
	rc = jobs->ops->restore(jobs->arg, &was, &why);
	/* It came back, and a crash, or a full disk, was before the row was written. */
	if (rc == 0 || (rc == PST_ECONFLICT && jobs->ops->can_back_up(jobs->arg, r->desktop_id)))
		return 0;
	pst_warn("desktop=%s does not come back: %s", r->desktop_id, why.text);
	return pst_err_pass(err, rc, &why);
}

int backup_jobs_end(struct backup_jobs *jobs, struct backup_working *w, const json_t *msg, const char *code, const char *error,
	struct pst_err *err)
{
	struct ending e = {.row = w->row, .msg = msg, .is_backup = strcmp(w->row.job_kind, "backup") == 0};
	struct pst_err why = PST_ERR_INIT;
	int rc;

	/* Before it is written: a crash in between asks again. */
	if (!error && strcmp(w->row.job_kind, "rebuild") == 0 && desktop_bring(jobs, &w->row, &why) < 0) {
		code = pst_code_word(why.code);
		error = why.text;
	}
	e.row.updated = pst_wall_ms();
	pst_strlcpy(e.row.job_state, sizeof(e.row.job_state), error ? "failed" : "done");
	pst_strlcpy(e.row.error_code, sizeof(e.row.error_code), code ? code : "");
	pst_strlcpy(e.row.error, sizeof(e.row.error), error ? error : "");
	rc = ending_write(jobs, &e, error, err);
	if (rc < 0)
		return rc;
	backup_jobs_drop(jobs, w);
	jobs->ops->changed(jobs->arg, "desktop", e.row.desktop_id);
	return 0;
}
