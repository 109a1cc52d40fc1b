/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The invariants: after every step, at every grant, and at rest.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_admin.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_personal.h"
#include "tests/sim/sim_rollout.h"
#include "tests/sim/sim_sleep.h"

#include "broker/reconciler_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- at a grant ---- */

static int64_t *check_epoch_of(struct world *w, const char *desktop)
{
	for (int i = 0; i < w->seen_count; i++)
		if (!strcmp(w->seen[i].id, desktop))
			return &w->seen[i].epoch;
	if (w->seen_count == (int)(sizeof(w->seen) / sizeof(*w->seen)))
		return NULL;
	CORE_COPY(w->seen[w->seen_count].id, desktop);
	return &w->seen[w->seen_count++].epoch;
}

void check_grant(struct world *w, int user, const struct grant *g)
{
	const struct machine *m = machine_find(w, g->desktop);
	int64_t *highest = check_epoch_of(w, g->desktop);

	w->grants++;
	bin_granted(w, g->desktop);
	rollout_check_grant(w, g);
	personal_check_grant(w, user, g);
	if (highest && g->epoch <= *highest)
		sim_violation(w, "desktop %s: epoch %lld was granted after %lld", g->desktop, (long long)g->epoch,
		              (long long)*highest);
	if (highest)
		*highest = g->epoch;
	if (!m)
		return; /* it vanished a moment ago, and nobody has told the broker */
	if (m->disk_owner >= 0 && m->disk_owner != user)
		sim_violation(w, "desktop %s was used by user %d and is given to user %d", g->desktop, m->disk_owner, user);
	if (m->occupant >= 0 && m->occupant != user)
		sim_violation(w, "desktop %s: user %d is in it, user %d is let in", g->desktop, m->occupant, user);
	if (m->keyed && m->agent && memcmp(m->key, g->key, sizeof(m->key)) != 0)
		sim_violation(w, "desktop %s: the grant is signed with another key than the agent's", g->desktop);
}

/* ---- after every step ---- */

static void check_reason(struct world *w, const struct core_state *st, const struct core_desktop *d)
{
	struct desktop_view v;

	desktop_view(st, d, w->now, &v);
	if (!v.state || !v.reason.code[0] || !v.reason.en[0] || !v.reason.es[0])
		sim_violation(w, "desktop %s has no reason (%s)", d->id, v.state ? v.state : "?");
}

static void check_lease(struct world *w, const struct core_desktop *d)
{
	if ((d->x.lease != LEASE_FREE) != (d->a.id[0] != '\0'))
		sim_violation(w, "desktop %s: lease %s, assignment %s", d->id, lease_text(d->x.lease), d->a.id);
	if (d->s.id[0] && (d->x.lease != LEASE_HELD || d->x.hygiene != HYGIENE_DIRTY))
		sim_violation(w, "desktop %s: a session on a %s, %s desktop", d->id, lease_text(d->x.lease),
		              hygiene_text(d->x.hygiene));
}

/* What is to become of it is somebody's: a task's, or its guest's, who lets go of a disk. */
static void check_worked_on(struct world *w, const struct core_desktop *d)
{
	bool waits = d->t.id[0] || d->personal.phase == PERSONAL_LEAVING;

	if ((d->x.lifecycle == LIFECYCLE_CREATING || d->x.lifecycle == LIFECYCLE_DELETING) && !d->t.id[0])
		sim_violation(w, "desktop %s is %s by nobody", d->id, lifecycle_text(d->x.lifecycle));
	if (d->x.lifecycle != LIFECYCLE_LIVE || waits)
		return;
	if (d->x.hygiene == HYGIENE_CLEANING)
		sim_violation(w, "desktop %s is being cleaned by nobody", d->id);
	if (d->x.hygiene == HYGIENE_DIRTY && d->x.lease == LEASE_FREE)
		sim_violation(w, "desktop %s is dirty and free", d->id);
}

static void check_desktop(struct world *w, const struct core_state *st, const struct core_desktop *d)
{
	check_reason(w, st, d);
	check_lease(w, d);
	check_worked_on(w, d);
}

static void check_owners(struct world *w, const struct core_state *st)
{
	for (size_t i = 0; i < st->desktop_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct core_desktop *a = st->desktops[i], *b = st->desktops[j];

			if (a->a.id[0] && b->a.id[0] && !strcmp(a->a.user_id, b->a.user_id) && !strcmp(a->pool_id, b->pool_id))
				sim_violation(w, "%s has two desktops in %s", a->a.user_id, a->pool_id);
		}
}

