/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back-ups of desktops: what there is, one more now, back with one, an end to a chain. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/page.h"
#include "broker/api/words.h"
#include "broker/core/foreign.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "broker/storage/backup_jobs.h"
#include "broker/storage/backup_row.h"
#include "broker/storage/datastores.h"
#include "db/db.h"
#include "db/image.h"

#include <string.h>

#define LIST_MAX 500

/* --- what is shown --------------------------------------------------------------------- */

static json_t *job_json(struct api *api, const struct backup_row *b)
{
	char es[DB_LONG_SIZE];
	const char *step = b->job_state;
	int percent = strcmp(b->job_state, "done") == 0 ? 100 : 0;

	backup_jobs_progress(api->backup_jobs, b->id, &step, &percent);
	if (!foreign_spanish(b->error, es, sizeof(es)) && !words_spanish(b->error, NULL, es, sizeof(es)))
		pst_strlcpy(es, sizeof(es), b->error);
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:o}", "kind", b->job_kind, "state", b->job_state, "step", step, "percent", percent, "by",
		b->job_by, "error", b->error, "error_es", es, "updated", json_time(b->updated));
}

static json_t *backup_json(struct api *api, const struct backup_row *b)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:o, s:o, s:o, s:o}", "id", b->id, "state", b->state, "desktop",
		json_ref(b->desktop_id, b->desktop), "pool", json_ref(b->pool_id, b->pool), "user", json_ref(b->user_id, b->user), "image",
		json_ref(b->image_id, b->image), "image_version", b->version, "datastore", b->datastore, "kind", b->kind, "reason", b->reason,
		"by_hand", (int)b->by_hand, "is_there", (int)(state_desktop(reconciler_state(api->rec), b->desktop_id) != NULL), "bytes",
		(json_int_t)b->bytes, "disk_size", (json_int_t)b->disk_size, "made", json_time(b->made), "created", json_time(b->created), "updated",
		json_time(b->updated), "job", job_json(api, b));
}

struct list {
	struct api *api;
	json_t *items;
};

static void add(const struct backup_row *b, void *arg)
{
	struct list *l = arg;

	json_array_append_new(l->items, backup_json(l->api, b));
}

static void list_answer(struct api_call *call, const char *desktop_id, const char *part)
{
	struct list l = {.api = call->api, .items = json_array()};
	struct pst_err err = PST_ERR_INIT;

	if (db_backup_list(call->api->db, desktop_id, part, LIST_MAX, add, &l, &err) == 0) {
		call_ok(call, 200, json_pack("{s:o, s:n}", "items", l.items, "next"));
		return;
	}
	json_decref(l.items);
	call_error(call, &err);
}

void api_backup_list(struct api_call *call)
{
	list_answer(call, "", call_query(call, "q"));
}

void api_desktop_backups(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);

	if (d)
		list_answer(call, d->id, "");
}

/* --- what is done ------------------------------------------------------------------------ */

static bool row_find(struct api_call *call, struct backup_row *ret)
{
	struct pst_err err = PST_ERR_INIT;

	if (db_backup_get(call->api->db, call->params[0], ret, &err) == 0)
		return true;
	call_error(call, &err);
	return false;
}

void api_backup_get(struct api_call *call)
{
	struct backup_row b;

	if (row_find(call, &b))
		call_ok(call, 200, backup_json(call->api, &b));
}

/* Two jobs about one disk would spoil each other. */
static bool is_idle(struct api_call *call, const char *desktop_id, const char *name)
{
	struct pst_err err = PST_ERR_INIT;
	int busy = 0;

	if (db_backup_busy(call->api->db, desktop_id, &busy, &err) < 0)
		call_error(call, &err);
	else if (busy)
		call_problem(call, "conflict", "a back-up of the desktop '%s' is being made, restored or removed: wait for its end, or cancel it", name);
	return !call_is_answered(call);
}

/* Its row, its event, and then the provisioner. */
static void begin(struct api_call *call, struct backup_row *b, const char *kind, const char *event)
{
	struct pst_err err = PST_ERR_INIT;
	char made[PST_RFC3339_SIZE] = "";

	if (write_begin(call) < 0)
		return;
	backup_row_begin(b, kind, call->who.user.user_name);
	if (b->made)
		pst_rfc3339(b->made, made);
	if (db_backup_put(call->api->db, b, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, event, "desktop", b->desktop_id, json_pack("{s:s, s:s}", "name", b->desktop, "made", made)) < 0)
		return;
	backup_jobs_begin(call->api->backup_jobs, b);
	call_ok(call, 202, backup_json(call->api, b));
}

