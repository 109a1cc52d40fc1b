/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What happens because nothing happened: every deadline of the core, and the
 * time of the next one.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static bool is_due(const struct core_round *c, int64_t ms)
{
	return ms && ms <= c->now->mono_ms;
}

/* A deadline is taken once, whatever comes of it: no timer fires for ever. */
static bool take_due(struct core_round *c, struct core_desktop *d, int64_t *ms)
{
	if (!is_due(c, *ms))
		return false;
	desktop_touch(c, d);
	*ms = 0;
	return true;
}

/* The machine runs and its agent does not report. */
static void deadline_agent(struct core_round *c, struct core_desktop *d)
{
	bool never = d->x.agent == AGENT_NONE;
	struct core_reason why;

	if (d->x.parked || desktop_sleeps(d))
		return;
	if (d->x.power == POWER_UNKNOWN) {
		desktop_await_agent(c, d); /* a list tells first whether there is a machine to restart */
		return;
	}
	reason_set_numbers(&why, REASON_AGENT_SILENT, agent_wait_ms(d) / 1000, 0);
	if (d->s.active) {
		/* The stream goes on without us; only the report is missing. */
		d->reason = why;
		desktop_await_agent(c, d);
		return;
	}
	if (d->x.sleep == SLEEP_RESUMING) {
		spare_astray(c, d, &why);
		return;
	}
	if (never)
		breaker_fail(c, d, &why);
	if (++d->failures < MACHINE_TRIES) {
		if (d->x.lease == LEASE_ENDING)
			lease_settle(c, d);
		if (d->t.id[0] || d->x.lifecycle != LIFECYCLE_LIVE)
			return;
		desktop_restart(c, d);
		d->reason = why;
	} else {
		desktop_fail(c, d, &why);
	}
}

/* Where the user's own disk was brought, the desktop's is not clean; each session takes an epoch of its own. */
static void deadline_claim(struct core_round *c, struct core_desktop *d)
{
	bool is_untouched = d->x.hygiene == HYGIENE_CLEAN || (d->personal.phase != PERSONAL_NONE && d->epoch == d->a.epoch);

	if (d->x.lease == LEASE_HELD && is_untouched && d->x.session == SESSION_NONE && d->a.kind == POOL_FLOATING)
		lease_release(c, d, REASON_NOT_STARTED);
}

static void deadline_desktop(struct core_round *c, struct core_desktop *d)
{
	if (take_due(c, d, &d->due.grant_ms)) {
		judge_logon(c, d, false);
		session_end(c, d, REASON_NOT_STARTED, true);
	}
	if (take_due(c, d, &d->due.vacated_ms))
		session_end(c, d, REASON_VIEWER_LEFT, true);
	if (take_due(c, d, &d->due.logoff_ms))
		lease_logoff(c, d, REASON_LOGOFF_IDLE);
	if (take_due(c, d, &d->due.ending_ms))
		lease_settle(c, d);
	if (take_due(c, d, &d->due.claim_ms))
		deadline_claim(c, d);
	if (take_due(c, d, &d->due.personal_ms))
		personal_late(c, d);
	if (take_due(c, d, &d->due.agent_ms))
		deadline_agent(c, d);
}

void deadline_expire(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++)
		if (c->st->desktops[i]->x.lifecycle < LIFECYCLE_DELETING)
			deadline_desktop(c, c->st->desktops[i]);
	for (size_t i = c->st->waiter_count; i-- > 0;)
		if (c->st->waiters[i].seen_ms + WAITER_WAIT_MS <= c->now->mono_ms)
			state_remove_waiter(c->st, &c->st->waiters[i]);
	if (c->st->provisioner && is_due(c, c->st->inventory_ms)) {
		c->st->inventory_ms = c->now->mono_ms + INVENTORY_MS;
		command_add(c, COMMAND_INVENTORY);
	}
}

static void wake_desktop(struct core_round *c, const struct core_desktop *d)
{
	const struct core_due *due = &d->due;

	wake_at(c, due->agent_ms);
	wake_at(c, due->logoff_ms);
	wake_at(c, due->ending_ms);
	wake_at(c, due->grant_ms);
	wake_at(c, due->vacated_ms);
	wake_at(c, due->claim_ms);
	wake_at(c, due->personal_ms);
	if (due->roll_ms > c->now->mono_ms)
		wake_at(c, due->roll_ms); /* in a roll-out that is paused it may be long past */
	wake_at(c, due->reap_ms);
	/* A task that is due now waits for room or for the provisioner: both are events. */
	if (c->st->provisioner && d->t.id[0] && d->t.due_ms > c->now->mono_ms)
		wake_at(c, d->t.due_ms);
}

void deadline_wake(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++)
		wake_desktop(c, c->st->desktops[i]);
	for (size_t i = 0; i < c->st->orphan_count; i++)
		if (c->st->provisioner && c->st->orphans[i].t.due_ms > c->now->mono_ms)
			wake_at(c, c->st->orphans[i].t.due_ms);
	for (size_t i = 0; i < c->st->waiter_count; i++)
		wake_at(c, c->st->waiters[i].seen_ms + WAITER_WAIT_MS);
	if (c->st->provisioner)
		wake_at(c, c->st->inventory_ms);
}
