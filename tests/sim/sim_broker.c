/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The broker in the simulated world: the real reconciler, the ops that carry its
 * commands away, and its deaths around every commit and every command.
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_admin.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_personal.h"
#include "tests/sim/sim_rollout.h"
#include "tests/sim/sim_sleep.h"

#include "db/db_priv.h"
#include "db/image.h"
#include "db/pool.h"
#include "db/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ops ---- */

static void op_now(void *arg, struct core_now *ret)
{
	struct world *w = arg;

	*ret = (struct core_now){ w->now, 1700000000000 + w->now + w->wall_offset };
}

static void op_uuid(void *arg, char ret[CORE_ID_SIZE])
{
	sim_uuid(arg, ret);
}

static void op_wake(void *arg, int64_t delay_ms)
{
	struct world *w = arg;

	w->wake_at = delay_ms < 0 ? -1 : w->now + delay_ms;
}

/* A dead broker sends nothing more. */
static bool op_is_dead(struct world *w)
{
	if (w->dying && w->amid-- <= 0)
		return true;
	return false;
}

static void op_provision(void *arg, const struct provider_command *cmd)
{
	struct world *w = arg;
	int copies = sim_chance(w, w->faults.answer_doubled) ? 2 : 1;
	struct machine *mc = machine_find(w, cmd->desktop);
	int host = host_index(w, cmd->kind == TASK_MIGRATE ? cmd->arg : cmd->host);
	int64_t at = w->now + sim_between(w, 1, sim_chance(w, w->faults.slow) ? 90000 : 200);

	if (op_is_dead(w) || !w->provisioner_up || sim_chance(w, w->faults.answer_lost))
		return;
	host_check_command(w, cmd, host);
	sim_trace(w, "command %s %.8s task %.8s", task_kind_text(cmd->kind), cmd->desktop, cmd->task);
	/* One stream: what is sent later to a machine arrives later. */
	if (mc && at < mc->heard_until)
		at = mc->heard_until;
	if (mc)
		mc->heard_until = at;
	for (int i = 0; i < copies; i++) {
		struct message *m = sim_post(w, TO_PROVISIONER, at - w->now);

		m->provisioner = w->provisioner;
		m->kind = cmd->kind;
		m->host = host;
		CORE_COPY(m->desktop, cmd->desktop);
		CORE_COPY(m->task, cmd->task);
		CORE_COPY(m->token, cmd->enrol_token);
		CORE_COPY(m->version, cmd->image_version);
		m->kept = cmd->recycling.keep_ms > 0;
		m->restores = cmd->recycling.is_restore;
		m->disk_user = cmd->owner ? atoi(cmd->owner + strlen("user-")) : -1;
		m->disk_pool = cmd->owner ? atoi(cmd->disk + strlen("pool-")) : -1;
	}
}

static void op_inventory(void *arg)
{
	struct world *w = arg;

	if (op_is_dead(w) || !w->provisioner_up)
		return;
	sim_post(w, INVENTORY_ASK, sim_between(w, 1, 500))->provisioner = w->provisioner;
}

static void op_tell_agent(void *arg, const char *desktop, const struct agent_message *msg)
{
	struct world *w = arg;
	struct machine *mc = machine_find(w, desktop);
	struct message *m;
	int64_t at;

	if (op_is_dead(w))
		return;
	sim_trace(w, "tell %.8s %d %lld", desktop, msg->kind, (long long)msg->epoch);
	at = w->now + sim_between(w, 1, sim_chance(w, w->faults.slow) ? 20000 : 50);
	/* One connection: what is said later is heard later. */
	if (mc && at < mc->told_until)
		at = mc->told_until;
	if (mc)
		mc->told_until = at;
	m = sim_post(w, AGENT_TOLD, at - w->now);
	m->epoch = msg->epoch;
	if (msg->kind == AGENT_TELL_MESSAGE)
		rollout_check_told(w, desktop);
	m->tell = msg->kind;
	m->broker = w->broker;
	CORE_COPY(m->desktop, desktop);
	/* It goes to the agent that is connected now, not to a later one. */
	CORE_COPY(m->boot, machine_find(w, desktop) ? machine_find(w, desktop)->boot : "");
}

static void op_end_session(void *arg, const char *session, const char *gateway, const struct core_reason *why)
{
	struct world *w = arg;
	struct message *m;

	if (op_is_dead(w))
		return;
	if (!why->code[0] || !why->en[0] || !why->es[0])
		sim_violation(w, "session %s is ended without a reason", session);
	sim_trace(w, "end session %.8s %s", session, why->code);
	if (!strcmp(why->code, "new_version"))
		rollout_check_forced(w, session);
	m = sim_post(w, END_SESSION, sim_between(w, 1, 50));
	m->broker = w->broker;
	CORE_COPY(m->session, session);
}

