/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a provider may carry beyond making machines: power, snapshots, sizes, moves. Each is a
 * task like any other; one that fails leaves the desktop as it was, and says why.
 *
 *	parked: an administrator has stopped the machine. Nobody restarts it, nobody new gets it;
 *	its owner's next connect starts it.
 */
#include "broker/core/core_priv.h"
#include "broker/core/placement.h"

#include <string.h>

/* In which the machine goes down: whoever is there is told and leaves. */
static bool operation_interrupts(enum task_kind kind)
{
	return kind == TASK_STOP || kind == TASK_SUSPEND || kind == TASK_REVERT;
}

static const char *operation_needs(enum task_kind kind)
{
	switch (kind) {
	case TASK_START:
	case TASK_STOP:
		return "power";
	case TASK_SUSPEND:
		return "suspend";
	case TASK_SNAPSHOT:
	case TASK_REVERT:
	case TASK_DROP:
		return "snapshot";
	case TASK_RESIZE:
		return "resize";
	case TASK_MIGRATE:
		return "migrate";
	case TASK_ATTACH:
	case TASK_DETACH:
		return "personal";
	default:
		return NULL;
	}
}

bool provider_carries(const struct core_state *st, const struct core_provider *pr, const char *what)
{
	const struct core_served *served = pr ? state_served(st, pr->name) : NULL;
	size_t len = strlen(what);

	for (const char *at = served ? served->can : ""; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		if (n == len && strncmp(at, what, n) == 0)
			return true;
		at += n;
	}
	return false;
}

bool desktop_carries(const struct core_state *st, const struct core_desktop *d, const char *what)
{
	return provider_carries(st, state_provider(st, d->provider_id), what);
}

static void operation_begin(struct core_round *c, struct core_desktop *d, enum task_kind kind, const char *arg)
{
	desktop_touch(c, d);
	memset(&d->reason, 0, sizeof(d->reason));
	if (kind == TASK_REVERT)
		d->x.agent = AGENT_NONE; /* a stop may fail: its agent is then still there, and says no second hello */
	if (operation_interrupts(kind)) {
		spare_leave(c, d);
		d->due.agent_ms = 0;
		d->failures = 0;
		d->x.parked = kind != TASK_REVERT;
	}
	if (kind == TASK_START)
		d->x.parked = false; /* of a machine that runs after all the agent is still there */
	if (kind == TASK_START || kind == TASK_REVERT)
		d->x.power = POWER_STARTING;
	task_start(c, d, kind);
	CORE_COPY(d->t.arg, arg);
	if (c->ev->kind == EVENT_OPERATE && c->ev->by)
		CORE_COPY(d->t.by, c->ev->by->name);
	task_rewrite(c, &d->t);
}

void operation_wake(struct core_round *c, struct core_desktop *d)
{
	if (d->x.parked && !d->t.id[0] && d->x.lifecycle == LIFECYCLE_LIVE)
		operation_begin(c, d, TASK_START, "");
}

void operation_move(struct core_round *c, struct core_desktop *d, struct core_host *to)
{
	host_charge(to, pool_memory_mb(state_pool(c->st, d->pool_id)), 1);
	operation_begin(c, d, TASK_MIGRATE, to->name);
}

/* Where to: the host that was named, or the best one. NULL: refused, or nothing of ours to choose (ret_own). */
static struct core_host *move_target(struct core_round *c, struct core_desktop *d, bool *ret_own)
{
	struct host_wish w = { state_provider(c->st, d->provider_id), state_pool(c->st, d->pool_id), d, true };
	struct placement how;
	struct core_host *to;

	*ret_own = w.provider && provider_has_hosts(c->st, w.provider->name);
	if (!*ret_own)
		return NULL;
	if (c->ev->word && c->ev->word[0]) {
		to = state_host(c->st, w.provider->name, c->ev->word);
		if (!to)
			refuse(c, PST_ENOTFOUND, REASON_HOST_UNKNOWN, c->ev->word);
		else if (!host_is_open(to))
			refuse(c, PST_ECONFLICT, REASON_HOST_CLOSED, c->ev->word);
		return to && host_is_open(to) ? to : NULL;
	}
	to = host_choose(c->st, &w, &how);
	if (to) {
		desktop_touch(c, d);
		CORE_COPY(d->place.en, how.en);
		CORE_COPY(d->place.es, how.es);
		return to;
	}
	c->out->code = PST_ECONFLICT;
	host_refuse(c, &w, &how, &c->out->refusal);
	return NULL;
}

/* By an administrator. */
static void operation_on_move(struct core_round *c, struct core_desktop *d)
{
	bool own;
	struct core_host *to = move_target(c, d, &own);

	if (!own && (!c->ev->word || !c->ev->word[0]))
		refuse(c, PST_EINVAL, REASON_HOST_UNKNOWN, "\"\"");
	else if (!own)
		operation_begin(c, d, TASK_MIGRATE, c->ev->word ? c->ev->word : "");
	else if (to && strcmp(to->name, d->place.host) != 0)
		operation_move(c, d, to);
}

/* What a user has on his own disk goes into no snapshot and no saved memory of a desktop. */
static bool operation_takes_disks(enum task_kind kind)
{
	return kind == TASK_SUSPEND || kind == TASK_SNAPSHOT || kind == TASK_REVERT;
}

