/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who has a desktop. Every assignment takes a higher epoch than anything before
 * it on that desktop, so that database, agent and gateway can refuse the past.
 */
#include "broker/core/core_priv.h"

#include <string.h>

/* The generation is the high half: a restored backup cannot go back (R7). */
static int64_t lease_next_epoch(const struct core_state *st, const struct core_desktop *d)
{
	int64_t floor = st->generation << 32;

	if (!st->fence_epochs)
		return d->epoch ? d->epoch : floor + 1;
	return (d->epoch > floor ? d->epoch : floor) + 1;
}

void lease_take(struct core_round *c, struct core_desktop *d, const char *user_id, const char *user_name)
{
	const struct core_pool *p = state_pool(c->st, d->pool_id);
	struct core_change *ch;

	PRE(d->x.lease == LEASE_FREE && p);
	desktop_touch(c, d);
	c->ids->uuid(c->ids->arg, d->a.id);
	CORE_COPY(d->a.user_id, user_id);
	CORE_COPY(d->a.user_name, user_name);
	d->a.kind = p->kind;
	state_lease_enter(c->st, d);
	d->epoch = d->a.epoch = lease_next_epoch(c->st, d);
	d->x.lease = LEASE_HELD;
	d->due.claim_ms = c->now->mono_ms + CLAIM_WAIT_MS;
	ch = change_add(c, CHANGE_ASSIGNMENT);
	CORE_COPY(ch->desktop_id, d->id);
	CORE_COPY(ch->pool_id, d->pool_id);
	ch->a = d->a;
	audit(c, "desktop.assigned", d, "");
	personal_want(c, d);
	agent_tell_lease(c, d);
}

void lease_release(struct core_round *c, struct core_desktop *d, enum reason why)
{
	struct core_change *ch;

	if (d->x.lease == LEASE_FREE)
		return;
	desktop_touch(c, d);
	session_end(c, d, why, true);
	ch = change_add(c, CHANGE_ASSIGNMENT_END);
	ch->a = d->a;
	CORE_COPY(ch->code, reason_code(why));
	audit(c, "desktop.released", d, reason_code(why));
	tell_waiter(c, d->a.user_id, d->pool_id);
	state_lease_leave(c->st, d);
	memset(&d->a, 0, sizeof(d->a));
	d->x.lease = LEASE_FREE;
	d->x.session = SESSION_NONE;
	personal_drop(d);
	d->due.claim_ms = d->due.ending_ms = d->due.logoff_ms = d->due.roll_ms = 0;
	if (d->x.hygiene == HYGIENE_DIRTY && d->x.lifecycle < LIFECYCLE_FAILED)
		desktop_clean(c, d);
}

void lease_logoff(struct core_round *c, struct core_desktop *d, enum reason why)
{
	if (d->x.lease != LEASE_HELD)
		return;
	desktop_touch(c, d);
	session_end(c, d, why, true);
	d->due.logoff_ms = 0;
	d->x.lease = LEASE_ENDING;
	audit(c, "desktop.logoff", d, reason_code(why));
	/* A log-on that never was needs no closing. */
	bool was_none = d->personal.phase != PERSONAL_NONE && d->x.session == SESSION_NONE;
	if (!was_none && d->x.agent == AGENT_READY && !d->agentless && d->x.hygiene == HYGIENE_DIRTY) {
		agent_tell_logoff(c, d, why);
		d->due.ending_ms = c->now->mono_ms + LOGOFF_WAIT_MS;
	} else {
		lease_settle(c, d);
	}
}

/* An owner keeps a dedicated desktop, and a desktop whose disk is kept. */
static bool lease_is_kept(const struct core_pool *p, const struct core_desktop *d)
{
	if (!p || p->deleting || d->x.lifecycle >= LIFECYCLE_DELETING)
		return false;
	if (p->on_logoff == ON_LOGOFF_KEEP)
		return true;
	return d->a.kind == POOL_DEDICATED && p->on_logoff == ON_LOGOFF_REFRESH;
}

void lease_settle(struct core_round *c, struct core_desktop *d)
{
	const struct core_pool *p = state_pool(c->st, d->pool_id);

	desktop_touch(c, d);
	d->due.ending_ms = 0;
	d->x.session = SESSION_NONE;
	if (!lease_is_kept(p, d)) {
		lease_release(c, d, REASON_LOGOFF_USER);
		return;
	}
	d->x.lease = LEASE_HELD;
	if (p->on_logoff == ON_LOGOFF_REFRESH && d->x.hygiene == HYGIENE_DIRTY) {
		d->x.lifecycle = LIFECYCLE_LIVE; /* one that has failed gets a new disk too */
		desktop_refresh(c, d);
	}
	tell_waiter(c, d->a.user_id, d->pool_id);
}