static void check_sizes(struct world *w, const struct core_state *st)
{
	const struct core_provider *pr = &st->providers[0];
	for (size_t i = 0; i < st->pool_count; i++) {
		const struct core_pool *p = &st->pools[i];
		struct pool_view v;

		pool_view(st, p->id, w->now, &v);
		if (v.counts.total > p->max + bin_restored(w, st, p->id))
			sim_violation(w, "pool %s has %d desktops, its maximum is %d", p->id, v.counts.total, p->max);
		if (!v.reason.code[0] || !v.reason.en[0] || !v.reason.es[0])
			sim_violation(w, "pool %s has no reason (%s)", p->id, v.state);
	}
	if (pr->capacity && st->desktop_count > (size_t)(pr->capacity + bin_restored(w, st, NULL)))
		sim_violation(w, "%zu desktops on a host for %d", st->desktop_count, pr->capacity);
}

static bool same_axes(const struct core_desktop *a, const struct core_desktop *b)
{
	const struct core_axes *x = &a->x, *y = &b->x;

	return x->lifecycle == y->lifecycle && x->power == y->power && x->lease == y->lease && x->session == y->session &&
	       x->hygiene == y->hygiene && x->drain == y->drain && x->parked == y->parked && x->agent == y->agent && x->sleep == y->sleep;
}

static bool same_machine(const struct core_desktop *a, const struct core_desktop *b)
{
	return a->uid == b->uid && a->keyed == b->keyed && a->failures == b->failures && !strcmp(a->endpoint, b->endpoint) &&
	       !strcmp(a->place.host, b->place.host) && !strcmp(a->image_version, b->image_version);
}

static bool same_owner(const struct core_desktop *a, const struct core_desktop *b)
{
	return a->epoch == b->epoch && !strcmp(a->a.id, b->a.id) && a->a.epoch == b->a.epoch && !strcmp(a->s.id, b->s.id) &&
	       a->s.active == b->s.active;
}

static bool same_work(const struct core_desktop *a, const struct core_desktop *b)
{
	return !strcmp(a->t.id, b->t.id) && a->t.attempts == b->t.attempts && a->t.state == b->t.state && !strcmp(a->t.arg, b->t.arg) &&
	       a->personal.phase == b->personal.phase && a->personal.held == b->personal.held && !strcmp(a->personal.owner, b->personal.owner);
}

static bool check_same(const struct core_desktop *a, const struct core_desktop *b)
{
	return same_axes(a, b) && same_machine(a, b) && same_owner(a, b) && same_work(a, b);
}

/* Memory and tables say the same: a crash now would lose nothing. */
static void check_tables(struct world *w, const struct core_state *st)
{
	struct core_state fresh;
	struct pst_err err = PST_ERR_INIT;

	if (reconciler_load(w->rec, &fresh, NULL, &err) < 0) {
		sim_violation(w, "the tables cannot be loaded: %s", err.text);
		return;
	}
	if (fresh.desktop_count != st->desktop_count)
		sim_violation(w, "%zu desktops in the tables, %zu in memory", fresh.desktop_count, st->desktop_count);
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i], *row = state_desktop(&fresh, d->id);

		/* After a restart the agents count as lost until they report; that alone is not written. */
		struct core_desktop seen;

		if (!row) {
			sim_violation(w, "desktop %s is in no table", d->id);
			continue;
		}
		seen = *row;
		if (d->x.agent == AGENT_LOST)
			seen.x.agent = AGENT_LOST;
		if (!check_same(d, &seen))
			sim_violation(w, "desktop %s differs from its row", d->id);
	}
	for (size_t i = 0; i < st->host_count; i++) {
		const struct core_host *h = &st->hosts[i], *row = state_host(&fresh, h->provider, h->name);

		if (h->maintenance != (row && row->maintenance))
			sim_violation(w, "host %s: maintenance is %d in memory", h->name, h->maintenance);
	}
	rollout_check_tables(w, &fresh);
	core_state_finish(&fresh);
}

void check_step(struct world *w)
{
	const struct core_state *st = w->rec ? reconciler_state(w->rec) : NULL;

	if (!st)
		return;
	for (size_t i = 0; i < st->desktop_count; i++)
		check_desktop(w, st, st->desktops[i]);
	rollout_check_step(w);
	personal_check_step(w, st);
	sleep_check_step(w, st);
	check_owners(w, st);
	check_sizes(w, st);
	if (w->steps % 64 == 0)
		check_tables(w, st);
}