/* True when it need not be done, or may not. */
static bool operation_is_settled(struct core_round *c, const struct core_desktop *d)
{
	enum task_kind kind = c->ev->operation;
	const char *needs = operation_needs(kind);

	PRE(needs);
	if (d->x.lifecycle != LIFECYCLE_LIVE || d->x.hygiene == HYGIENE_CLEANING)
		refuse(c, PST_ECONFLICT, REASON_NOT_LIVE, NULL);
	else if (!desktop_carries(c->st, d, needs))
		refuse(c, PST_EUNSUPPORTED, REASON_NOT_CARRIED, needs);
	else if (d->personal.held && operation_takes_disks(kind))
		refuse(c, PST_ECONFLICT, REASON_PERSONAL_HELD, NULL);
	else if (kind == TASK_START)
		return d->x.power == POWER_ON;
	else if (kind == TASK_STOP || kind == TASK_SUSPEND)
		return d->x.parked && d->x.power == POWER_OFF;
	else
		return false;
	return true;
}

void operation_on(struct core_round *c)
{
	struct core_desktop *d = operate_on_idle(c);
	enum task_kind kind = c->ev->operation;

	if (!d || operation_is_settled(c, d))
		return;
	if (kind == TASK_MIGRATE) {
		operation_on_move(c, d);
		return;
	}
	if (kind == TASK_START && desktop_sleeps(d)) {
		spare_start(c, d);
		return;
	}
	desktop_touch(c, d);
	if (operation_interrupts(kind)) {
		session_end(c, d, kind == TASK_REVERT ? REASON_END_REVERT : REASON_END_STOP, true);
		d->x.session = SESSION_NONE;
		if (d->x.lease == LEASE_ENDING)
			lease_settle(c, d);
		if (operate_is_overtaken(d) || d->x.lifecycle != LIFECYCLE_LIVE)
			return;
	}
	if (kind == TASK_STOP)
		agent_tell_shutdown(c, d);
	operation_begin(c, d, kind, c->ev->word ? c->ev->word : "");
}

/* ---- answers ---- */

static void operation_snapshot(struct core_round *c, const struct core_desktop *d, const struct core_task *t, enum change_kind kind)
{
	struct core_change *ch = change_add(c, kind);

	CORE_COPY(ch->desktop_id, d->id);
	CORE_COPY(ch->text, t->arg);
	CORE_COPY(ch->code, t->by);
}

static const char *operation_word(enum task_kind kind)
{
	static const char *const words[] = { [TASK_STOP] = "desktop.stopped", [TASK_SUSPEND] = "desktop.suspended",
		                             [TASK_SNAPSHOT] = "desktop.snapshot", [TASK_DROP] = "desktop.snapshot_dropped",
		                             [TASK_RESIZE] = "desktop.resized", [TASK_MIGRATE] = "desktop.migrated" };

	return words[kind];
}

/* Whoever fell silent meanwhile is waited for from now on. */
static void operation_over(struct core_round *c, struct core_desktop *d)
{
	if (d->x.lifecycle == LIFECYCLE_LIVE && !d->t.id[0] && !d->x.parked && !desktop_sleeps(d) && d->x.agent != AGENT_READY)
		desktop_await_agent(c, d);
}

void operation_done(struct core_round *c, struct core_desktop *d, const struct core_task *t)
{
	switch (t->kind) {
	case TASK_STOP:
	case TASK_SUSPEND:
		d->x.power = POWER_OFF;
		d->x.agent = AGENT_NONE;
		agent_tell_hello(c, d); /* its connection may not have noticed */
		spare_suspended(c, d);
		break;
	case TASK_SNAPSHOT:
		operation_snapshot(c, d, t, CHANGE_SNAPSHOT);
		break;
	case TASK_DROP:
		operation_snapshot(c, d, t, CHANGE_SNAPSHOT_GONE);
		break;
	case TASK_MIGRATE:
		drain_moved(c, d, t->arg);
		break;
	case TASK_ATTACH:
		personal_attached(c, d);
		return;
	case TASK_DETACH:
		personal_detached(c, d);
		return;
	default: /* what a size has changed stands on the host */
		break;
	}
	operation_over(c, d);
	audit(c, operation_word(t->kind), d, t->arg);
	if (d->x.lease == LEASE_HELD)
		tell_waiter(c, d->a.user_id, d->pool_id);
}

bool operation_is(enum task_kind kind)
{
	return operation_needs(kind) != NULL && kind != TASK_START && kind != TASK_REVERT;
}

void operation_failed(struct core_round *c, struct core_desktop *d, const struct core_task *t)
{
	if (t->kind == TASK_MIGRATE)
		drain_failed(c, d, t);
	if (t->kind == TASK_ATTACH)
		personal_fail(c, d, t->error);
	if (t->kind == TASK_DETACH)
		personal_break(c, d);
	if (t->kind == TASK_STOP || t->kind == TASK_SUSPEND) {
		d->x.parked = false;
		if (desktop_sleeps(d))
			spare_not_suspended(c, d, t);
	}
	operation_over(c, d);
}
