/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Several hosts of the modelled provider: they fall silent, with or without their machines, fill up,
 * and are taken out of service by an administrator who changes his mind. Half of the worlds have one
 * host without a name, as before.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_host.h"

#include <stdio.h>
#include <string.h>

static const char *const names[HOSTS_MAX] = { "kvm0", "kvm1", "kvm2", "kvm3" };

void host_choose_all(struct world *w)
{
	if (sim_below(w, 2))
		return;
	w->host_count = (int)sim_between(w, 2, HOSTS_MAX);
	w->host_moves = sim_below(w, 4) != 0;
	for (int i = 0; i < w->host_count; i++)
		w->hosts[i].capacity = sim_below(w, 3) ? 0 : (int)sim_between(w, 2, 6);
}

int host_index(const struct world *w, const char *name)
{
	for (int i = 0; i < w->host_count && name; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *host_name(int host)
{
	return host < 0 ? "" : names[host];
}

bool host_is_silent(const struct world *w, int host)
{
	return host >= 0 && w->hosts[host].silent_until > w->now;
}

static bool any_is_silent(const struct world *w)
{
	for (int i = 0; i < w->host_count; i++)
		if (host_is_silent(w, i))
			return true;
	return false;
}

size_t host_reports(struct world *w, struct host_report *ret)
{
	for (int i = 0; i < w->host_count; i++) {
		bool answers = !host_is_silent(w, i);

		ret[i] = (struct host_report){ .provider = "local", .name = names[i], .reason = answers ? "" : "the model", .processors = 8,
			                       .memory_mb = 65536, .free_mb = 65536, .capacity = w->hosts[i].capacity, .usable = answers,
			                       .listed = answers };
		for (int k = 0; k < MACHINES_MAX && answers; k++)
			ret[i].machines += w->machines[k].exists && w->machines[k].running && w->machines[k].host == i;
	}
	return (size_t)w->host_count;
}

/* Of a command that is about to leave: nothing new goes where an administrator has said no. */
void host_check_command(struct world *w, const struct provider_command *cmd, int host)
{
	const struct core_state *st = reconciler_state(w->rec);
	const struct core_desktop *d = state_desktop(st, cmd->desktop);
	const struct core_host *h = host < 0 ? NULL : state_host(st, "local", names[host]);
	bool places = cmd->kind == TASK_CREATE || cmd->kind == TASK_MIGRATE;

	if (!places || !d || strcmp(d->t.id, cmd->task) != 0)
		return;
	if (w->host_count && host < 0)
		sim_violation(w, "%s of %s names no host", task_kind_text(cmd->kind), cmd->desktop);
	if (h && h->maintenance && d->t.attempts == 1)
		sim_violation(w, "%s of %s to %s, which is in maintenance", task_kind_text(cmd->kind), cmd->desktop, h->name);
}

/* What is not seen because nobody answers is not gone. */
void host_check_gone(struct world *w, const char *desktop)
{
	const struct machine *m = machine_find(w, desktop);

	if (m && any_is_silent(w))
		sim_violation(w, "machine %s is given up while a host is silent", desktop);
}

/* Can it be done on the hosts that it needs? */
bool host_can_do(struct world *w, const struct message *m)
{
	const struct machine *mc = machine_find(w, m->desktop);

	if (mc && host_is_silent(w, mc->host))
		return false;
	return !((m->kind == TASK_CREATE || m->kind == TASK_MIGRATE) && host_is_silent(w, m->host));
}

void host_move(struct world *w, struct machine *m, int host)
{
	if (host < 0 || !m->running)
		return;
	sim_trace(w, "machine %.8s moves to %s", m->id, names[host]);
	m->host = host;
	m->moved = true;
}

/* Its machines go on, or die with it. */
void host_fails(struct world *w)
{
	int host = w->host_count ? sim_below(w, w->host_count) : -1;
	int64_t lasts = sim_between(w, 5000, 90000);
	bool dies = sim_below(w, 2);

	if (host < 0 || host_is_silent(w, host))
		return;
	sim_trace(w, "host %s %s", names[host], dies ? "dies" : "is silent");
	w->hosts[host].silent_until = w->now + lasts;
	for (int i = 0; i < MACHINES_MAX && dies; i++)
		if (w->machines[i].exists && w->machines[i].host == host)
			machine_stop(w, &w->machines[i], "its host died");
	sim_post(w, PROVISIONER_START, 1)->provisioner = w->provisioner;
	sim_post(w, PROVISIONER_START, lasts + 1)->provisioner = w->provisioner;
}

static void say(struct world *w, int host, bool on)
{
	struct pst_err err = PST_ERR_INIT;
	int rc;

	if (!w->rec)
		return;
	rc = reconciler_maintenance(w->rec, "provider", names[host], on, (int)sim_between(w, 1, 3), NULL, &err);
	sim_trace(w, "maintenance %s %d: %d", names[host], on, rc);
	broker_result(w, rc, &err, "maintenance");
	broker_after(w);
}

void host_maintenance(struct world *w)
{
	if (w->host_count)
		say(w, sim_below(w, w->host_count), sim_below(w, 2));
}

/* In the end one at most is out of service. */
void host_settle(struct world *w)
{
	for (int i = 1; i < w->host_count && w->rec; i++) {
		const struct core_host *h = state_host(reconciler_state(w->rec), "local", names[i]);

		if (h && h->maintenance)
			say(w, i, false);
	}
}

static bool others_are_full(const struct core_state *st)
{
	for (size_t i = 0; i < st->host_count; i++) {
		const struct core_host *h = &st->hosts[i];

		if (!h->maintenance && (!h->capacity || h->here < h->capacity))
			return false;
	}
	return true;
}

void host_check_rest(struct world *w, const struct core_state *st)
{
	for (size_t i = 0; i < st->desktop_count && w->host_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		const struct machine *m = machine_find(w, d->id);
		const struct core_host *h = state_host_of(st, d);

		if (m && d->x.lifecycle == LIFECYCLE_LIVE && strcmp(d->place.host, host_name(m->host)) != 0)
			sim_violation(w, "at rest, desktop %s is on %s, the broker says %s", d->id, host_name(m->host), d->place.host);
		if (h && h->maintenance && w->host_moves && d->x.lifecycle == LIFECYCLE_LIVE && !others_are_full(st))
			sim_violation(w, "at rest, desktop %s is still on %s: %s", d->id, h->name, d->move.why.en);
	}
}
