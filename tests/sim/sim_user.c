/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The modelled users and the gateway that carries their sessions.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_rollout.h"

#include <stdio.h>
#include <string.h>

static void user_next(struct world *w, int u, int64_t low, int64_t high)
{
	/* Patient once it is calm; yet within the 30 s that keep a place in the queue. */
	int64_t calm = w->calm && low < 20000 ? 20000 - low : 0;

	sim_post(w, USER_ACTS, sim_between(w, low + calm, high + calm))->user = u;
}

static void session_say(struct world *w, const char *session, const char *word, int64_t delay)
{
	struct message *m = sim_post(w, SESSION_SAYS, delay);

	m->broker = w->broker;
	CORE_COPY(m->session, session);
	CORE_COPY(m->word, word);
}

void session_lost(struct world *w, struct machine *m, const char *code)
{
	if (!m->session[0])
		return;
	sim_trace(w, "session %.8s lost: %s", m->session, code);
	session_say(w, m->session, "ended", sim_between(w, 1, 100));
	m->session[0] = '\0';
}

static struct machine *session_machine(struct world *w, const char *session)
{
	for (int i = 0; i < MACHINES_MAX; i++)
		if (w->machines[i].exists && !strcmp(w->machines[i].session, session))
			return &w->machines[i];
	return NULL;
}

void viewer_on_end(struct world *w, const struct message *m)
{
	struct machine *mc = session_machine(w, m->session);

	if (mc && m->broker == w->broker)
		session_lost(w, mc, "ended by the broker");
}

void viewer_on_says(struct world *w, const struct message *m)
{
	struct pst_err err = PST_ERR_INIT;
	int rc;

	/* The gateway says hello with all of its sessions after a loss. */
	if (m->broker != w->broker || !w->rec)
		return;
	if (!strcmp(m->word, "started"))
		rc = reconciler_session_started(w->rec, m->session, &err);
	else
		rc = reconciler_session_ended(w->rec, m->session, "closed", "the model has closed it",
					      "el modelo la ha cerrado", "{}", &err);
	sim_trace(w, "session %.8s %s", m->session, m->word);
	broker_result(w, rc, &err, "session");
	broker_after(w);
}

void gateway_on_hello(struct world *w, const struct message *m)
{
	const char *sessions[MACHINES_MAX];
	struct pst_err err = PST_ERR_INIT;
	size_t n = 0;
	int rc;

	if (!w->rec || m->broker != w->broker)
		return;
	for (int i = 0; i < MACHINES_MAX; i++)
		if (w->machines[i].exists && w->machines[i].session[0])
			sessions[n++] = w->machines[i].session;
	sim_trace(w, "gateway hello %zu", n);
	rc = reconciler_gateway_hello(w->rec, "gw", sessions, n, &err);
	broker_result(w, rc, &err, "gateway hello");
	if (rc < 0 && !w->dying) /* it is dropped, and comes again */
		sim_post(w, GATEWAY_HELLO, 1000)->broker = w->broker;
	broker_after(w);
}

/* Does what answers there let this one in? */
static bool user_is_let_in(const struct world *w, const struct machine *m, const struct grant *g)
{
	if (w->agentless)
		return m && m->running;
	if (m && !w->calm && rollout_trait(w, m->version) == TRAIT_BLACK)
		return false;
	return m && m->agent && m->keyed && g->epoch > m->highest;
}

/* The worker dials the agent: the last fence. */
static void user_opens(struct world *w, int u, const struct grant *g)
{
	struct machine *m = machine_find(w, g->desktop);

	check_grant(w, u, g);
	CORE_COPY(w->users[u].session, g->session);
	if (!user_is_let_in(w, m, g) || sim_chance(w, 20)) {
		session_say(w, g->session, "ended", sim_between(w, 1, 3000));
		w->users[u].state = USER_IDLE;
		user_next(w, u, 1000, 20000);
		return;
	}
	session_lost(w, m, "moved");
	m->highest = m->session_epoch = g->epoch;
	m->occupant = w->agentless ? -1 : u;
	m->disk_owner = u;
	CORE_COPY(m->session, g->session);
	session_say(w, g->session, "started", sim_between(w, 1, 500));
	w->users[u].state = USER_WORKING;
	w->users[u].served++;
	user_next(w, u, 1000, 60000);
}

static void user_grant(struct world *w, int u, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct grant g = { 0 };
	char id[16];
	struct grant_request req = {
		.user_id = id, .desktop_id = desktop, .protocol = PROTOCOL_RDP, .remote = "10.0.0.1", .gateway = "gw"
	};
	int rc;

	snprintf(id, sizeof(id), "user-%d", u);
	rc = reconciler_grant(w->rec, &req, &g, &err);
	sim_trace(w, "grant %d %.8s %d", u, desktop, rc);
	broker_result(w, rc, &err, "grant");
	if (rc == 0 && !w->dying)
		user_opens(w, u, &g);
	else
		user_next(w, u, 500, 3000);
	broker_after(w);
}

