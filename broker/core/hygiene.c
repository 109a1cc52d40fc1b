/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What becomes of a disk: a desktop that a user has touched is made new or
 * removed before anybody else gets it. Deleting always succeeds: the tombstone
 * stands at once, and the task that removes the machine is repeated for ever.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static void desktop_stop(struct core_round *c, struct core_desktop *d)
{
	spare_leave(c, d);
	d->x.power = POWER_STARTING;
	d->x.agent = AGENT_NONE;
	d->due.agent_ms = d->due.reap_ms = d->due.personal_ms = 0; /* the guest begins anew: personal_started() */
	d->missing = 0;
	d->x.parked = false;
	memset(&d->reason, 0, sizeof(d->reason));
}

void desktop_delete(struct core_round *c, struct core_desktop *d)
{
	if (d->x.lifecycle == LIFECYCLE_DELETING)
		return;
	desktop_touch(c, d);
	personal_cut(c, d);
	d->x.lifecycle = LIFECYCLE_DELETING; /* first: lease_release() must not clean it */
	lease_release(c, d, REASON_END_DELETE);
	desktop_stop(c, d);
	d->x.power = POWER_UNKNOWN;
	d->x.session = SESSION_NONE;
	d->due = (struct core_due){ 0 };
	audit(c, "desktop.deleting", d, "");
	task_start(c, d, TASK_DESTROY);
}

/* A new disk is of the version that the pool has now. */
static void desktop_take_image(struct core_state *st, struct core_desktop *d)
{
	struct core_pool *p = state_pool(st, d->pool_id);
	const char *version = p ? share_version(st, p, d) : "";

	if (!version[0])
		return;
	p->fresh += !strcmp(version, p->upcoming) - !strcmp(d->image_version, p->upcoming);
	CORE_COPY(d->image_version, version);
	CORE_COPY(d->image_id, p->image_id);
}

void desktop_refresh(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	if (d->personal.phase != PERSONAL_NONE && personal_leaves(c, d)) {
		if (d->x.lifecycle == LIFECYCLE_LIVE)
			d->x.hygiene = HYGIENE_CLEANING;
		return;
	}
	desktop_stop(c, d);
	desktop_take_image(c->st, d);
	if (!c->st->keep_dirty) {
		/* The simulator's broken rule: a used disk passes for a new one. */
		d->x.hygiene = HYGIENE_CLEAN;
		d->x.power = POWER_ON;
		d->x.agent = AGENT_READY;
		return;
	}
	d->x.hygiene = HYGIENE_CLEANING;
	d->keyed = false;
	audit(c, "desktop.refreshing", d, "");
	task_start(c, d, TASK_REFRESH);
}

void desktop_restart(struct core_round *c, struct core_desktop *d)
{
	if (restore_is_unfinished(d)) {
		restore_again(c, d); /* there is no machine yet */
		return;
	}
	desktop_touch(c, d);
	agent_tell_shutdown(c, d);
	desktop_stop(c, d);
	audit(c, "desktop.restarting", d, "");
	task_start(c, d, TASK_RESTART);
}

void desktop_clean(struct core_round *c, struct core_desktop *d)
{
	const struct core_pool *p = state_pool(c->st, d->pool_id);

	if (d->personal.phase != PERSONAL_NONE && personal_leaves(c, d))
		return;
	if (!p || p->deleting || d->x.lifecycle != LIFECYCLE_LIVE || p->on_logoff != ON_LOGOFF_REFRESH || d->a.kind == POOL_DEDICATED ||
	    p->kind == POOL_DEDICATED || desktop_is_stale(c->st, p, d)) /* an older version is not worth refreshing */
		desktop_delete(c, d);
	else
		desktop_refresh(c, d);
}

void desktop_fail(struct core_round *c, struct core_desktop *d, const struct core_reason *why)
{
	desktop_touch(c, d);
	d->x.lifecycle = LIFECYCLE_FAILED;
	d->reason = *why;
	d->due = (struct core_due){ .reap_ms = c->now->mono_ms + FAILED_KEEP_MS };
	d->x.agent = AGENT_NONE;
	session_end(c, d, REASON_MACHINE_DOWN, true);
	if (d->a.kind == POOL_FLOATING || d->x.hygiene == HYGIENE_CLEANING)
		lease_release(c, d, REASON_MACHINE_DOWN);
	else if (d->x.lease == LEASE_ENDING)
		d->x.lease = LEASE_HELD;
	if (d->x.lease == LEASE_HELD) {
		d->x.session = SESSION_NONE;
		d->due = (struct core_due){ 0 };
		tell_waiter(c, d->a.user_id, d->pool_id);
	}
	audit(c, "desktop.failed", d, why->en);
	if (d->personal.held && d->x.lease == LEASE_FREE)
		desktop_delete(c, d); /* its user's files wait for that, and for nothing else */
}

void desktop_await_agent(struct core_round *c, struct core_desktop *d)
{
	int64_t wait;

	if (d->agentless && d->x.power == POWER_ON) {
		agent_is_ready(c, d); /* the machine's own server is all that there is */
		return;
	}
	wait = d->x.sleep == SLEEP_RESUMING ? WAKE_WAIT_MS : agent_wait_ms(d);
	d->due.agent_ms = d->x.agent == AGENT_READY ? 0 : c->now->mono_ms + wait;
}