/* ---- at rest ---- */

static bool waits_for_a_host(const struct core_desktop *d)
{
	return d->t.kind == TASK_CREATE && d->t.id[0] && d->t.attempts == 0 && !strcmp(d->reason.code, "no_host");
}

/* Failed, and kept for its owner and an administrator, with its reason. */
static bool is_kept_failed(const struct core_state *st, const struct core_desktop *d)
{
	const struct core_pool *p = state_pool(st, d->pool_id);

	return d->x.lifecycle == LIFECYCLE_FAILED && d->x.lease == LEASE_HELD && p && (d->a.kind == POOL_DEDICATED || p->on_logoff == ON_LOGOFF_KEEP);
}

static void rest_machine(struct world *w, const struct core_desktop *d, const struct machine *m)
{
	if (d->x.lifecycle != LIFECYCLE_LIVE)
		sim_violation(w, "at rest, desktop %s is %s", d->id, lifecycle_text(d->x.lifecycle));
	else if (!m)
		sim_violation(w, "at rest, desktop %s has no machine", d->id);
	else if (!sleep_rests(w, d) && !desktop_is_usable(d))
		sim_violation(w, "at rest, desktop %s is not usable: power %s agent %s keyed %d", d->id,
		              power_text(d->x.power), agent_text(d->x.agent), d->keyed);
}

static void rest_session(struct world *w, const struct core_desktop *d, const struct machine *m)
{
	if (d->x.lease == LEASE_ENDING)
		sim_violation(w, "at rest, desktop %s is still logging off", d->id);
	if (m && m->session[0] && strcmp(m->session, d->s.id) != 0)
		sim_violation(w, "at rest, desktop %s streams a session that the broker does not know", d->id);
	if (d->s.active && (!m || strcmp(m->session, d->s.id) != 0))
		sim_violation(w, "at rest, session %s of desktop %s is streamed by nobody", d->s.id, d->id);
}

static void check_rest_desktop(struct world *w, const struct core_state *st, const struct core_desktop *d)
{
	const struct machine *m = machine_find(w, d->id);

	if (waits_for_a_host(d))
		return; /* every host in service is full: it waits, with that reason */
	if (d->t.id[0])
		sim_violation(w, "at rest, desktop %s still has a task: %s", d->id, task_kind_text(d->t.kind));
	if (is_kept_failed(st, d))
		return;
	rest_machine(w, d, m);
	rest_session(w, d, m);
}

static void check_rest_machines(struct world *w, const struct core_state *st)
{
	for (int i = 0; i < MACHINES_MAX; i++)
		if (w->machines[i].exists && !state_desktop(st, w->machines[i].id) && !st->reap_paused)
			sim_violation(w, "at rest, machine %s is nobody's", w->machines[i].id);
}

/* A full pool is an answer; nobody logs off any more. */
static void check_rest_users(struct world *w, const struct core_state *st)
{
	for (int i = 0; i < w->user_count; i++) {
		const struct user *u = &w->users[i];
		const struct core_pool *p = &st->pools[u->pool];

		if ((u->state == USER_ASKING || u->state == USER_TICKET) && p->total < p->max && !p->reason.code[0])
			sim_violation(w, "at rest, user %d has been asking since %lld", i, (long long)u->since);
	}
}

static void check_rest_pools(struct world *w, const struct core_state *st)
{
	for (size_t i = 0; i < st->pool_count; i++) {
		const struct core_pool *p = &st->pools[i];
		int room = p->min - p->leased - p->ready - p->starting - p->failed;

		if (room > 0 && strcmp(p->reason.code, "host_full") != 0 && strcmp(p->reason.code, "no_host") != 0 && p->total < p->max)
			sim_violation(w, "at rest, pool %s lacks %d desktops: %s", p->id, room, p->reason.en);
	}
}

void check_rest(struct world *w)
{
	const struct core_state *st = w->rec ? reconciler_state(w->rec) : NULL;

	if (!st) {
		sim_violation(w, "at rest, the broker is down");
		return;
	}
	for (size_t i = 0; i < st->desktop_count; i++)
		check_rest_desktop(w, st, st->desktops[i]);
	check_rest_machines(w, st);
	host_check_rest(w, st);
	sleep_check_rest(w, st);
	check_rest_users(w, st);
	check_rest_pools(w, st);
	rollout_check_rest(w);
	personal_check_rest(w, st);
	check_tables(w, st);
}
