/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Machines that are suspended and resumed, and what goes wrong with that: the host says yes and does nothing, says no
 * and has done it, forgets the memory, resumes what stops at once or never answers.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_sleep.h"

#include <string.h>

void sleep_suspend(struct world *w, struct machine *m)
{
	char boot[CORE_ID_SIZE];
	bool had_agent = m->agent;

	if (sim_chance(w, w->faults.sleep_lies)) {
		sim_trace(w, "machine %.8s does not sleep, says the host not", m->id);
		return;
	}
	CORE_COPY(boot, m->boot);
	machine_stop(w, m, "suspended");
	CORE_COPY(m->slept_boot, boot);
	m->had_agent = had_agent;
	m->slept = m->unanswered = true;
	sim_trace(w, "machine %.8s sleeps", m->id);
}

/* Its agent, as it was: it finds its connection dead and comes again. */
static void agent_wakes(struct world *w, struct machine *m)
{
	struct message *start;

	CORE_COPY(m->boot, m->slept_boot);
	if (!m->had_agent || sim_chance(w, w->faults.sleep_ends))
		return;
	start = sim_post(w, AGENT_START, sim_between(w, 100, sim_chance(w, w->faults.slow) ? 60000 : 5000));
	CORE_COPY(start->desktop, m->id);
	CORE_COPY(start->boot, m->boot);
}

bool sleep_resume(struct world *w, struct machine *m)
{
	if (!m->slept)
		return false;
	m->slept = false;
	if (sim_chance(w, w->faults.sleep_ends)) {
		sim_trace(w, "machine %.8s wakes and stops", m->id);
		return true; /* the next list says so */
	}
	if (sim_chance(w, w->faults.sleep_ends))
		return false; /* its memory is of no use: it boots */
	sim_trace(w, "machine %.8s wakes", m->id);
	m->running = true;
	if (!w->agentless)
		agent_wakes(w, m);
	return true;
}

void sleep_answered(struct world *w, const char *desktop)
{
	struct machine *m = machine_find(w, desktop);

	if (m)
		m->unanswered = false;
}

void sleep_check_assigned(struct world *w, const char *desktop)
{
	const struct machine *m = machine_find(w, desktop);

	if (m && m->unanswered)
		sim_violation(w, "desktop %s is given to a user, and was suspended and has not answered since", desktop);
}

void sleep_check_step(struct world *w, const struct core_state *st)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		struct machine *m = machine_find(w, d->id);

		if (m)
			m->said_asleep = desktop_sleeps(d);
		if (d->x.sleep != SLEEP_AWAKE && (d->x.lease != LEASE_FREE || d->probe || d->x.hygiene != HYGIENE_CLEAN))
			sim_violation(w, "desktop %s is %s, and %s, %s", d->id, sleep_text(d->x.sleep), lease_text(d->x.lease), hygiene_text(d->x.hygiene));
		if (d->x.sleep == SLEEP_RESUMING && !d->t.id[0] && !d->due.agent_ms && (d->x.agent != AGENT_READY || d->x.power == POWER_ON))
			sim_violation(w, "desktop %s is being resumed, and nobody waits for it", d->id);
	}
}

bool sleep_was_said(struct world *w, const char *desktop)
{
	const struct machine *m = machine_find(w, desktop);

	return m && m->said_asleep;
}

bool sleep_rests(struct world *w, const struct core_desktop *d)
{
	const struct machine *m = machine_find(w, d->id);

	if (!desktop_sleeps(d) || d->t.id[0])
		return false;
	if (!m || m->running || d->x.power != POWER_OFF)
		sim_violation(w, "at rest, desktop %s is said to be suspended: power %s, its machine %s", d->id, power_text(d->x.power),
		              !m ? "is not there" : m->running ? "runs" : "is stopped");
	return true;
}

void sleep_check_rest(struct world *w, const struct core_state *st)
{
	for (size_t i = 0; i < st->pool_count; i++) {
		const struct core_pool *p = &st->pools[i];
		bool told = p->reason.code[0] || p->tier.why.code[0] || p->waiting;

		if (p->tier.count > p->tier.want)
			sim_violation(w, "at rest, pool %s has %d suspended desktops of %d", p->id, p->tier.count, p->tier.want);
		if (!told && p->tier.count < p->tier.want && p->total < p->max)
			sim_violation(w, "at rest, pool %s lacks %d suspended desktops without a reason", p->id, p->tier.want - p->tier.count);
		if (!w->host_count && p->waiting && p->tier.idle && !p->tier.failures)
			sim_violation(w, "at rest, pool %s lets %d users wait and %d desktops sleep", p->id, p->waiting, p->tier.idle);
		w->slept += p->tier.count;
	}
}
