/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The modelled administrator, who publishes versions, good and broken ones, and meddles with
 * their roll-outs; and what must hold meanwhile.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_rollout.h"
#include "tests/sim/sim_sleep.h"

#include "broker/core/core_priv.h"
#include "broker/reconciler_rollout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct core_rollout *rollout_now(struct world *w)
{
	return w->rec ? state_rollout(reconciler_state(w->rec), "image") : NULL;
}

void rollout_choose(struct world *w)
{
	static const enum trait traits[] = { TRAIT_GOOD, TRAIT_GOOD, TRAIT_GOOD, TRAIT_DEAD, TRAIT_DIES,
		TRAIT_SLOW, TRAIT_BLACK };

	w->worked[1] = true;
	for (int v = 2; v <= VERSIONS_MAX; v++)
		w->traits[v] = traits[sim_below(w, 7)];
	/* Where a rule of theirs is broken, there are always some. */
	if (sim_below(w, 2) || !strcmp(w->mutate, "verify") || !strcmp(w->mutate, "spare"))
		sim_post(w, ADMIN_ACTS, sim_between(w, 1000, 60000));
}

enum trait rollout_trait(const struct world *w, const char *version)
{
	int v = atoi(version);

	return v >= 1 && v <= VERSIONS_MAX ? w->traits[v] : TRAIT_GOOD;
}

/* ---- the administrator ---- */

static void admin_publishes(struct world *w)
{
	struct rollout_plan plan = { .unavailable = (int)sim_between(w, 1, 2),
		.failures = (int)sim_between(w, 1, 4),
		.samples = (int)sim_between(w, 1, 5),
		.slower = sim_below(w, 2) ? 150 : 0,
		.kept = sim_below(w, 2) };
	struct pst_err err = PST_ERR_INIT;
	char version[16];

	plan.canary = sim_below(w, 2) ? (int)sim_between(w, 1, 60) : 0;
	plan.canary_s = (int)sim_between(w, 0, 60);
	if (sim_below(w, 2))
		plan.force_wall = 1700000000000 + w->now + w->wall_offset + sim_between(w, 0, 500000);
	snprintf(version, sizeof(version), "%d", (int)sim_between(w, 1, VERSIONS_MAX));
	sim_trace(w, "publish %s", version);
	broker_result(w, reconciler_publish(w->rec, "image", version, &plan, NULL, &err), &err, "publish");
	broker_after(w);
}

static void admin_does(struct world *w, enum rollout_act act)
{
	struct pst_err err = PST_ERR_INIT;

	sim_trace(w, "rollout %s", rollout_act_text(act));
	broker_result(w, reconciler_rollout(w->rec, "image", act, NULL, &err), &err, "rollout");
	broker_after(w);
}

void admin_on_acts(struct world *w, const struct message *m)
{
	if (w->calm)
		return;
	sim_post(w, ADMIN_ACTS, sim_between(w, 2000, 40000));
	if (!w->rec)
		return;
	if (sim_below(w, 2))
		admin_publishes(w);
	else
		admin_does(w, (enum rollout_act)sim_below(w, 3));
}

/* Once it is calm: what was stopped is taken back, the others go on. */
void rollout_calm(struct world *w)
{
	const struct core_rollout *ro = rollout_now(w);

	if (!ro || !rollout_is_live(ro))
		return;
	if (ro->paused)
		admin_does(w, ROLLOUT_REVERT);
	else if (ro->phase == ROLLOUT_CANARY && !ro->plan.canary_s)
		admin_does(w, ROLLOUT_CONTINUE);
}

/* ---- what must hold ---- */

/* A desktop that was made to be tried has reported: now its version may be given to users. */
void rollout_saw(struct world *w, const char *desktop)
{
	const struct core_desktop *d = w->rec ? state_desktop(reconciler_state(w->rec), desktop) : NULL;
	int v = d ? atoi(d->image_version) : 0;

	if (d && d->probe && v >= 1 && v <= VERSIONS_MAX)
		w->worked[v] = true;
}

void rollout_check_grant(struct world *w, const struct grant *g)
{
	const struct core_desktop *d = state_desktop(reconciler_state(w->rec), g->desktop);
	const struct machine *m = machine_find(w, g->desktop);
	int v = m ? atoi(m->version) : 1;

	if (d && d->probe)
		sim_violation(w, "desktop %s is there to be tried, and is given to a user", g->desktop);
	if (v >= 1 && v <= VERSIONS_MAX && !w->worked[v])
		sim_violation(
			w, "desktop %s: nobody has seen version %d work, and a user gets it", g->desktop, v);
}

/* Could another one have been made first? */
static bool could_be_made(const struct core_state *st, const struct core_pool *p)
{
	const struct core_provider *pr = state_provider(st, p->provider_id);
	int capacity = pr ? provider_capacity(pr) : 0;

	return p->total < p->max && (!capacity || (int)st->desktop_count < capacity);
}

