/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The modelled provisioner and its machines. It does commands one after another
 * for each machine, remembers with the machine which task it did last, and may
 * die between doing and answering.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_admin.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_personal.h"
#include "tests/sim/sim_rollout.h"
#include "tests/sim/sim_sleep.h"

#include <stdio.h>
#include <string.h>

struct machine *machine_find(struct world *w, const char *id)
{
	for (int i = 0; i < MACHINES_MAX; i++)
		if (w->machines[i].exists && !strcmp(w->machines[i].id, id))
			return &w->machines[i];
	return NULL;
}

static struct machine *machine_new(struct world *w, const char *id)
{
	for (int i = 0; i < MACHINES_MAX; i++) {
		struct machine *m = &w->machines[i];

		if (m->exists)
			continue;
		*m = (struct machine){ .exists = true, .uid = 200000 + i, .disk_owner = -1, .occupant = -1, .host = -1, .disk_user = -1 };
		CORE_COPY(m->id, id);
		return m;
	}
	sim_violation(w, "more than %d machines at once", MACHINES_MAX);
	return NULL;
}

void machine_stop(struct world *w, struct machine *m, const char *why)
{
	session_lost(w, m, why);
	if (m->connected) {
		struct message *cut = sim_post(w, AGENT_CUT, sim_between(w, 1, 20000));

		cut->broker = w->broker;
		CORE_COPY(cut->desktop, m->id);
	}
	m->running = m->agent = m->connected = m->mounted = m->slept = false;
	m->occupant = -1;
	m->boot[0] = '\0';
}

/* Repeated, each is as done. A revert leaves what the agent remembers as it is: the snapshot is of this enrolment. */
static void machine_operate(struct world *w, struct machine *m, enum task_kind kind)
{
	bool down = kind == TASK_STOP || kind == TASK_SUSPEND || kind == TASK_REVERT;
	bool up = kind == TASK_START || kind == TASK_REVERT;

	if (kind == TASK_SUSPEND && m->running)
		sleep_suspend(w, m);
	else if (down && kind != TASK_SUSPEND && (m->running || m->slept))
		machine_stop(w, m, "an operation");
	if (up && !m->running && !sleep_resume(w, m)) {
		m->running = true;
		agent_boot(w, m);
	}
}

/* There is nothing to restart, and of several hosts none to make it on. */
static bool is_of_nothing(const struct world *w, const struct machine *m, enum task_kind kind)
{
	return !m && (kind == TASK_RESTART || (kind == TASK_REFRESH && w->host_count));
}

static struct machine *machine_placed(struct world *w, struct machine *m, const struct message *cmd)
{
	if (m && cmd->kind == TASK_CREATE && !m->moved && m->host != cmd->host)
		sim_violation(w, "machine %s is on %s and is made on %s", m->id, host_name(m->host), host_name(cmd->host));
	if (m)
		return m;
	m = machine_new(w, cmd->desktop);
	if (m)
		m->host = cmd->host;
	return m;
}

static void disk_new(struct world *w, struct machine *m, const struct message *cmd)
{
	m->disk_owner = m->disk_user = -1;
	m->keyed = false;
	m->highest = m->told_epoch = 0;
	CORE_COPY(m->version, cmd->version);
	if (cmd->restores)
		bin_take(w, m);
}

/* Made, made anew, or started again; m: NULL when there is none. What was done before has the same answer. */
static void machine_make(struct world *w, struct machine *m, const struct message *cmd)
{
	if ((m && !strcmp(m->task, cmd->task)) || is_of_nothing(w, m, cmd->kind))
		return;
	m = machine_placed(w, m, cmd);
	if (!m)
		return;
	if (cmd->kind == TASK_REFRESH)
		personal_check_refresh(w, m);
	machine_stop(w, m, "restarted");
	if (cmd->kind != TASK_RESTART)
		disk_new(w, m, cmd);
	CORE_COPY(m->task, cmd->task);
	CORE_COPY(m->token, cmd->token);
	m->running = true;
	agent_boot(w, m);
}

