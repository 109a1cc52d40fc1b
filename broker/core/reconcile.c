/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One round: the event, then what is due, then what the pools need, then the
 * commands that follow from it.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static void on_tick(struct core_round *c)
{
}

static void (*const handlers[EVENT_COUNT])(struct core_round *c) = {
	[EVENT_TICK] = on_tick,
	[EVENT_CONFIG] = operate_on_config,
	[EVENT_CONNECT] = assign_on_connect,
	[EVENT_CONNECT_CANCEL] = assign_on_cancel,
	[EVENT_GRANT] = session_on_grant,
	[EVENT_LOGOFF] = operate_on_logoff,
	[EVENT_RESTART] = operate_on_restart,
	[EVENT_REFRESH] = operate_on_refresh,
	[EVENT_DELETE] = operate_on_delete,
	[EVENT_DRAIN] = operate_on_drain,
	[EVENT_RESTORE] = restore_on,
	[EVENT_OPERATE] = operation_on,
	[EVENT_POOL_DELETE] = operate_on_pool_delete,
	[EVENT_PUBLISH] = rollout_on_publish,
	[EVENT_ROLLOUT] = rollout_on_act,
	[EVENT_USER_REVOKED] = assign_on_revoked,
	[EVENT_REAP_ALLOW] = reaper_on_allow,
	[EVENT_HOST_MAINTENANCE] = drain_on_maintenance,
	[EVENT_SESSION_KILL] = session_on_kill,
	[EVENT_ENROLLED] = agent_on_enrolled,
	[EVENT_AGENT_HELLO] = agent_on_hello,
	[EVENT_AGENT_REPORT] = agent_on_report,
	[EVENT_AGENT_GONE] = agent_on_gone,
	[EVENT_PROVISIONER_HELLO] = machine_on_hello,
	[EVENT_PROVISIONER_GONE] = machine_on_gone,
	[EVENT_INVENTORY] = inventory_take,
	[EVENT_MACHINE] = machine_on_report,
	[EVENT_TASK_RESULT] = task_on_result,
	[EVENT_GATEWAY_HELLO] = session_on_gateway,
	[EVENT_SESSION_STARTED] = session_on_started,
	[EVENT_SESSION_ENDED] = session_on_ended,
};

/* Somebody who waits asks again, nothing was decided since the last round and nothing is due: the answer is all there is to do. */
static bool round_is_idle(const struct core_round *c)
{
	const struct core_state *st = c->st;

	return c->ev->kind == EVENT_CONNECT && st->settled && (!st->wake_ms || st->wake_ms > c->now->mono_ms) &&
	       state_waiter(st, c->ev->user_id, c->ev->pool) && !state_lease(st, c->ev->user_id, c->ev->pool);
}

static bool round_answers(struct core_round *c)
{
	assign_on_connect(c);
	c->st->settled = c->out->answer.state != CONNECT_REFUSED; /* then there is one less to wait */
	c->out->wake_ms = c->st->wake_ms;
	assign_answer(c);
	return c->st->settled;
}

void reconcile(struct core_state *st, const struct core_event *event, const struct core_now *now,
               const struct core_ids *ids, struct core_out *ret)
{
	struct core_round c = { st, event, now, ids, ret };

	*ret = (struct core_out){ 0 };
	PRE((size_t)event->kind < EVENT_COUNT);
	if (!++st->round)
		st->round = 1;
	if (round_is_idle(&c) && round_answers(&c))
		return;
	pool_count(st);
	host_count(st);
	handlers[event->kind](&c);
	deadline_expire(&c);
	rollout_run(&c);
	reaper_failed(&c);
	pool_count(st);
	host_count(st);
	assign_waiters(&c);
	pool_plan(&c);
	drain_run(&c);
	personal_run(&c);
	task_dispatch(&c);
	deadline_wake(&c);
	st->settled = true;
	st->wake_ms = ret->wake_ms;
	if (event->kind == EVENT_CONNECT)
		assign_answer(&c);
}

/* It counts as lost until it reports again. */
static void resume_agent(struct core_desktop *d, int64_t now_ms)
{
	if (d->x.agent == AGENT_READY && !d->agentless)
		d->x.agent = AGENT_LOST;
	if (d->x.lifecycle == LIFECYCLE_LIVE && !d->t.id[0] && d->x.agent != AGENT_READY)
		d->due.agent_ms = now_ms + agent_wait_ms(d);
}

void core_state_resume(struct core_state *st, const struct core_now *now)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		struct core_desktop *d = st->desktops[i];
		const struct core_pool *p = state_pool(st, d->pool_id);
		int64_t t = now->mono_ms;

		d->t.due_ms = t;
		resume_agent(d, t);
		if (d->x.lifecycle == LIFECYCLE_FAILED && d->x.lease == LEASE_FREE)
			d->due.reap_ms = t + FAILED_KEEP_MS;
		if (d->x.session == SESSION_GRANTED)
			d->due.grant_ms = t + GRANT_WAIT_MS;
		if (d->x.session == SESSION_DISCONNECTED && p && p->logoff_after_disconnect_s > 0)
			d->due.logoff_ms = t + (int64_t)p->logoff_after_disconnect_s * 1000;
		if (d->x.lease == LEASE_ENDING)
			d->due.ending_ms = t + LOGOFF_WAIT_MS;
		if (d->x.lease == LEASE_HELD && d->x.session == SESSION_NONE)
			d->due.claim_ms = t + CLAIM_WAIT_MS;
		if (d->personal.phase == PERSONAL_ATTACHED)
			d->due.personal_ms = t + MOUNT_WAIT_MS;
		if (d->personal.phase == PERSONAL_LEAVING)
			d->due.personal_ms = t + UNMOUNT_WAIT_MS;
	}
	for (size_t i = 0; i < st->orphan_count; i++)
		st->orphans[i].t.due_ms = now->mono_ms;
	rollout_resume(st, now);
}