static int op_audit(void *arg, const struct audit_entry *entry, struct pst_err *err)
{
	struct world *w = arg;

	sim_trace(w, "audit %s %.8s", entry->kind, entry->object_id);
	bin_audit(w, entry);
	if (!strcmp(entry->kind, "desktop.assigned"))
		sleep_check_assigned(w, entry->object_id);
	w->woken += !strcmp(entry->kind, "desktop.resumed");
	if (!strcmp(entry->kind, "desktop.replaced"))
		rollout_check_replaced(w, entry->object_id);
	if (!strcmp(entry->kind, "machine.gone"))
		host_check_gone(w, entry->object_id);
	w->rollouts += !strcmp(entry->kind, "rollout.done");
	w->reverted += !strcmp(entry->kind, "rollout.reverted") && strstr(entry->detail, "by itself") != NULL;
	return 0;
}

static void op_changed(void *arg, const char *kind, const char *id)
{
}

static void op_waiter(void *arg, const char *user_id, const char *pool_id)
{
}

const struct reconciler_ops sim_ops = {
	.now = op_now,
	.uuid = op_uuid,
	.wake = op_wake,
	.provision = op_provision,
	.inventory = op_inventory,
	.tell_agent = op_tell_agent,
	.end_session = op_end_session,
	.audit = op_audit,
	.changed = op_changed,
	.waiter = op_waiter,
};

/* ---- death and life ---- */

/* SQLite asks before each commit; non-zero makes it a rollback. */
static int broker_commits(void *arg)
{
	struct world *w = arg;

	if (!w->rec || w->dying)
		return 0;
	if (sim_chance(w, w->faults.write_fails)) {
		sim_trace(w, "the write fails");
		w->write_failed = true;
		return 1;
	}
	if (sim_chance(w, w->faults.crash_before)) {
		sim_trace(w, "dies before the commit");
		w->dying = w->write_failed = true;
		w->amid = 0;
		return 1;
	}
	if (sim_chance(w, w->faults.crash_after)) {
		sim_trace(w, "dies after the commit");
		w->dying = true;
		w->amid = 0;
	} else if (sim_chance(w, w->faults.crash_amid)) {
		sim_trace(w, "dies amid its commands");
		w->dying = true;
		w->amid = 1 + sim_below(w, 3);
	}
	return 0;
}

void broker_die(struct world *w)
{
	if (!w->rec)
		return;
	sim_trace(w, "broker dead");
	reconciler_destroy(w->rec);
	w->rec = NULL;
	w->dying = false;
	w->wake_at = -1;
	w->broker++;
	w->crashes++;
	for (int i = 0; i < MACHINES_MAX; i++)
		w->machines[i].connected = false;
	sim_post(w, BROKER_START, sim_between(w, 100, w->calm ? 1000 : 20000));
}

/* Whoever stopped a desktop starts it again in the end. */
static void broker_start_parked(struct world *w)
{
	for (size_t i = 0; w->rec && i < reconciler_state(w->rec)->desktop_count; i++) {
		const struct core_desktop *d = reconciler_state(w->rec)->desktops[i];
		struct pst_err err = PST_ERR_INIT;

		if (!d->x.parked || d->t.id[0] || d->x.lifecycle != LIFECYCLE_LIVE || d->x.power != POWER_OFF)
			continue;
		sim_trace(w, "start %.8s", d->id);
		broker_result(w, reconciler_operate(w->rec, d->id, TASK_START, "", NULL, &err), &err, "start");
		broker_after(w);
	}
}

void broker_allow(struct world *w)
{
	struct pst_err err = PST_ERR_INIT;

	if (!w->rec)
		return;
	meddle_calm(w);
	if (w->rec)
		broker_start_parked(w);
	host_settle(w);
	if (w->rec)
		rollout_calm(w);
	if (!w->rec || w->empty_until > w->now || !reconciler_state(w->rec)->missing_paused)
		return;
	sim_trace(w, "allow");
	broker_result(w, reconciler_reap_allow(w->rec, NULL, &err), &err, "allow");
	broker_after(w);
}

void broker_after(struct world *w)
{
	if (w->dying)
		broker_die(w);
}

/* The database never has to correct the core. */
void broker_result(struct world *w, int rc, const struct pst_err *err, const char *what)
{
	if (rc < 0 && !w->dying)
		sim_trace(w, "%s: %s", what, err->text);
	if (!w->write_failed && (rc == PST_EINVAL || (rc == PST_ECONFLICT && strstr(err->text, "exists already"))))
		sim_violation(w, "%s: the database had to refuse a decision: %s", what, err->text);
	w->write_failed = false;
}

