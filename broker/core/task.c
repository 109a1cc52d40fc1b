/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Intents. A task is a row before it is a command; the command carries the row's
 * uuid, and is repeated with it until the provisioner has answered. One unfinished
 * task per desktop.
 *
 *	pending ──send──► sent ──yes──► done
 *	   ▲               │ └───no──► failed
 *	   └──"try again"──┘
 */
#include "broker/core/core_priv.h"

#include <string.h>

static void task_write(struct core_round *c, const struct core_task *t)
{
	change_add(c, CHANGE_TASK)->t = *t;
}

static void task_init(struct core_round *c, struct core_task *t, const char *desktop_id, enum task_kind kind)
{
	*t = (struct core_task){ .kind = kind, .due_ms = c->now->mono_ms, .created_wall = c->now->wall_ms };
	c->ids->uuid(c->ids->arg, t->id);
	CORE_COPY(t->desktop_id, desktop_id);
	task_write(c, t);
}

static void task_finish(struct core_round *c, struct core_task *t, enum task_state state)
{
	t->state = state;
	task_write(c, t);
	memset(t, 0, sizeof(*t));
}

void task_start(struct core_round *c, struct core_desktop *d, enum task_kind kind)
{
	desktop_touch(c, d);
	if (d->t.id[0]) {
		CORE_COPY(d->t.error_code, "superseded");
		task_finish(c, &d->t, TASK_FAILED);
	}
	task_init(c, &d->t, d->id, kind);
}

/* Of a task that has just begun: its change is the last one. */
void task_rewrite(struct core_round *c, const struct core_task *t)
{
	task_write(c, t);
}

void task_start_orphan(struct core_round *c, struct core_orphan *o)
{
	struct core_change *ch;

	task_init(c, &o->t, o->id, TASK_DESTROY);
	ch = change_add(c, CHANGE_AUDIT);
	ch->word = "machine.orphan_destroyed";
	ch->object_kind = "machine";
	CORE_COPY(ch->desktop_id, o->id);
	CORE_COPY(ch->actor.kind, "system");
}

int64_t task_backoff(int failures)
{
	int64_t ms = BACKOFF_FIRST_MS;

	while (--failures > 0 && ms < BACKOFF_MAX_MS)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

void task_all_due(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (!d->t.id[0])
			continue;
		desktop_touch(c, d);
		d->t.due_ms = c->now->mono_ms;
	}
	for (size_t i = 0; i < c->st->orphan_count; i++)
		c->st->orphans[i].t.due_ms = c->now->mono_ms;
}

/* ---- answers ---- */

/* They were of the disk that is gone. */
static void snapshots_gone(struct core_round *c, const struct core_desktop *d)
{
	CORE_COPY(change_add(c, CHANGE_SNAPSHOT_GONE)->desktop_id, d->id);
}

static const char *const up_words[TASK_KIND_COUNT] = { [TASK_CREATE] = "desktop.created", [TASK_REFRESH] = "desktop.refreshed",
	                                               [TASK_RESTART] = "desktop.restarted", [TASK_START] = "desktop.started",
	                                               [TASK_REVERT] = "desktop.reverted" };

static void task_machine_is_up(struct core_round *c, struct core_desktop *d, enum task_kind kind)
{
	const struct provider_result *res = c->ev->result;

	d->x.lifecycle = LIFECYCLE_LIVE;
	d->x.power = POWER_ON;
	if (kind == TASK_REFRESH) /* one that was created is clean from the start, unless its disk was restored */
		d->x.hygiene = HYGIENE_CLEAN;
	if (res->endpoint)
		desktop_set_endpoint(d, res->endpoint);
	if (res->uid > 0)
		d->uid = res->uid;
	if (res->host && res->host[0])
		CORE_COPY(d->place.host, res->host);
	d->missing = 0;
	memset(&d->reason, 0, sizeof(d->reason));
	personal_started(c, d, kind);
	desktop_await_agent(c, d);
	if (kind == TASK_REFRESH)
		snapshots_gone(c, d);
	timing_prepared(c, d);
	audit(c, up_words[kind], d, "");
	if (d->x.lease == LEASE_HELD)
		tell_waiter(c, d->a.user_id, d->pool_id);
}

/* For estimates: the last ones count most. */
static void provider_note_made(struct core_round *c, const struct core_desktop *d)
{
	struct core_provider *pr = d->begun.ms ? state_provider(c->st, d->provider_id) : NULL;
	int64_t ms = c->now->mono_ms - d->begun.ms;

	if (pr && ms >= 0 && ms < 86400000)
		pr->make_ms = pr->make_ms ? (int)((pr->make_ms * 7LL + ms) / 8) : (int)ms;
}