static int ready_in(const struct core_state *st, const struct core_pool *p)
{
	int ready = 0;

	for (size_t i = 0; i < st->desktop_count; i++)
		ready += !strcmp(st->desktops[i]->pool_id, p->id) && desktop_is_ready(st->desktops[i]);
	return ready;
}

/* A free desktop has gone for its version, in the round that has just been decided. */
void rollout_check_replaced(struct world *w, const char *desktop)
{
	const struct core_state *st = reconciler_state(w->rec);
	const struct core_desktop *d = state_desktop(st, desktop);
	const struct core_pool *p = d ? state_pool(st, d->pool_id) : NULL;
	int ready = p ? ready_in(st, p) : 0;

	if (!p)
		return;
	w->replaced++;
	if (d->a.id[0] || d->x.session != SESSION_NONE)
		sim_violation(w, "desktop %s was replaced under its user", desktop);
	if (p->waiting)
		sim_violation(w, "pool %s: a desktop was replaced while users wait", p->id);
	if (ready >= p->spare || sleep_was_said(w, desktop))
		return; /* what sleeps is not among those that are ready */
	if (could_be_made(st, p))
		sim_violation(w,
			"pool %s: %d ready, %d spare wanted, and one was replaced although there is room",
			p->id, ready, p->spare);
	if (p->starting || p->ending > 1)
		sim_violation(w, "pool %s: %d ready, and more than one was replaced at a time", p->id, ready);
}

void rollout_check_told(struct world *w, const char *desktop)
{
	struct machine *m = machine_find(w, desktop);

	if (m)
		m->told_at = w->now;
}

/* A session ends for a new version: an administrator has wished it, and its user was told in time. */
void rollout_check_forced(struct world *w, const char *session)
{
	const struct core_rollout *ro = rollout_now(w);

	w->forced++;
	if (!ro || !ro->plan.force_wall)
		sim_violation(w, "session %s was ended for a version, and nobody wished it", session);
	for (int i = 0; i < MACHINES_MAX; i++) {
		const struct machine *m = &w->machines[i];

		if (m->exists && !strcmp(m->session, session) &&
			(!m->told_at || w->now - m->told_at < ROLL_NOTICE_MS))
			sim_violation(w, "session %s was ended for a version, its user was told at %lld",
				session, (long long)m->told_at);
	}
}

static void check_probe(struct world *w, const struct core_rollout *ro, const struct core_desktop *d)
{
	if (d->x.lifecycle >= LIFECYCLE_DELETING)
		return;
	if (!ro || ro->phase != ROLLOUT_VERIFY || strcmp(d->image_version, ro->version) != 0)
		sim_violation(w, "desktop %s is there to be tried, and nobody waits for it", d->id);
	if (d->a.id[0] || desktop_is_ready(d))
		sim_violation(w, "desktop %s is there to be tried, and may be given to a user", d->id);
}

void rollout_check_step(struct world *w)
{
	const struct core_state *st = reconciler_state(w->rec);
	const struct core_rollout *ro = rollout_now(w);
	bool is_over = ro && (ro->phase == ROLLOUT_REVERTED || ro->phase == ROLLOUT_FAILED);
	int probes = 0;

	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		if (d->probe)
			check_probe(w, ro, d);
		probes += d->probe && d->x.lifecycle < LIFECYCLE_DELETING;
		if (is_over && !strcmp(d->image_version, ro->version) && d->x.lifecycle == LIFECYCLE_CREATING && d->x.lease == LEASE_FREE)
			sim_violation(w, "desktop %s of version %s is being made, and that was taken back",
				d->id, ro->version);
	}
	if (probes > 1)
		sim_violation(w, "%d desktops are there to be tried", probes);
}

void rollout_check_tables(struct world *w, const struct core_state *fresh)
{
	const struct core_state *st = reconciler_state(w->rec);
	const struct core_rollout *ro = rollout_now(w), *row = state_rollout(fresh, "image");

	if (!ro != !row || strcmp(st->images[0].published, fresh->images[0].published) != 0)
		sim_violation(w, "the image differs from its row");
	if (ro && row &&
		(strcmp(ro->id, row->id) != 0 || ro->phase != row->phase || ro->paused != row->paused ||
			ro->failures != row->failures || ro->tries != row->tries ||
			ro->logons != row->logons || strcmp(ro->reason.en, row->reason.en) != 0))
		sim_violation(w, "the roll-out of version %s differs from its row", ro->version);
}

void rollout_check_rest(struct world *w)
{
	const struct core_rollout *ro = rollout_now(w);
	struct rollout_view v;

	if (!ro || !rollout_view(reconciler_state(w->rec), "image", &v))
		return;
	if (!v.reason.code[0] || !v.reason.en[0] || !v.reason.es[0])
		sim_violation(w, "at rest, the roll-out of %s has no reason", ro->version);
	/* Who stays logged on holds it up, unless there is a time; a host that is full is an answer. */
	if (rollout_is_live(ro) && !ro->waits.code[0] && !v.in_use &&
		!(ro->phase == ROLLOUT_ROLLING && v.free))
		sim_violation(w, "at rest, the roll-out of %s is still %s", ro->version,
			rollout_phase_text(ro->phase));
}
