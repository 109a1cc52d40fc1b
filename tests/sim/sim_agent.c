/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The modelled agents: each boot enrols if it must, says hello, reports.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_personal.h"
#include "tests/sim/sim_rollout.h"
#include "tests/sim/sim_sleep.h"

#include <stdio.h>
#include <string.h>

void agent_boot(struct world *w, struct machine *m)
{
	enum trait trait = rollout_trait(w, m->version);
	struct message *start;

	sim_uuid(w, m->boot);
	/* Now and then an image whose agent never comes up. */
	if (w->agentless || trait == TRAIT_DEAD || trait == TRAIT_DIES || sim_chance(w, w->faults.task_dies)) {
		m->running = trait != TRAIT_DIES || w->agentless; /* the next list says so */
		return;
	}
	start = sim_post(w, AGENT_START,
	                 sim_between(w, 100, sim_chance(w, w->faults.slow) || trait == TRAIT_SLOW ? 60000 : 5000));
	CORE_COPY(start->desktop, m->id);
	CORE_COPY(start->boot, m->boot);
}

static struct machine *agent_of(struct world *w, const struct message *m)
{
	struct machine *mc = machine_find(w, m->desktop);

	return mc && mc->running && !strcmp(mc->boot, m->boot) ? mc : NULL;
}

void guest_on_start(struct world *w, const struct message *m)
{
	struct machine *mc = agent_of(w, m);

	if (!mc)
		return;
	mc->agent = true;
	guest_on_connect(w, m);
}

static void agent_again(struct world *w, const struct machine *mc)
{
	struct message *m = sim_post(w, AGENT_CONNECT, sim_between(w, 500, 3000));

	CORE_COPY(m->desktop, mc->id);
	CORE_COPY(m->boot, mc->boot);
}

/* 0: it has a key. */
static int agent_enrol(struct world *w, struct machine *mc)
{
	struct pst_err err = PST_ERR_INIT;
	int rc;

	if (mc->keyed)
		return 0;
	rc = reconciler_enrol(w->rec, mc->id, mc->token, mc->uid, mc->key, &err);
	broker_result(w, rc, &err, "enrol");
	sim_trace(w, "enrol %.8s %d", mc->id, rc);
	/* A broker that dies after the commit has the key; the agent does not, and the
	 * token is spent: the desktop is then made anew after its deadline. */
	if (rc == 0 && !w->dying)
		mc->keyed = true;
	broker_after(w);
	return mc->keyed ? 0 : -1;
}

void guest_on_connect(struct world *w, const struct message *m)
{
	struct machine *mc = agent_of(w, m);
	struct pst_err err = PST_ERR_INIT;
	char user[16];
	int rc;

	if (!mc || !mc->agent || mc->connected || !w->rec)
		return;
	rc = reconciler_agent_check(w->rec, mc->id, mc->uid, &err);
	if (rc < 0 || agent_enrol(w, mc) < 0 || !w->rec) {
		if (w->rec)
			agent_again(w, mc);
		return;
	}
	snprintf(user, sizeof(user), "user-%d", mc->occupant);
	sleep_answered(w, mc->id);
	rc = reconciler_agent_hello(w->rec, mc->id, mc->boot, mc->highest, mc->occupant >= 0 ? user : NULL, &err);
	sim_trace(w, "agent hello %.8s %d", mc->id, rc);
	broker_result(w, rc, &err, "agent hello");
	mc->connected = rc == 0 && !w->dying;
	if (rc == 0)
		rollout_saw(w, mc->id);
	if (!mc->connected && !w->dying)
		agent_again(w, mc);
	broker_after(w);
}

void agent_log_off(struct world *w, struct machine *m)
{
	struct message *says = sim_post(w, AGENT_SAYS, sim_between(w, 10, sim_chance(w, 2 * w->faults.slow) ? 60000 : 200));

	says->broker = w->broker;
	says->epoch = m->session_epoch;
	CORE_COPY(says->word, "logoff");
	CORE_COPY(says->desktop, m->id);
	CORE_COPY(says->boot, m->boot);
	session_lost(w, m, "logoff");
	m->occupant = -1;
}

/* A later connection of the same desktop has replaced it: then its end is no news. */
void guest_on_cut(struct world *w, const struct message *m)
{
	const struct machine *mc = machine_find(w, m->desktop);

	if (m->broker != w->broker || !w->rec || (mc && mc->connected))
		return;
	sim_trace(w, "agent %.8s cut", m->desktop);
	reconciler_agent_gone(w->rec, m->desktop);
	broker_after(w);
}

void guest_on_told(struct world *w, const struct message *m)
{
	struct machine *mc = agent_of(w, m);

	if (!mc || !mc->connected || m->broker != w->broker)
		return;
	if (m->tell == AGENT_TELL_LEASE && m->epoch > mc->told_epoch)
		mc->told_epoch = m->epoch;
	if (m->tell == AGENT_TELL_MOUNT || m->tell == AGENT_TELL_UNMOUNT)
		personal_told(w, mc, m->tell);
	if (m->tell == AGENT_TELL_HELLO) { /* its connection was ended */
		mc->connected = false;
		agent_again(w, mc);
	}
	if (m->tell != AGENT_TELL_LOGOFF)
		return;
	if (!sim_chance(w, w->faults.task_dies))
		agent_log_off(w, mc);
}

/* What a desktop is streaming, when the report is of an earlier owner; else "". */
static void says_before(struct world *w, const struct message *m, char ret[CORE_ID_SIZE])
{
	const struct core_desktop *d = state_desktop(reconciler_state(w->rec), m->desktop);

	core_copy(ret, CORE_ID_SIZE, d && d->s.active && m->epoch < d->a.epoch ? d->s.id : "");
}

/* Late reports of a machine that was restarted since do arrive: what it sent is
 * on its way. They must not touch the present owner. */
void guest_on_says(struct world *w, const struct message *m)
{
	struct pst_err err = PST_ERR_INIT;
	char stream[CORE_ID_SIZE];
	const struct core_desktop *d;
	int rc;

	if (m->broker != w->broker || !w->rec)
		return;
	says_before(w, m, stream);
	rc = reconciler_agent_report(w->rec, m->desktop, m->word, m->epoch, "", "", &err);
	sim_trace(w, "agent says %.8s %s %lld", m->desktop, m->word, (long long)m->epoch);
	broker_result(w, rc, &err, "agent report");
	d = state_desktop(reconciler_state(w->rec), m->desktop);
	if (stream[0] && (!d || strcmp(d->s.id, stream) != 0))
		sim_violation(w, "desktop %s: a late report of an earlier owner has ended session %s", m->desktop, stream);
	broker_after(w);
}