/* The host does what the command says. */
static void machine_do(struct world *w, const struct message *cmd)
{
	struct machine *m = machine_find(w, cmd->desktop);

	if (cmd->kind == TASK_DESTROY) {
		if (m) {
			machine_stop(w, m, "destroyed");
			if (cmd->kept && m->disk_owner >= 0)
				bin_put(w, m);
			m->exists = false;
		}
		return;
	}
	if (cmd->kind == TASK_ATTACH || cmd->kind == TASK_DETACH) {
		if (m)
			personal_do(w, m, cmd);
		return;
	}
	if (operation_is(cmd->kind) || cmd->kind == TASK_START || cmd->kind == TASK_REVERT) {
		if (m && cmd->kind == TASK_MIGRATE)
			host_move(w, m, cmd->host);
		else if (m)
			machine_operate(w, m, cmd->kind);
		return;
	}
	machine_make(w, m, cmd);
}

void host_on_command(struct world *w, const struct message *m)
{
	struct machine *mc = machine_find(w, m->desktop);
	int64_t takes = sim_between(w, 50, sim_chance(w, w->faults.slow) ? 90000 : 3000);
	struct message *done;

	if (m->provisioner != w->provisioner || !w->provisioner_up)
		return;
	if (!mc && operation_is(m->kind))
		takes = 1; /* of nothing: it is not still at it when there is a machine again */
	if (mc && mc->busy_until > w->now)
		takes += mc->busy_until - w->now;
	if (mc)
		mc->busy_until = w->now + takes;
	done = sim_post(w, PROVISIONER_DONE, takes);
	done->provisioner = m->provisioner;
	done->kind = m->kind;
	done->host = m->host;
	done->disk_user = m->disk_user;
	done->disk_pool = m->disk_pool;
	done->kept = m->kept;
	done->restores = m->restores;
	CORE_COPY(done->desktop, m->desktop);
	CORE_COPY(done->task, m->task);
	CORE_COPY(done->token, m->token);
	CORE_COPY(done->version, m->version);
}

/* A creation that fails may leave half a machine behind. */
static bool machine_fails(struct world *w, const struct message *m)
{
	const struct machine *mc = machine_find(w, m->desktop);

	if ((mc && !strcmp(mc->task, m->task) && !operation_is(m->kind)) || !sim_chance(w, w->faults.task_fails))
		return false;
	if ((m->kind == TASK_CREATE || m->kind == TASK_MIGRATE || m->kind == TASK_ATTACH || m->kind == TASK_SUSPEND) && sim_below(w, 2))
		machine_do(w, m);
	return true;
}

/* Its provisioner died, before or after the deed. */
static void host_did(struct world *w, const struct message *m)
{
	bool is_at_once = m->kind == TASK_ATTACH || m->kind == TASK_DETACH; /* its hand dies with it */
	struct machine *mc = machine_find(w, m->desktop);

	if (!sim_below(w, 2) || !host_can_do(w, m) || !bin_has(w, m) || is_at_once)
		return;
	machine_do(w, m);
	if (mc && m->kind == TASK_SUSPEND)
		mc->unanswered = false; /* of another life: as good as a stop by the host */
}

void host_on_done(struct world *w, const struct message *m)
{
	struct message *answer;
	bool fails;

	if (m->provisioner != w->provisioner || !w->provisioner_up) {
		host_did(w, m);
		return;
	}
	fails = !host_can_do(w, m) || !bin_has(w, m) || machine_fails(w, m);
	if (!fails)
		machine_do(w, m);
	sim_trace(w, "provisioner %s %.8s %s", task_kind_text(m->kind), m->desktop, fails ? "no" : "yes");
	if (sim_chance(w, w->faults.answer_lost))
		return;
	for (int copies = sim_chance(w, w->faults.answer_doubled) ? 2 : 1; copies; copies--) {
		answer = sim_post(w, TASK_ANSWER, sim_between(w, 1, sim_chance(w, w->faults.slow) ? 70000 : 100));
		answer->broker = w->broker;
		answer->ok = !fails;
		answer->retryable = fails && sim_below(w, 4) != 0;
		CORE_COPY(answer->task, m->task);
		CORE_COPY(answer->desktop, m->desktop);
		answer->kind = m->kind;
	}
}

