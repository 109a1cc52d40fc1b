/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The modelled administrator of desktops and pools: restarts, refreshes, deletes, logs off, stops, moves, drains, takes
 * users their right, changes pools, and brings deleted desktops back. Nothing of it may break what holds without him,
 * and what came back is not lost again by the broker's own doing.
 */
#include "tests/sim/sim_admin.h"
#include "tests/sim/sim_host.h"

#include "broker/core/core_priv.h"
#include "db/recycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct core_state *state(const struct world *w)
{
	return reconciler_state(w->rec);
}

/* ---- the recycle bin, as the host has it ---- */

static struct binned *bin_find(struct world *w, const char *id)
{
	for (int i = 0; i < BIN_MAX; i++)
		if (w->bin[i].id[0] && !strcmp(w->bin[i].id, id))
			return &w->bin[i];
	return NULL;
}

void bin_put(struct world *w, const struct machine *m)
{
	struct binned *b = bin_find(w, m->id);

	if (!b)
		b = &w->bin[w->binned++ % BIN_MAX]; /* the oldest goes */
	*b = (struct binned){ .disk_owner = m->disk_owner };
	CORE_COPY(b->id, m->id);
	CORE_COPY(b->version, m->version);
}

bool bin_has(const struct world *w, const struct message *cmd)
{
	struct world *any = (struct world *)w;

	return !cmd->restores || machine_find(any, cmd->desktop) || bin_find(any, cmd->desktop);
}

void bin_take(struct world *w, struct machine *m)
{
	struct binned *b = bin_find(w, m->id);

	if (!b)
		return;
	m->disk_owner = b->disk_owner;
	CORE_COPY(m->version, b->version);
	b->id[0] = '\0';
}

/* ---- what came back ---- */

static struct restored *restored_find(const struct world *w, const char *id)
{
	for (int i = 0; i < w->restored_count; i++)
		if (!strcmp(w->restored[i].id, id))
			return (struct restored *)&w->restored[i];
	return NULL;
}

static void excuse(struct world *w, const char *desktop)
{
	struct restored *r = restored_find(w, desktop);

	if (r)
		r->is_excused = true;
}

/* A version that an administrator forces upon everybody, or that he wants on kept disks too. */
static bool is_forced(const struct world *w, const struct core_desktop *d)
{
	const struct core_rollout *ro = d ? state_rollout(state(w), d->image_id) : NULL;

	return ro && (ro->plan.force_wall || ro->plan.kept);
}

void bin_audit(struct world *w, const struct audit_entry *e)
{
	static const char *const reasons[] = { "task.failed", "desktop.failed", "machine.gone", "personal.failed", "personal.unclean" };
	struct restored *r = restored_find(w, e->object_id);

	if (!strcmp(e->kind, "desktop.deleted"))
		CORE_COPY(w->deleted[w->deletions++ % BIN_MAX], e->object_id);
	if (!r)
		return;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		r->is_excused |= !strcmp(e->kind, reasons[i]);
	if ((!strcmp(e->kind, "desktop.deleting") || !strcmp(e->kind, "desktop.refreshing")) && !r->is_excused &&
	    !is_forced(w, state_desktop(state(w), e->object_id)))
		sim_violation(w, "desktop %s came back, its user has not had it, and it is lost again (%s)", e->object_id, e->kind);
}

void bin_granted(struct world *w, const char *desktop)
{
	excuse(w, desktop);
}

int bin_restored(const struct world *w, const struct core_state *st, const char *pool_id)
{
	int n = 0;

	for (size_t i = 0; i < st->desktop_count; i++)
		n += (!pool_id || !strcmp(st->desktops[i]->pool_id, pool_id)) && restored_find(w, st->desktops[i]->id);
	return n;
}

/* ---- what he does ---- */

static void said(struct world *w, const char *what, const char *about, int rc, const struct pst_err *err)
{
	sim_trace(w, "meddle %s %.8s %d", what, about, rc);
	broker_result(w, rc, err, what);
	broker_after(w);
}

static void restores(struct world *w)
{
	const char *id = w->deleted[sim_below(w, BIN_MAX)];
	struct pst_err err = PST_ERR_INIT;
	struct recycled_row r;
	int rc;

	if (!id[0] || db_recycled_desktop(w->db, id, &r, &err) < 0 || !r.pool[0] || !r.user_id[0])
		return;
	rc = reconciler_restore(w->rec, &r, NULL, &err);
	if ((rc == 0 || w->dying) && !restored_find(w, id) && w->restored_count < RESTORED_MAX)
		CORE_COPY(w->restored[w->restored_count++].id, id);
	else if (rc == 0 || w->dying)
		excuse(w, id); /* a second time: too much to tell apart */
	said(w, "restore", id, rc, &err);
}

static int operates(struct world *w, const char *id, struct pst_err *err)
{
	static const enum task_kind kinds[] = { TASK_START, TASK_STOP, TASK_SUSPEND, TASK_SNAPSHOT, TASK_REVERT, TASK_DROP, TASK_RESIZE, TASK_MIGRATE };
	enum task_kind kind = kinds[sim_below(w, w->host_count ? 8 : 7)];
	const char *arg = kind == TASK_RESIZE ? "" : "a";

	if (kind == TASK_MIGRATE)
		arg = state(w)->host_count && sim_below(w, 2) ? "" : host_name(sim_below(w, w->host_count));
	excuse(w, id);
	return reconciler_operate(w->rec, id, kind, arg, NULL, err);
}