static void task_yes(struct core_round *c, struct core_desktop *d)
{
	struct core_task t = d->t;

	task_finish(c, &d->t, TASK_DONE);
	d->last = t;
	d->last.state = TASK_DONE;
	if (t.kind == TASK_DESTROY) {
		d->x.lifecycle = LIFECYCLE_DELETED;
		d->x.power = POWER_OFF;
		personal_released(c, d);
		snapshots_gone(c, d);
		if (state_host_of(c->st, d))
			host_charge(state_host_of(c->st, d), pool_memory_mb(state_pool(c->st, d->pool_id)), -1);
		audit(c, "desktop.deleted", d, "");
	} else if (operation_is(t.kind)) {
		operation_done(c, d, &t);
	} else {
		if (t.kind == TASK_CREATE)
			provider_note_made(c, d);
		task_machine_is_up(c, d, t.kind);
	}
	spare_is_up(c, d);
}

static bool task_tries_again(const struct core_task *t, bool retryable)
{
	return t->kind == TASK_DESTROY || (retryable && t->failures < TASK_TRIES);
}

static void task_note_error(struct core_task *t, const struct provider_result *res)
{
	CORE_COPY(t->error_code, res->error_code && res->error_code[0] ? res->error_code : "failed");
	CORE_COPY(t->error, res->error && res->error[0] ? res->error : "the provider gave no reason");
	t->failures++;
}

static void task_again(struct core_round *c, struct core_task *t)
{
	t->state = TASK_PENDING;
	t->due_ms = c->now->mono_ms + task_backoff(t->failures);
	task_write(c, t);
}

/* The end of a task that will not be repeated. */
static void task_give_up(struct core_round *c, struct core_desktop *d)
{
	struct core_task t = d->t;
	enum task_kind kind = t.kind;
	struct core_reason why;

	reason_set(&why, REASON_TASK_FAILED, task_kind_text(kind), d->t.error);
	audit(c, "task.failed", d, d->t.error);
	task_finish(c, &d->t, TASK_FAILED);
	d->last = t;
	d->last.state = TASK_FAILED;
	memset(&d->reason, 0, sizeof(d->reason));
	if (operation_is(kind))
		operation_failed(c, d, &t);
	else if (kind == TASK_REVERT)
		desktop_restart(c, d); /* whatever the host has made of it: with the disk that it has */
	else if (d->x.sleep == SLEEP_RESUMING)
		spare_astray(c, d, &why);
	else if (kind == TASK_REFRESH && d->x.lease == LEASE_FREE)
		desktop_delete(c, d); /* a new one is as good as a new disk */
	else
		desktop_fail(c, d, &why);
	spare_is_up(c, d);
}

static void task_no(struct core_round *c, struct core_desktop *d, const struct provider_result *res)
{
	struct core_reason why = { .code = "" };

	task_note_error(&d->t, res);
	reason_set(&d->reason, REASON_TASK_RETRY, d->t.error, NULL);
	CORE_COPY(why.en, d->t.error);
	if ((d->t.kind == TASK_CREATE || d->t.kind == TASK_REFRESH) && !restore_is_unfinished(d))
		breaker_fail(c, d, &why); /* a disk that cannot come back is no fault of its version */
	if (task_tries_again(&d->t, res->retryable)) {
		task_again(c, &d->t);
		return;
	}
	task_give_up(c, d);
}

static void task_orphan_result(struct core_round *c, struct core_orphan *o)
{
	if (!c->ev->result->ok) {
		task_note_error(&o->t, c->ev->result);
		task_again(c, &o->t);
		return;
	}
	task_finish(c, &o->t, TASK_DONE);
	state_remove_orphan(c->st, o);
}

/* A machine that nobody can reach is not made, whatever its provider says. */
static bool task_is_reachable(const struct core_desktop *d, const struct provider_result *res)
{
	bool endpoint = d->endpoint[0] || (res->endpoint && res->endpoint[0]);

	bool remote = core_endpoint_is_remote(res->endpoint && res->endpoint[0] ? res->endpoint : d->endpoint);

	return d->t.kind == TASK_DESTROY || (endpoint && (remote || d->uid || res->uid > 0));
}

void task_on_result(struct core_round *c)
{
	static const struct provider_result unreachable = { .retryable = true,
		                                            .error_code = "no_endpoint",
		                                            .error = "the answer names no endpoint or uid" };
	struct core_desktop *d = state_desktop_of_task(c->st, c->ev->result->task);
	struct core_orphan *o = d ? NULL : state_orphan_of_task(c->st, c->ev->result->task);

	if (o) {
		task_orphan_result(c, o);
		return;
	}
	/* Late and doubled answers are of a task that has an end already. */
	if (!d)
		return;
	desktop_touch(c, d);
	if (!c->ev->result->ok)
		task_no(c, d, c->ev->result);
	else if (!task_is_reachable(d, c->ev->result))
		task_no(c, d, &unreachable);
	else
		task_yes(c, d);
}

/* ---- sending ---- */

static void task_send(struct core_round *c, struct core_task *t)
{
	struct core_command *cmd;

	t->state = TASK_SENT;
	t->attempts++;
	t->due_ms = c->now->mono_ms + TASK_RESEND_MS;
	task_write(c, t);
	cmd = command_add(c, COMMAND_PROVISION);
	CORE_COPY(cmd->desktop_id, t->desktop_id);
	cmd->t = *t;
}