static bool has_target(struct api_call *call)
{
	struct datastore_view v;

	for (size_t i = 0; datastores_view_at(call->api->datastores, i, &v); i++) {
		if (v.report && json_is_true(json_object_get(v.report, "backups")))
			return true;
	}
	call_problem(call, "conflict", "there is no datastore for back-ups: give one the role 'backups' in provisioner.conf");
	return false;
}

void api_desktop_backup(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	struct pst_err err = PST_ERR_INIT;
	struct backup_row b;

	if (!d)
		return;
	if (!desktop_carries(reconciler_state(call->api->rec), d, "backup")) {
		call_problem(call, "conflict", "the provider of the desktop '%s' makes no back-ups", d->name);
		return;
	}
	if (!has_target(call) || !is_idle(call, d->id, d->name))
		return;
	if (db_backup_of_desktop(call->api->db, d->id, &b, &err) < 0)
		call_error(call, &err);
	else
		begin(call, &b, "backup", "backup.asked");
}

/* It is off, and stands on what the back-up stands on. */
static void restore_same(struct api_call *call, struct backup_row *b, const struct core_desktop *d)
{
	if (d->x.power != POWER_OFF || d->t.id[0])
		call_problem(call, "conflict", "stop the desktop '%s' first: its disk is exchanged", d->name);
	else if (strcmp(d->image_id, b->image_id) != 0 || strcmp(d->image_version, b->version) != 0)
		call_problem(call, "conflict", "the back-up stands on version '%s' of its image and the desktop '%s' on another one: delete the desktop, "
			"then restore the back-up as a new one", b->version, d->name);
	else
		begin(call, b, "restore", "backup.restore_asked");
}

/* As out of the recycle bin: for the user who had it, in the pool that it was in. */
static void restore_gone(struct api_call *call, struct backup_row *b)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_pool *p = state_pool(st, b->pool_id);

	if (!p || p->deleting || !b->user_id[0])
		call_problem(call, "conflict", "the pool or the user of the desktop '%s' is no more", b->desktop);
	else if (state_lease(st, b->user_id, b->pool_id))
		call_problem(call, "conflict", "the user '%s' has another desktop of that pool by now: delete it first", b->user);
	else
		begin(call, b, "rebuild", "backup.restore_asked");
}

void api_backup_restore(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	const struct core_desktop *d;
	struct version_row v;
	struct backup_row b;

	if (!row_find(call, &b) || !is_idle(call, b.desktop_id, b.desktop))
		return;
	if (strcmp(b.state, "ready") != 0) {
		call_problem(call, "conflict", "there is nothing in that back-up: choose another one");
		return;
	}
	if (db_version_get(call->api->db, b.image_id, b.version, &v, &err) < 0) {
		call_problem(call, "conflict", "version '%s' of the image '%s', which the back-up stands on, is no more", b.version, b.image);
		return;
	}
	d = state_desktop(reconciler_state(call->api->rec), b.desktop_id);
	if (d)
		restore_same(call, &b, d);
	else
		restore_gone(call, &b);
}

void api_backup_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct backup_row b;

	if (!row_find(call, &b) || !is_idle(call, b.desktop_id, b.desktop))
		return;
	if (strcmp(b.state, "ready") == 0) {
		begin(call, &b, "remove", "backup.removal_asked");
		return;
	}
	/* It has no files. */
	if (write_begin(call) < 0)
		return;
	if (db_backup_delete(call->api->db, b.id, &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "backup.removed", "desktop", b.desktop_id, json_pack("{s:s}", "name", b.desktop)) == 0)
		call_empty(call);
}

void api_backup_cancel(struct api_call *call)
{
	struct backup_row b;

	if (!row_find(call, &b))
		return;
	if (strcmp(b.job_state, "running") != 0 || !backup_jobs_cancel(call->api->backup_jobs, b.id))
		call_problem(call, "conflict", "nothing is being done with that back-up");
	else if (write_event(call, "backup.cancelled", "desktop", b.desktop_id, json_pack("{s:s}", "name", b.desktop)) == 0)
		call_ok(call, 202, backup_json(call->api, &b));
}
