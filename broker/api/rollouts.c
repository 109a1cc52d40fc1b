/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions on their way to the pools: publish, look, pause, go on, take back; and the end of a version. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "broker/reconciler_rollout.h"
#include "db/backup.h"
#include "db/image.h"
#include "db/rollout.h"

#include <string.h>

#define MAX_S (365 * 86400)

/* --- what is shown ------------------------------------------------------------------ */

static json_t *ms_json(const int ms[2])
{
	return json_pack("{s:o, s:o}", "previous", ms[0] < 0 ? json_null() : json_integer(ms[0]), "version",
		ms[1] < 0 ? json_null() : json_integer(ms[1]));
}

static json_t *plan_json(const struct rollout_plan *p)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:o}", "canary", p->canary, "canary_s",
		p->canary_s, "unavailable", p->unavailable, "max_failures", p->failures, "samples",
		p->samples, "slower_percent", p->slower, "kept_disks", p->kept, "force_at",
		json_time(p->force_wall));
}

static json_t *progress_json(const struct rollout_view *v)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i}", "total", v->total, "updated", v->updated, "in_use",
		v->in_use, "free", v->free, "left_alone", v->left_alone);
}

json_t *api_rollout_json(struct api *api, const char *image_id)
{
	const struct core_state *st = reconciler_state(api->rec);
	const struct core_rollout *ro = state_rollout(st, image_id);
	struct rollout_view v;

	if (!ro || !rollout_view(st, image_id, &v))
		return json_null();
	return json_pack(
		"{s:s, s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:s, s:o, s:o}",
		"id", ro->id, "version", ro->version, "previous", json_text_or_null(ro->previous), "phase",
		rollout_phase_text(ro->phase), "live", rollout_is_live(ro), "paused", ro->paused, "reason",
		json_reason(v.reason.code, v.reason.en, v.reason.es), "plan", plan_json(&ro->plan),
		"progress", progress_json(&v), "failures", ro->failures, "logons", ro->logons,
		"logons_failed", ro->logons_failed, "create_ms", ms_json(v.ms[TIMING_CREATE]), "refresh_ms",
		ms_json(v.ms[TIMING_REFRESH]), "logon_ms", ms_json(v.ms[TIMING_LOGON]), "by", ro->by,
		"created", json_time(ro->created_wall), "since", json_time(ro->since_wall));
}

static void add_row(const struct db_rollout *r, void *arg)
{
	json_array_append_new(arg,
		json_pack("{s:s, s:s, s:o, s:s, s:b, s:o, s:s, s:o, s:o}", "id", r->id, "version", r->version,
			"previous", json_text_or_null(r->previous), "phase", r->phase, "paused", r->paused,
			"reason", json_reason(r->reason.code, r->reason.en, r->reason.es), "by", r->by,
			"created", json_time(r->created), "since", json_time(r->since)));
}

static void answer(struct api_call *call, const char *image_id)
{
	struct image_row i;

	if (db_image_get(call->api->db, image_id, &i, NULL) == 0)
		call->etag = i.rev;
	call_ok(call, 200, api_image_json(call->api, image_id));
}

void api_rollout_get(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct image_row i;
	json_t *history;

	if (image_find(call, &i) < 0)
		return;
	history = json_array();
	if (db_rollout_list(call->api->db, i.id, add_row, history, &err) < 0) {
		json_decref(history);
		call_error(call, &err);
		return;
	}
	call_ok(call, 200,
		json_pack("{s:o, s:o}", "rollout", api_rollout_json(call->api, i.id), "history", history));
}

/* --- publishing ------------------------------------------------------------------------ */

struct publish_body {
	char version[DB_WORD_SIZE], force_at[PST_RFC3339_SIZE + 8];
	struct rollout_plan plan;
};

static int read_body(struct api_call *call, struct publish_body *b)
{
	static const struct field table[] = {
		{ .name = "version",
			.kind = FIELD_SLUG,
			.required = true,
			FIELD(struct publish_body, version) },
		{ .name = "canary", .kind = FIELD_INT, FIELD(struct publish_body, plan.canary), .max = 100 },
		{ .name = "canary_s",
			.kind = FIELD_INT,
			FIELD(struct publish_body, plan.canary_s),
			.max = MAX_S },
		{ .name = "unavailable",
			.kind = FIELD_INT,
			FIELD(struct publish_body, plan.unavailable),
			.min = 1,
			.max = 10000 },
		{ .name = "max_failures",
			.kind = FIELD_INT,
			FIELD(struct publish_body, plan.failures),
			.min = 1,
			.max = 10000 },
		{ .name = "samples",
			.kind = FIELD_INT,
			FIELD(struct publish_body, plan.samples),
			.min = 1,
			.max = TIMING_SAMPLES },
		{ .name = "slower_percent",
			.kind = FIELD_INT,
			FIELD(struct publish_body, plan.slower),
			.max = 10000 },
		{ .name = "kept_disks", .kind = FIELD_BOOL, FIELD(struct publish_body, plan.kept) },
		{ .name = "force_at",
			.kind = FIELD_TEXT,
			FIELD(struct publish_body, force_at),
			.max = PST_RFC3339_SIZE },
	};

	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), b, NULL) < 0)
		return -1;
	if (!b->force_at[0] || pst_rfc3339_parse(b->force_at, &b->plan.force_wall) == 0)
		return 0;
	call_field(call, "force_at", "force_at: use a time as 2026-12-01T18:00:00.000Z");
	return -1;
}