static void user_ticket(struct world *w, int u, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	char id[16];
	struct grant_request req = { .user_id = id, .desktop_id = desktop, .protocol = PROTOCOL_WS };

	snprintf(id, sizeof(id), "user-%d", u);
	if (reconciler_ticket(w->rec, &req, w->users[u].ticket, &err) < 0 || w->dying) {
		user_next(w, u, 500, 3000);
	} else {
		w->users[u].state = USER_TICKET;
		CORE_COPY(w->users[u].desktop, desktop);
		user_next(w, u, 10, sim_chance(w, 100) ? 90000 : 3000);
	}
	broker_after(w);
}

static void user_redeems(struct world *w, int u)
{
	struct pst_err err = PST_ERR_INIT;
	struct grant g = { 0 }, again;
	struct user *me = &w->users[u];
	int rc = reconciler_redeem(w->rec, me->ticket, PROTOCOL_WS, "10.0.0.1", "gw", &g, &err);

	sim_trace(w, "redeem %d %d", u, rc);
	broker_result(w, rc, &err, "redeem");
	me->state = USER_ASKING;
	if (rc == 0 && !w->dying) {
		if (sim_chance(w, 100) && reconciler_redeem(w->rec, me->ticket, PROTOCOL_WS, "10.0.0.2", "gw", &again, &err) == 0)
			sim_violation(w, "a ticket was spent twice");
		user_opens(w, u, &g);
	} else {
		user_next(w, u, 500, 3000);
	}
	broker_after(w);
}

static void user_answered(struct world *w, int u, const struct connect_answer *a)
{
	struct user *me = &w->users[u];

	if (a->state != CONNECT_READY && (!a->reason.code[0] || !a->reason.en[0] || !a->reason.es[0]))
		sim_violation(w, "user %d gets no reason (state %d stage %s)", u, a->state, stage_text(a->stage));
	sim_trace(w, "connect %d: %d %s", u, a->state, a->reason.code);
	if (a->state == CONNECT_REFUSED) {
		me->state = USER_IDLE;
		user_next(w, u, 5000, 30000);
	} else if (a->state == CONNECT_WAITING) {
		if (sim_chance(w, 10))
			me->state = USER_IDLE; /* gives up */
		user_next(w, u, 500, sim_chance(w, 20) ? 40000 : 3000);
	} else if (sim_below(w, 2)) {
		user_ticket(w, u, a->desktop_id);
	} else {
		user_grant(w, u, a->desktop_id);
	}
}

static void user_asks(struct world *w, int u)
{
	struct pst_err err = PST_ERR_INIT;
	struct connect_answer a;
	char id[16], pool[16];
	struct connect_request req = { .user_id = id, .user_name = id, .pool_id = pool, .remote = "10.0.0.1" };
	int rc;

	snprintf(id, sizeof(id), "user-%d", u);
	snprintf(pool, sizeof(pool), "pool-%d", w->users[u].pool);
	rc = reconciler_connect(w->rec, &req, &a, &err);
	broker_result(w, rc, &err, "connect");
	if (rc == 0 && !w->dying)
		user_answered(w, u, &a);
	else
		user_next(w, u, 500, 3000);
	broker_after(w);
}

static void user_operates(struct world *w, int u, struct machine *m)
{
	static const enum task_kind kinds[] = { TASK_STOP, TASK_SUSPEND, TASK_START, TASK_SNAPSHOT, TASK_REVERT };
	struct core_actor by = { .kind = "user" };
	struct pst_err err = PST_ERR_INIT;
	int rc;

	snprintf(by.id, sizeof(by.id), "user-%d", u);
	if (sim_below(w, 2))
		rc = reconciler_logoff(w->rec, m->id, &by, &err);
	else if (sim_below(w, 3))
		rc = reconciler_restart(w->rec, m->id, &by, &err);
	else if (sim_below(w, 2))
		rc = reconciler_refresh(w->rec, m->id, &by, &err);
	else if (sim_below(w, 3))
		rc = reconciler_operate(w->rec, m->id, kinds[sim_below(w, 5)], "a", &by, &err);
	else
		rc = reconciler_delete(w->rec, m->id, &by, &err);
	sim_trace(w, "operate %d %.8s %d", u, m->id, rc);
	broker_result(w, rc, &err, "operate");
	broker_after(w);
}

static void user_ends(struct world *w, int u)
{
	struct user *me = &w->users[u];
	struct machine *m = session_machine(w, me->session);

	me->state = USER_IDLE;
	user_next(w, u, 1000, 60000);
	if (!m)
		return;
	switch (sim_below(w, 4)) {
	case 0: /* closes the window */
		session_lost(w, m, "closed by the user");
		break;
	case 1: /* logs off inside */
		if (m->connected)
			agent_log_off(w, m);
		break;
	case 2: /* from the portal */
		if (w->rec)
			user_operates(w, u, m);
		break;
	default: /* comes again from another client */
		me->state = USER_ASKING;
		break;
	}
}

void user_on_acts(struct world *w, const struct message *m)
{
	struct user *me = &w->users[m->user];

	if (me->state == USER_WORKING) {
		user_ends(w, m->user);
		return;
	}
	if (me->state == USER_IDLE) {
		if (w->calm && me->served) { /* all they wanted */
			return;
		}
		me->state = USER_ASKING;
		me->pool = sim_below(w, w->pool_count);
		me->since = w->now;
	}
	if (!w->rec)
		user_next(w, m->user, 500, 3000);
	else if (me->state == USER_TICKET)
		user_redeems(w, m->user);
	else
		user_asks(w, m->user);
}
