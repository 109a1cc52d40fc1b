/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What goes wrong by itself: deaths, lost machines, lost connections, clock steps.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_host.h"

#include <stdio.h>
#include <string.h>

/* Each seed has its own weather; some have none. */
void fault_choose(struct world *w)
{
	int weather = sim_below(w, 4);

	if (weather) {
		w->faults = (struct faults){
			.crash_before = sim_below(w, 8 * weather),
			.crash_after = sim_below(w, 8 * weather),
			.crash_amid = sim_below(w, 8 * weather),
			.write_fails = sim_below(w, 10 * weather),
			.task_fails = sim_below(w, 120 * weather),
			.task_dies = sim_below(w, 60 * weather),
			.answer_lost = sim_below(w, 60 * weather),
			.answer_doubled = sim_below(w, 60 * weather),
			.slow = sim_below(w, 60 * weather),
			.sleep_lies = sim_below(w, 60 * weather),
			.sleep_ends = sim_below(w, 60 * weather),
		};
		sim_post(w, FAULT, sim_between(w, 1000, 30000));
	}
	for (int i = sim_below(w, 4) ? 0 : sim_below(w, 4); i > 0; i--) {
		struct machine *m = &w->machines[i];

		/* A machine that nobody knows, of an installation that was restored. */
		*m = (struct machine){ .exists = true, .running = true, .ghost = true, .disk_owner = -1, .occupant = -1, .host = -1, .disk_user = -1 };
		if (w->host_count)
			m->host = sim_below(w, w->host_count);
		sim_uuid(w, m->id);
	}
}

static struct machine *fault_machine(struct world *w)
{
	struct machine *m = &w->machines[sim_below(w, MACHINES_MAX)];

	for (int i = 0; i < MACHINES_MAX && !m->exists; i++)
		m = &w->machines[i];
	return m->exists ? m : NULL;
}

static void fault_report(struct world *w, struct machine *m, const char *state)
{
	struct machine_report rep = { .desktop = m->id, .task = m->task, .state = state, .reason = "the model" };
	struct pst_err err = PST_ERR_INIT;

	if (!w->rec || !w->provisioner_up || sim_below(w, 3) == 0)
		return;
	sim_trace(w, "report %.8s %s", m->id, state);
	broker_result(w, reconciler_machine_report(w->rec, &rep, &err), &err, "machine report");
	broker_after(w);
}

static void fault_agent_drops(struct world *w)
{
	struct machine *m = fault_machine(w);
	struct message *again;

	if (!m || !m->connected || !w->rec)
		return;
	sim_trace(w, "agent %.8s drops", m->id);
	m->connected = false;
	reconciler_agent_gone(w->rec, m->id);
	broker_after(w);
	again = sim_post(w, AGENT_CONNECT, sim_between(w, 100, 30000));
	CORE_COPY(again->desktop, m->id);
	CORE_COPY(again->boot, m->boot);
}

static void fault_provisioner_dies(struct world *w)
{
	if (!w->provisioner_up)
		return;
	sim_trace(w, "provisioner dead");
	w->provisioner_up = false;
	w->provisioner++;
	if (w->rec)
		reconciler_provisioner_gone(w->rec);
	broker_after(w);
	sim_post(w, PROVISIONER_START, sim_between(w, 100, 30000));
}

static void fault_machine_ends(struct world *w, bool gone)
{
	struct machine *m = fault_machine(w);

	if (!m || m->ghost || m->busy_until > w->now || host_is_silent(w, m->host))
		return;
	machine_stop(w, m, "the host");
	if (gone)
		m->exists = false;
	fault_report(w, m, gone ? "gone" : "stopped");
}

/* The provisioner sees it, and that it is over, and tells both by a hello. */
static void fault_host(struct world *w, int64_t *until)
{
	int64_t lasts = sim_between(w, 5000, 90000);

	if (*until > w->now)
		return;
	*until = w->now + lasts;
	sim_post(w, PROVISIONER_START, 1)->provisioner = w->provisioner;
	sim_post(w, PROVISIONER_START, lasts + 1)->provisioner = w->provisioner;
}

void fault_on(struct world *w, const struct message *m)
{
	if (w->calm)
		return;
	sim_post(w, FAULT, sim_between(w, 1000, 30000));
	switch (sim_below(w, w->host_count ? 13 : 9)) {
	case 0:
		broker_die(w);
		break;
	case 1:
		fault_provisioner_dies(w);
		break;
	case 2:
		fault_machine_ends(w, true);
		break;
	case 3:
		fault_machine_ends(w, false);
		break;
	case 4:
	case 5:
		fault_agent_drops(w);
		break;
	case 6:
		sim_trace(w, "host silent");
		fault_host(w, &w->silent_until);
		break;
	case 7:
		sim_trace(w, "host lists nothing");
		fault_host(w, &w->empty_until);
		break;
	case 9:
	case 10:
		host_fails(w);
		break;
	case 11:
	case 12:
		host_maintenance(w);
		break;
	default:
		w->wall_offset += sim_between(w, -86400000, 86400000);
		sim_trace(w, "clock step");
		break;
	}
}
