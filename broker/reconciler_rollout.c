/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Versions on their way to the pools: the calls, and their rows to state and back.
 */
#include "broker/reconciler_rollout.h"

#include "broker/reconciler_priv.h"
#include "db/image.h"
#include "db/rollout.h"

#include <string.h>

/* ---- rows to state ---- */

struct load {
	struct db *db;
	struct core_state *st;
	struct pst_err *err;
};

/* A broker that died between the end of a version and its being forgotten. */
static bool is_gone(struct db *db, const struct db_rollout *row)
{
	struct version_row v;
	int rc = row->previous[0] ? db_version_get(db, row->image_id, row->previous, &v, NULL) : 0;

	return rc == PST_ENOTFOUND || (rc == 0 && row->previous[0] && !strcmp(v.state, "retired"));
}

static int load_rollout(void *arg, const struct db_rollout *row)
{
	struct load *l = arg;
	struct core_rollout *ro = state_add_rollout(l->st);

	if (!ro)
		return pst_err_set(l->err, PST_ELIMIT, "too many roll-outs, or no memory");
	CORE_COPY(ro->id, row->id);
	CORE_COPY(ro->image_id, row->image_id);
	CORE_COPY(ro->version, row->version);
	CORE_COPY(ro->previous, is_gone(l->db, row) ? "" : row->previous);
	CORE_COPY(ro->by, row->by);
	rollout_phase_parse(row->phase, &ro->phase);
	ro->paused = row->paused;
	ro->plan = (struct rollout_plan){ .canary = (int)row->canary,
		.canary_s = (int)row->canary_s,
		.unavailable = (int)row->unavailable,
		.failures = (int)row->max_failures,
		.samples = (int)row->samples,
		.slower = (int)row->slower,
		.kept = row->kept,
		.force_wall = row->force_at };
	ro->tries = (int)row->tries;
	ro->failures = (int)row->failures;
	ro->logons = (int)row->logons;
	ro->logons_failed = (int)row->logons_failed;
	CORE_COPY(ro->reason.code, row->reason.code);
	CORE_COPY(ro->reason.en, row->reason.en);
	CORE_COPY(ro->reason.es, row->reason.es);
	ro->created_wall = row->created;
	ro->since_wall = row->since;
	return 0;
}

static int load_time(void *arg, const struct db_time *row)
{
	struct load *l = arg;
	enum timing_kind kind;

	if (timing_kind_parse(row->kind, &kind))
		timing_add(l->st, row->image_id, row->version, kind, (int)row->ms);
	return 0;
}

int reconciler_load_rollouts(struct db *db, struct core_state *st, struct pst_err *err)
{
	struct load l = { db, st, err };
	int rc = db_rollout_each_last(db, load_rollout, &l, err);

	return rc == 0 ? db_time_each(db, load_time, &l, err) : rc;
}

/* ---- state to rows ---- */

static int write_row(
	struct reconciler *r, const struct core_rollout *ro, const struct core_now *now, struct pst_err *err)
{
	struct db_rollout row = {
		.paused = ro->paused,
		.kept = ro->plan.kept,
		.canary = ro->plan.canary,
		.canary_s = ro->plan.canary_s,
		.unavailable = ro->plan.unavailable,
		.max_failures = ro->plan.failures,
		.samples = ro->plan.samples,
		.slower = ro->plan.slower,
		.force_at = ro->plan.force_wall,
		.tries = ro->tries,
		.failures = ro->failures,
		.logons = ro->logons,
		.logons_failed = ro->logons_failed,
		.created = ro->created_wall,
		.since = ro->since_wall,
		.updated = now->wall_ms,
	};

	CORE_COPY(row.id, ro->id);
	CORE_COPY(row.image_id, ro->image_id);
	CORE_COPY(row.version, ro->version);
	CORE_COPY(row.previous, ro->previous);
	CORE_COPY(row.phase, rollout_phase_text(ro->phase));
	CORE_COPY(row.by, ro->by);
	CORE_COPY(row.reason.code, ro->reason.code);
	CORE_COPY(row.reason.en, ro->reason.en);
	CORE_COPY(row.reason.es, ro->reason.es);
	return db_rollout_put(r->db, &row, err);
}

static int write_time(struct reconciler *r, const struct core_change *ch, struct pst_err *err)
{
	struct db_time row = { .ms = ch->number };

	CORE_COPY(row.image_id, ch->desktop_id);
	CORE_COPY(row.version, ch->text);
	CORE_COPY(row.kind, ch->code);
	return db_time_add(r->db, &row, err);
}

static int write_version(
	struct reconciler *r, const struct core_change *ch, const struct core_now *now, struct pst_err *err)
{
	int64_t verified = strcmp(ch->code, "ready") == 0 ? now->wall_ms : 0;
	struct pst_err why = PST_ERR_INIT;
	int rc = db_version_set_state(r->db, ch->desktop_id, ch->text, ch->code, verified, now->wall_ms, &why);

	if (rc == PST_ENOTFOUND)
		return 0; /* somebody has removed it */
	return pst_err_pass(err, rc, &why);
}

int reconciler_write_rollout(
	struct reconciler *r, const struct core_change *ch, const struct core_now *now, struct pst_err *err)
{
	const struct core_rollout *ro = state_rollout(&r->st, ch->desktop_id);

	if (ch->kind == CHANGE_PUBLISHED)
		return db_image_set_published(r->db, ch->desktop_id, ch->text, now->wall_ms, err);
	if (ch->kind == CHANGE_VERSION)
		return write_version(r, ch, now, err);
	if (ch->kind == CHANGE_TIMING)
		return write_time(r, ch, err);
	return ro ? write_row(r, ro, now, err) : 0;
}

/* ---- the calls ---- */

int reconciler_publish(struct reconciler *r, const char *image, const char *version,
	const struct rollout_plan *plan, const struct core_actor *by, struct pst_err *err)
{
	struct core_rollout wish = { .plan = *plan };
	struct core_event ev = { .kind = EVENT_PUBLISH, .rollout = &wish, .by = by };
	struct version_row v;
	int rc = db_version_get(r->db, image, version, &v, err);

	if (rc < 0)
		return rc;
	if (strcmp(v.state, "ready") != 0 && strcmp(v.state, "failed") != 0)
		return pst_err_set(err, PST_ECONFLICT, "the version '%s' is %s: publish one that is ready",
			v.version, v.state);
	CORE_COPY(wish.image_id, image);
	CORE_COPY(wish.version, version);
	/* One that has failed may have been repaired: it is tried again. */
	ev.on = v.verified && strcmp(v.state, "ready") == 0;
	return round_run(r, &ev, err);
}

int reconciler_rollout(struct reconciler *r, const char *image, enum rollout_act act,
	const struct core_actor *by, struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_ROLLOUT, .word = image, .act = act, .by = by };

	return round_run(r, &ev, err);
}

int reconciler_version_ended(
	struct reconciler *r, const char *image, const char *version, struct pst_err *err)
{
	struct core_event ev = {
		.kind = EVENT_ROLLOUT, .word = image, .text = version, .act = ROLLOUT_FORGET
	};

	return round_run(r, &ev, err);
}
