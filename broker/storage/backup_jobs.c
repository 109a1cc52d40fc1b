/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking for back-ups, and hearing how they go; how they end is backup_end.c. */
#include "broker/storage/backup_priv.h"
#include "broker/storage/backup_row.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "db/db.h"
#include "db/image.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP_MS 60000
#define AGAIN_MS 10000 /* after a provisioner that was busy */

struct question {
	struct question *next;
	struct backup_jobs *jobs; /* NULL: they are gone */
	char id[DB_ID_SIZE];      /* of the job */
};

static void timer_cb(void *arg);

static struct backup_working *find(const struct backup_jobs *jobs, const char *job_id)
{
	struct backup_working *w = jobs->first;

	while (w && strcmp(w->row.job_id, job_id) != 0)
		w = w->next;
	return w;
}

static struct backup_working *find_backup(const struct backup_jobs *jobs, const char *id)
{
	struct backup_working *w = jobs->first;

	while (w && strcmp(w->row.id, id) != 0)
		w = w->next;
	return w;
}

static struct backup_working *add(struct backup_jobs *jobs, const struct backup_row *row)
{
	struct backup_working *w = pst_zalloc(1, sizeof(*w)), **at = &jobs->first;

	if (!w)
		return NULL; /* its row has it: the next start asks for it */
	w->row = *row;
	pst_strlcpy(w->step, sizeof(w->step), "waiting");
	while (*at)
		at = &(*at)->next;
	*at = w;
	return w;
}

void backup_jobs_drop(struct backup_jobs *jobs, struct backup_working *w)
{
	struct backup_working **at = &jobs->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}

static void load_one(const struct backup_row *row, void *arg)
{
	add(arg, row);
}

struct backup_jobs *backup_jobs_create(uv_loop_t *loop, struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err)
{
	struct backup_jobs *jobs = pst_zalloc(1, sizeof(*jobs));

	if (jobs) {
		jobs->db = db;
		jobs->ops = ops;
		jobs->arg = arg;
		jobs->timer = pst_timer_create(loop);
	}
	if (!jobs || !jobs->timer) {
		backup_jobs_destroy(jobs);
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	if (db_backup_running(db, load_one, jobs, err) == 0) {
		pst_timer_start(jobs->timer, SWEEP_MS, timer_cb, jobs);
		return jobs;
	}
	backup_jobs_destroy(jobs);
	return NULL;
}

void backup_jobs_destroy(struct backup_jobs *jobs)
{
	if (!jobs)
		return;
	while (jobs->first)
		backup_jobs_drop(jobs, jobs->first);
	for (struct question *q = jobs->questions; q; q = q->next)
		q->jobs = NULL;
	pst_timer_destroy(jobs->timer);
	free(jobs);
}

/* --- asking -------------------------------------------------------------------------------- */

static void wish_add(struct backup_jobs *jobs, const struct backup_row *r, json_t *msg)
{
	struct backup_wish w = {.full_every_d = 7, .keep_d = 30, .chain = 14};
	struct pst_err ignored = PST_ERR_INIT;

	(void)db_backup_wish_get(jobs->db, r->pool_id, &w, &ignored);
	/* Asked for by somebody, it is due. */
	json_object_set_new(msg, "every_h", json_integer(r->by_hand ? 0 : w.every_h));
	json_object_set_new(msg, "full_every_d", json_integer(w.full_every_d));
	json_object_set_new(msg, "keep_d", json_integer(w.keep_d));
	json_object_set_new(msg, "chain", json_integer(w.chain));
}

static json_t *job_json(struct backup_jobs *jobs, const struct backup_row *r)
{
	json_t *msg = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "op", "backup", "kind", r->job_kind, "task", r->job_id, "desktop",
		r->desktop_id, "provider", r->provider, "datastore", r->datastore, "name", r->desktop, "pool", r->pool, "user", r->user, "image", r->image,
		"version", r->version);
	struct pst_err ignored = PST_ERR_INIT;
	struct version_row v;