void api_image_publish(struct api_call *call)
{
	struct publish_body b = { .plan = { .unavailable = 1, .failures = 3, .samples = 10, .slower = 200 } };
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;
	struct image_row i;
	int rc;

	if (image_find(call, &i) < 0 || !write_if_match(call, i.rev) || read_body(call, &b) < 0)
		return;
	call_actor(call, &by);
	rc = reconciler_publish(call->api->rec, i.id, b.version, &b.plan, &by, &err);
	if (rc == PST_ENOTFOUND)
		call_field(call, "version", "version: %s", err.text);
	else if (rc == PST_ECONFLICT)
		call_problem(call, "conflict", "%s", err.text);
	else if (rc < 0)
		call_error(call, &err);
	else
		answer(call, i.id);
}

void api_rollout_act(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	enum rollout_act act;
	struct core_actor by;
	struct image_row i;

	if (image_find(call, &i) < 0)
		return;
	if (!rollout_act_parse(call->params[1], &act)) {
		call_problem(call, "not_found", "use pause, continue or rollback");
		return;
	}
	call_actor(call, &by);
	if (reconciler_rollout(call->api->rec, i.id, act, &by, &err) < 0)
		call_problem(call, err.code == PST_ECONFLICT ? "conflict" : "unavailable", "%s", err.text);
	else
		answer(call, i.id);
}

/* --- the end of a version -------------------------------------------------------------- */

/* Nothing new may be made of it: it is neither published, nor on its way, nor named by a pool. */
static bool is_at_rest(
	struct api_call *call, const struct image_row *i, const char *version, bool also_desktops)
{
	const struct core_rollout *ro = state_rollout(reconciler_state(call->api->rec), i->id);
	struct pst_err err = PST_ERR_INIT;
	struct db_users users;

	if (strcmp(i->published, version) == 0) {
		call_problem(call, "in_use",
			"the version '%s' is the published one: publish another one first", version);
		return false;
	}
	if (ro && rollout_is_live(ro) && strcmp(ro->version, version) == 0) {
		call_problem(
			call, "in_use", "the version '%s' is being rolled out: take it back first", version);
		return false;
	}
	if (db_version_users(call->api->db, i->id, version, &users, &err) < 0) {
		call_error(call, &err);
		return false;
	}
	if (!also_desktops)
		users.desktops[0] = '\0';
	return write_is_free(call, &users);
}

static int find_version(struct api_call *call, struct image_row *i, struct version_row *v)
{
	struct pst_err err = PST_ERR_INIT;

	if (image_find(call, i) < 0)
		return -1;
	if (db_version_get(call->api->db, i->id, call->params[1], v, &err) == 0)
		return 0;
	call_error(call, &err);
	return -1;
}

static void answer_end(struct api_call *call, const struct image_row *i, const char *version, bool gone)
{
	struct pst_err err = PST_ERR_INIT;

	if (reconciler_version_ended(call->api->rec, i->id, version, &err) < 0)
		call_error(call, &err);
	else if (gone)
		call_empty(call);
	else
		answer(call, i->id);
}

static void end_version(
	struct api_call *call, const struct image_row *i, const struct version_row *v, bool gone)
{
	json_t *detail = json_pack("{s:s}", "version", v->version);
	struct pst_err err = PST_ERR_INIT;
	int rc;

	if (write_begin(call) < 0) {
		json_decref(detail);
		return;
	}
	rc = gone ? db_version_delete(call->api->db, i->id, v->version, &err)
		  : db_version_set_state(call->api->db, i->id, v->version, "retired", 0, pst_wall_ms(), &err);
	if (rc < 0) {
		json_decref(detail);
		write_fail(call, &err);
	} else if (write_commit(call, gone ? "image.version_removed" : "image.version_retired", "image",
			   i->id, detail) == 0) {
		answer_end(call, i, v->version, gone);
	}
}

void api_version_retire(struct api_call *call)
{
	struct version_row v;
	struct image_row i;

	if (find_version(call, &i, &v) < 0 || !is_at_rest(call, &i, v.version, false))
		return;
	end_version(call, &i, &v, false);
}

static bool has_no_backups(struct api_call *call, const struct image_row *i, const char *version)
{
	struct pst_err err = PST_ERR_INIT;
	int n = 0;

	if (db_backup_of_version(call->api->db, i->id, version, &n, &err) < 0)
		call_error(call, &err);
	else if (n > 0)
		call_problem(call, "in_use", "back-ups of desktops stand on the version '%s': remove those %d first", version, n);
	return !call_is_answered(call);
}

/* Files on a datastore go first, and the version with them; without any it is a row that nobody needs. */
void api_version_remove(struct api_call *call)
{
	struct version_row v;
	struct image_row i;

	if (find_version(call, &i, &v) < 0 || !is_at_rest(call, &i, v.version, true) || !has_no_backups(call, &i, v.version))
		return;
	if (api_version_files_remove(call, &i, &v))
		return;
	if (strcmp(v.state, "ready") == 0)
		call_problem(call, "conflict", "the version '%s' is ready: retire it first", v.version);
	else
		end_version(call, &i, &v, true);
}