void host_on_answer(struct world *w, const struct message *m)
{
	const struct machine *mc = machine_find(w, m->desktop);
	struct provider_result res = { .task = m->task, .ok = m->ok, .retryable = m->retryable };
	struct pst_err err = PST_ERR_INIT;
	char endpoint[64];

	if (m->broker != w->broker || !w->rec)
		return;
	if (m->ok && mc) {
		snprintf(endpoint, sizeof(endpoint), w->agentless ? "{\"kind\":\"rfb\",\"host\":\"10.0.0.1\",\"port\":5900}" : "{\"kind\":\"unix\",\"path\":\"/run/%.8s\"}", m->desktop);
		res.endpoint = endpoint;
		res.uid = w->agentless ? 0 : mc->uid;
		res.host = host_name(mc->host);
	}
	if (!m->ok) {
		res.error_code = "model";
		res.error = "the model says no";
	}
	if (m->ok && w->agentless) {
		rollout_saw(w, m->desktop);
		if (!operation_is(m->kind)) /* it says that the machine runs: there is no better witness */
			sleep_answered(w, m->desktop);
	}
	sim_trace(w, "answer %.8s %d", m->task, m->ok);
	broker_result(w, reconciler_task_result(w->rec, &res, &err), &err, "task result");
	broker_after(w);
}

/* A host that cannot be asked says so; one that is confused says that it has nothing. */
static struct machine_list machine_list(struct world *w, struct machine_report *ret, struct host_report *hosts)
{
	static const char *const silent[] = { "local" };
	size_t n = 0, host_count = host_reports(w, hosts);

	if (w->silent_until > w->now)
		return (struct machine_list){ .machines = ret, .unlisted = silent, .unlisted_count = 1 };
	for (int i = 0; i < MACHINES_MAX && w->empty_until <= w->now; i++) {
		struct machine *m = &w->machines[i];

		if (!m->exists || host_is_silent(w, m->host))
			continue;
		if (m->running && w->agentless) { /* no agent will say more */
			rollout_saw(w, m->id);
			sleep_answered(w, m->id);
		}
		ret[n++] = (struct machine_report){
			.desktop = m->id, .task = m->task, .state = m->running ? "running" : "stopped", .reason = "", .uid = w->agentless ? 0 : m->uid,
			.host = host_name(m->host)
		};
	}
	return (struct machine_list){ .machines = ret, .count = n, .hosts = hosts, .host_count = host_count };
}

void host_on_inventory_ask(struct world *w, const struct message *m)
{
	if (m->provisioner == w->provisioner && w->provisioner_up)
		sim_post(w, INVENTORY_ANSWER, sim_between(w, 1, 50))->broker = w->broker;
}

/* The list is of the moment of its arrival but one: good enough, since a list
 * that is old by the time it is read is what a hello after a pause is. */
void host_on_inventory(struct world *w, const struct message *m)
{
	struct machine_report machines[MACHINES_MAX];
	struct host_report hosts[HOSTS_MAX];
	struct machine_list list = machine_list(w, machines, hosts);
	struct pst_err err = PST_ERR_INIT;

	if (m->broker != w->broker || !w->rec || !w->provisioner_up)
		return;
	sim_trace(w, "inventory %zu%s", list.count, list.unlisted_count ? " silent" : "");
	broker_result(w, reconciler_inventory(w->rec, &list, &err), &err, "inventory");
	broker_after(w);
}

/* The provisioner connects, and says hello. */
void host_on_start(struct world *w, const struct message *m)
{
	struct provider_report pr = { .name = "local", .kind = "local", .healthy = true, .reason = "", .can = "power,suspend,snapshot,personal" };
	struct machine_report machines[MACHINES_MAX];
	struct host_report hosts[HOSTS_MAX];
	struct machine_list list = machine_list(w, machines, hosts);
	struct pst_err err = PST_ERR_INIT;
	int rc;

	pr.healthy = !list.unlisted_count;
	pr.can = w->host_moves ? "power,suspend,snapshot,migrate,personal" : pr.can;
	w->provisioner_up = true;
	if (!w->rec)
		return; /* broker_start() has it connect */
	sim_trace(w, "provisioner hello");
	rc = reconciler_provisioner_hello(w->rec, &(struct provider_list){ .reports = &pr, .count = 1 }, &list, &err);
	broker_result(w, rc, &err, "hello");
	if (rc < 0 && !w->dying) { /* it is dropped, and comes again */
		w->provisioner_up = false;
		w->provisioner++;
		reconciler_provisioner_gone(w->rec);
		sim_post(w, PROVISIONER_START, 1000);
	}
	broker_after(w);
}