	if (!msg)
		return NULL;
	if (r->file[0])
		json_object_set_new(msg, "backup", json_string(r->file));
	if (strcmp(r->job_kind, "backup") == 0)
		wish_add(jobs, r, msg);
	else if (strcmp(r->job_kind, "remove") != 0 && db_version_get(jobs->db, r->image_id, r->version, &v, &ignored) == 0 && v.base[0] == '/')
		json_object_set_new(msg, "base", json_string(v.base));
	return msg;
}

static bool is_passing(int code)
{
	return code == PST_EBUSY || code == PST_ENOMEM || code == PST_ECLOSED || code == PST_ETIMEOUT;
}

/* It was not taken: not now, or never. */
static void refused(struct backup_jobs *jobs, struct backup_working *w, const struct pst_err *why)
{
	struct pst_err err = PST_ERR_INIT;

	if (is_passing(why->code)) {
		w->is_asked = false;
		pst_timer_start(jobs->timer, AGAIN_MS, timer_cb, jobs);
	} else if (backup_jobs_end(jobs, w, NULL, pst_code_word(why->code), why->text, &err) < 0) {
		pst_warn("the end of a back-up is not written yet: %s", err.text);
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
	struct backup_working *w = q->jobs ? find(q->jobs, q->id) : NULL;

	pst_fd_close(&fd);
	if (w && rc < 0)
		refused(q->jobs, w, &err);
	if (q->jobs)
		question_free(q);
	else
		free(q);
}

static void ask(struct backup_jobs *jobs, struct backup_working *w)
{
	struct question *q = jobs->is_connected && !w->is_asked ? pst_zalloc(1, sizeof(*q)) : NULL;

	if (!q)
		return;
	q->jobs = jobs;
	q->next = jobs->questions;
	jobs->questions = q;
	memcpy(q->id, w->row.job_id, sizeof(q->id));
	if (jobs->ops->ask(jobs->arg, job_json(jobs, &w->row), asked_cb, q))
		w->is_asked = true;
	else
		question_free(q);
}

static void ask_all(struct backup_jobs *jobs)
{
	for (struct backup_working *w = jobs->first; w; w = w->next)
		ask(jobs, w);
}

void backup_jobs_begin(struct backup_jobs *jobs, const struct backup_row *row)
{
	struct backup_working *w = add(jobs, row);

	if (w)
		ask(jobs, w);
	jobs->ops->changed(jobs->arg, "desktop", row->desktop_id);
}

bool backup_jobs_cancel(struct backup_jobs *jobs, const char *id)
{
	struct backup_working *w = find_backup(jobs, id);
	struct pst_err err = PST_ERR_INIT;

	if (!w)
		return false;
	if (w->is_asked && jobs->ops->ask(jobs->arg, json_pack("{s:s, s:s}", "op", "backup_cancel", "task", w->row.job_id), NULL, NULL))
		return true;
	/* Nobody works on it now. */
	return backup_jobs_end(jobs, w, NULL, "closed", "it was cancelled", &err) == 0;
}

void backup_jobs_connected(struct backup_jobs *jobs)
{
	jobs->is_connected = true;
	ask_all(jobs);
	backup_jobs_sweep(jobs);
}

void backup_jobs_gone(struct backup_jobs *jobs)
{
	jobs->is_connected = false;
	for (struct backup_working *w = jobs->first; w; w = w->next) {
		w->is_asked = false;
		w->percent = 0;
		pst_strlcpy(w->step, sizeof(w->step), "waiting");
		jobs->ops->changed(jobs->arg, "desktop", w->row.desktop_id);
	}
}

/* --- hearing ---------------------------------------------------------------------------------- */

static void progress_take(struct backup_jobs *jobs, struct backup_working *w, const json_t *msg)
{
	static const char *const steps[] = {"waiting", "copying", "storing", "checking"};
	const char *step = pst_json_str(msg, "step", sizeof(w->step) - 1);

	for (size_t i = 0; step && i < PST_ARRAY_LEN(steps); i++) {
		if (strcmp(steps[i], step) == 0)
			pst_strlcpy(w->step, sizeof(w->step), step);
	}
	w->percent = (int)pst_json_int(msg, "percent", 0, 100, w->percent);
	jobs->ops->changed(jobs->arg, "desktop", w->row.desktop_id);
}

/* What could not be written (a full disk) is asked for again, and met by what is done. */
static int ended(struct backup_jobs *jobs, struct backup_working *w, const json_t *msg, const char *code, const char *error, struct pst_err *err)
{
	int rc = backup_jobs_end(jobs, w, msg, code, error, err);

	if (rc < 0) {
		w->is_asked = false;
		pst_timer_start(jobs->timer, AGAIN_MS, timer_cb, jobs);
	}
	return rc;
}

int backup_jobs_told(struct backup_jobs *jobs, const json_t *msg, struct pst_err *err)
{
	const char *task = pst_json_str(msg, "task", DB_ID_SIZE - 1), *state = pst_json_str(msg, "state", 16), *code, *error;
	struct backup_working *w = task ? find(jobs, task) : NULL;

	if (!w || !state)
		return 0; /* it ended here already */
	if (strcmp(state, "done") == 0)
		return ended(jobs, w, msg, NULL, NULL, err);
	if (strcmp(state, "failed") != 0) {
		progress_take(jobs, w, msg);
		return 0;
	}
	code = pst_json_str(json_object_get(msg, "error"), "code", 64);
	error = pst_json_str(json_object_get(msg, "error"), "title", 512);
	return ended(jobs, w, NULL, code ? code : "internal", error ? error : "the provisioner gave no reason", err);
}

bool backup_jobs_progress(const struct backup_jobs *jobs, const char *id, const char **ret_step, int *ret_percent)
{
	const struct backup_working *w = find_backup(jobs, id);

	if (!w)
		return false;
	*ret_step = w->step;
	*ret_percent = w->percent;
	return true;
}

/* --- those that are due ------------------------------------------------------------------------ */

struct due {
	char ids[BACKUP_JOBS_ASKED][DB_ID_SIZE];
	size_t n;
};

static void due_add(const char *desktop_id, void *arg)
{
	struct due *d = arg;

	if (d->n < BACKUP_JOBS_ASKED)
		pst_strlcpy(d->ids[d->n++], DB_ID_SIZE, desktop_id);
}

static void due_begin(struct backup_jobs *jobs, const char *desktop_id)
{
	struct pst_err err = PST_ERR_INIT;
	struct backup_row row;
	int rc;

	if (!jobs->ops->can_back_up(jobs->arg, desktop_id))
		return;
	rc = db_backup_of_desktop(jobs->db, desktop_id, &row, &err);
	if (rc == 0) {
		backup_row_begin(&row, "backup", NULL);
		rc = db_backup_put(jobs->db, &row, &err);
	}
	if (rc < 0)
		pst_warn("a back-up of desktop=%s is not begun: %s", desktop_id, err.text);
	else
		backup_jobs_begin(jobs, &row);
}

static size_t by_themselves(const struct backup_jobs *jobs)
{
	size_t n = 0;

	for (const struct backup_working *w = jobs->first; w; w = w->next)
		n += strcmp(w->row.job_kind, "backup") == 0 && !w->row.by_hand;
	return n;
}

void backup_jobs_sweep(struct backup_jobs *jobs)
{
	size_t at_work = by_themselves(jobs);
	struct pst_err err = PST_ERR_INIT;
	struct due due = {.n = 0};

	if (!jobs->is_connected || at_work >= BACKUP_JOBS_ASKED || db_in_transaction(jobs->db))
		return;
	if (db_backup_due(jobs->db, pst_wall_ms(), (int)(BACKUP_JOBS_ASKED - at_work), due_add, &due, &err) < 0)
		pst_warn("which back-ups are due is not known: %s", err.text);
	for (size_t i = 0; i < due.n; i++)
		due_begin(jobs, due.ids[i]);
}

static void timer_cb(void *arg)
{
	struct backup_jobs *jobs = arg;

	ask_all(jobs);
	backup_jobs_sweep(jobs);
	pst_timer_start(jobs->timer, SWEEP_MS, timer_cb, jobs);
}