static void does_to_desktop(struct world *w)
{
	size_t count = state(w)->desktop_count;
	struct pst_err err = PST_ERR_INIT;
	int what = sim_below(w, 10), rc;
	char id[CORE_ID_SIZE];

	if (!count)
		return;
	CORE_COPY(id, state(w)->desktops[sim_below(w, (int)count)]->id);
	if (what < 2) {
		rc = reconciler_drain(w->rec, id, sim_below(w, 2), NULL, &err);
	} else if (what < 6) {
		rc = operates(w, id, &err);
	} else {
		excuse(w, id);
		rc = what == 6 ? reconciler_restart(w->rec, id, NULL, &err) :
		     what == 7 ? reconciler_refresh(w->rec, id, NULL, &err) :
		     what == 8 ? reconciler_delete(w->rec, id, NULL, &err) : reconciler_logoff(w->rec, id, NULL, &err);
	}
	said(w, "desktop", id, rc, &err);
}

static void does_to_user(struct world *w)
{
	struct pst_err err = PST_ERR_INIT;
	char user[16], pool[16];
	int rc;

	snprintf(user, sizeof(user), "user-%d", sim_below(w, w->user_count));
	snprintf(pool, sizeof(pool), "pool-%d", sim_below(w, w->pool_count));
	if (sim_below(w, 2)) {
		reconciler_connect_cancel(w->rec, user, pool);
		said(w, "cancel", user, 0, &err);
		return;
	}
	for (int i = 0; i < w->restored_count; i++) {
		const struct core_desktop *d = state_desktop(state(w), w->restored[i].id);

		if (!d || !strcmp(d->a.user_id, user))
			w->restored[i].is_excused = true;
	}
	rc = reconciler_user_revoked(w->rec, user, sim_below(w, 2) ? pool : NULL, NULL, &err);
	said(w, "revoke", user, rc, &err);
}

static void ends_session(struct world *w)
{
	const struct machine *m = &w->machines[sim_below(w, MACHINES_MAX)];
	struct pst_err err = PST_ERR_INIT;
	char session[CORE_ID_SIZE];
	int rc;

	if (!m->exists || !m->session[0])
		return;
	CORE_COPY(session, m->session);
	rc = reconciler_session_end(w->rec, session, NULL, &err);
	said(w, "session", session, rc, &err);
}

/* As forms of a pool have them; ?2 is a number by chance. Literals: a statement is known by its address. */
static const char *const pool_sets[] = {
	"UPDATE pools SET enabled = 1, drain = 0, maintenance = 0 WHERE id = ?1 AND ?2 = ?2",
	"UPDATE pools SET enabled = (?2 % 4 > 0), drain = (?2 / 4 % 4 = 0), maintenance = (?2 / 16 % 4 = 0) WHERE id = ?1",
	"UPDATE pools SET spare = ?2 % 3, spare_suspended = ?2 / 3 % 4 WHERE id = ?1",
	"UPDATE pools SET on_logoff = CASE ?2 % 3 WHEN 0 THEN 'refresh' WHEN 1 THEN 'delete' ELSE 'keep' END WHERE id = ?1",
	"UPDATE pools SET kind = iif(?2 % 2, 'floating', 'dedicated') WHERE id = ?1",
	"UPDATE pools SET recycle_days = ?2 % 3 - 1 WHERE id = ?1",
	"UPDATE pools SET personal_mb = 64 * (?2 % 2) WHERE id = ?1", /* the last: an agent is needed for it */
};

static void sets_pool(struct world *w, int set, int pool)
{
	int64_t number = sim_below(w, 64);
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;
	char id[16];
	int rc;

	snprintf(id, sizeof(id), "pool-%d", pool);
	db_query_begin(&q, w->db, pool_sets[set], &err);
	db_bind_text(&q, id);
	db_bind_int(&q, number);
	rc = db_query_run(&q);
	if (rc == 0 && !w->dying)
		rc = reconciler_config_changed(w->rec, &err);
	w->pools_set |= 1u << pool;
	sim_trace(w, "meddle %s %d %lld", id, set, (long long)number);
	broker_result(w, rc, &err, "pool");
	broker_after(w);
}

static void does_to_pool(struct world *w)
{
	int sets = (int)(sizeof(pool_sets) / sizeof(*pool_sets)) - w->agentless;

	sets_pool(w, sim_below(w, sets), sim_below(w, w->pool_count));
}

void meddle_choose(struct world *w)
{
	w->meddles = sim_below(w, 2);
	if (w->meddles)
		sim_post(w, MEDDLES, sim_between(w, 1000, 60000));
}

void meddle_on_acts(struct world *w, const struct message *m)
{
	if (w->calm)
		return;
	sim_post(w, MEDDLES, sim_between(w, 500, 20000));
	if (!w->rec)
		return;
	switch (sim_below(w, 10)) {
	case 0:
	case 1:
	case 2:
		restores(w);
		break;
	case 3:
		does_to_user(w);
		break;
	case 4:
		ends_session(w);
		break;
	case 5:
		does_to_pool(w);
		break;
	default:
		does_to_desktop(w);
		break;
	}
}

void meddle_calm(struct world *w)
{
	for (int i = 0; i < w->pool_count && w->rec && w->meddles; i++)
		sets_pool(w, 0, i);
	w->meddles &= !w->rec; /* it died amid that: once more */
}

bool meddle_has_set(const struct world *w, const char *pool_id)
{
	return w->pools_set & 1u << atoi(pool_id + strlen("pool-"));
}