/* A host that cannot make desktops now is not asked to; its hello tells when it can. */
static bool task_waits_for_health(struct core_round *c, struct core_desktop *d, const struct core_provider *pr)
{
	const struct core_served *served = state_served(c->st, pr->name);
	bool restarts = d->t.kind == TASK_RESTART && !(served && served->silent);

	if (pr->healthy || d->t.kind == TASK_DESTROY || restarts)
		return false;
	if (strcmp(d->reason.en, pr->reason.en) != 0) {
		desktop_touch(c, d);
		d->reason = pr->reason;
	}
	return true;
}

/*
 * A new desktop that nobody was asked for yet is placed anew when its host has closed meanwhile; once asked it
 * stays where it is. What runs on a host that is away is left alone until it is back.
 */
static bool task_waits_for_host(struct core_round *c, struct core_desktop *d)
{
	struct core_host *h = state_host_of(c->st, d);
	struct core_reason why;

	if (d->t.kind == TASK_CREATE && d->t.attempts == 0) {
		if (h && host_is_open(h))
			return false;
		desktop_touch(c, d);
		if (h)
			host_charge(h, pool_memory_mb(state_pool(c->st, d->pool_id)), -1);
		d->place.host[0] = '\0';
		return !host_place(c, d);
	}
	if (d->t.kind == TASK_CREATE || d->t.kind == TASK_MIGRATE || !host_is_away(c, d, &why))
		return false;
	if (strcmp(d->reason.en, why.en) != 0) {
		desktop_touch(c, d);
		d->reason = why;
	}
	return true;
}

/* Answered with no, or never asked, and its host has closed: nobody waits for that. */
static bool task_is_hopeless(struct core_round *c, const struct core_desktop *d)
{
	const struct core_provider *pr = state_provider(c->st, d->provider_id);
	const struct core_host *to = pr && d->t.kind == TASK_MIGRATE ? state_host(c->st, pr->name, d->t.arg) : NULL;
	struct core_reason why;

	if (d->t.state != TASK_PENDING)
		return false;
	if (d->t.kind == TASK_MIGRATE)
		return (to && !host_is_open(to)) || host_is_away(c, d, &why);
	return d->t.kind == TASK_CREATE && d->t.attempts > 0 && host_is_away(c, d, &why);
}

static void task_despair(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	CORE_COPY(d->t.error_code, "host_closed");
	if (!d->t.error[0])
		CORE_COPY(d->t.error, "its host takes no desktops now");
	task_give_up(c, d);
	personal_next(c, d); /* it may have waited for that */
}

bool task_is_light(const struct core_task *t)
{
	return t->kind == TASK_DESTROY || t->kind == TASK_ATTACH || t->kind == TASK_DETACH;
}

/* Work that loads a host is spread; removing relieves it, and is not. */
static bool task_has_room(struct core_round *c, struct core_desktop *d)
{
	struct core_provider *pr = state_provider(c->st, d->provider_id);

	if (d->t.kind == TASK_DESTROY || d->t.state == TASK_SENT || !pr)
		return true;
	if (task_waits_for_health(c, d, pr))
		return false;
	if ((pr->busy >= pr->max_creates && !task_is_light(&d->t)) || task_waits_for_host(c, d))
		return false;
	pr->busy += !task_is_light(&d->t);
	return true;
}

static void task_count_busy(struct core_state *st)
{
	for (size_t i = 0; i < st->provider_count; i++)
		st->providers[i].busy = 0;
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		bool is_busy = d->t.id[0] && d->t.state == TASK_SENT && !task_is_light(&d->t);
		struct core_provider *pr = is_busy ? state_provider(st, d->provider_id) : NULL;

		if (pr)
			pr->busy++;
	}
}

/* What it waited for is there. */
static void task_waits_no_more(struct core_desktop *d)
{
	static const enum reason waits[] = { REASON_PROVIDER_UNHEALTHY, REASON_HOST_AWAY, REASON_NO_HOST };

	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
		if (!strcmp(d->reason.code, reason_code(waits[i])))
			memset(&d->reason, 0, sizeof(d->reason));
}

void task_dispatch(struct core_round *c)
{
	int64_t now = c->now->mono_ms;

	task_count_busy(c->st);
	if (!c->st->provisioner)
		return;
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (d->t.id[0] && task_is_hopeless(c, d))
			task_despair(c, d);
		if (!d->t.id[0] || d->t.due_ms > now || !task_has_room(c, d))
			continue;
		desktop_touch(c, d);
		task_send(c, &d->t);
		task_waits_no_more(d);
		timing_begin(c, d);
		spare_sent(c, d);
		if (!strcmp(d->reason.code, reason_code(REASON_PROVIDER_UNHEALTHY)))
			memset(&d->reason, 0, sizeof(d->reason)); /* it is healthy again */
		if (d->t.attempts > 1 && !d->t.failures)
			reason_set_numbers(&d->reason, REASON_TASK_SILENT, d->t.attempts, 0);
	}
	for (size_t i = 0; i < c->st->orphan_count; i++) {
		struct core_orphan *o = &c->st->orphans[i];

		if (o->t.id[0] && o->t.due_ms <= now)
			task_send(c, &o->t);
	}
}