static void broker_mutate(const struct world *w, struct core_state *st)
{
	st->fence_epochs = strcmp(w->mutate, "fence") != 0;
	st->keep_dirty = strcmp(w->mutate, "dirty") != 0;
	st->verify_first = strcmp(w->mutate, "verify") != 0;
	st->mind_spare = strcmp(w->mutate, "spare") != 0;
	st->mind_personal = strcmp(w->mutate, "personal") != 0;
	st->mind_sleep = strcmp(w->mutate, "sleep") != 0;
}

void broker_start(struct world *w)
{
	struct pst_err err = PST_ERR_INIT;

	if (w->rec)
		return;
	if (reconciler_create(w->db, &sim_ops, w, &w->rec, &err) < 0) {
		sim_violation(w, "the broker does not start: %s", err.text);
		return;
	}
	sim_trace(w, "broker up");
	broker_mutate(w, (struct core_state *)reconciler_state(w->rec));
	reconciler_tick(w->rec);
	broker_after(w);
	for (int i = 0; i < MACHINES_MAX; i++)
		if (w->machines[i].exists && w->machines[i].agent) {
			struct message *m = sim_post(w, AGENT_CONNECT, sim_between(w, 10, 3000));

			CORE_COPY(m->desktop, w->machines[i].id);
			CORE_COPY(m->boot, w->machines[i].boot);
		}
	sim_post(w, PROVISIONER_START, sim_between(w, 10, 3000))->broker = w->broker;
	sim_post(w, GATEWAY_HELLO, sim_between(w, 10, 3000))->broker = w->broker;
}

/* ---- the rows that an administrator has made ---- */

static int broker_make_pool(struct world *w, int i, struct pst_err *err)
{
	struct pool_row p = { .enabled = true, .created = 1, .updated = 1, .clipboard_in = true };
	static const char *const ends[] = { "refresh", "delete", "keep" };

	snprintf(p.id, sizeof(p.id), "pool-%d", i);
	snprintf(p.name, sizeof(p.name), "pool %d", i);
	CORE_COPY(p.provider_id, "provider");
	CORE_COPY(p.image_id, "image");
	CORE_COPY(p.image_version, "latest");
	CORE_COPY(p.kind, sim_below(w, 3) ? "floating" : "dedicated");
	CORE_COPY(p.on_logoff, ends[sim_below(w, 10) < 6 ? 0 : 1 + sim_below(w, 2)]);
	p.max = sim_between(w, 1, 4);
	p.min = sim_between(w, 0, p.max);
	p.spare = sim_between(w, 0, 2);
	p.spare_suspended = sim_below(w, 2) ? (int)sim_between(w, 1, 3) : 0;
	p.logoff_after_disconnect_s = sim_below(w, 2) ? sim_between(w, 5, 60) : 0;
	return db_pool_insert(w->db, &p, err) < 0 ? err->code : personal_choose(w, p.id, i, err);
}

static int broker_make_user(struct world *w, int i, struct pst_err *err)
{
	struct db_query q;
	char id[16];

	snprintf(id, sizeof(id), "user-%d", i);
	db_query_begin(&q, w->db, "INSERT INTO users (id, name, created, updated) VALUES (?1, ?1, 1, 1)", err);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int broker_make_rows(struct world *w, struct pst_err *err)
{
	struct provider_row pr = { .id = "provider", .name = "local", .kind = "local", .enabled = true };
	struct image_row im = { .id = "image", .name = "demo", .published = "1" };
	struct version_row iv = { .image_id = "image", .verified = 1 };
	int rc;

	pr.max_creates = sim_between(w, 1, 4);
	pr.capacity = sim_below(w, 2) ? sim_between(w, 2, 8) : 0;
	w->user_count = (int)sim_between(w, 1, USERS_MAX);
	w->pool_count = (int)sim_between(w, 1, POOLS_MAX);
	rc = db_provider_insert(w->db, &pr, err);
	if (rc == 0)
		rc = db_image_insert(w->db, &im, err);
	for (int v = 1; v <= VERSIONS_MAX && rc == 0; v++) {
		snprintf(iv.id, sizeof(iv.id), "version-%d", v);
		snprintf(iv.version, sizeof(iv.version), "%d", v);
		rc = db_version_insert(w->db, &iv, err);
		iv.verified = 0;
	}
	for (int i = 0; i < w->pool_count && rc == 0; i++)
		rc = broker_make_pool(w, i, err);
	for (int i = 0; i < w->user_count && rc == 0; i++)
		rc = broker_make_user(w, i, err);
	sqlite3_commit_hook(w->db->handle, broker_commits, w);
	return rc;
}

void broker_unhook(struct world *w)
{
	sqlite3_commit_hook(w->db->handle, NULL, NULL);
}
