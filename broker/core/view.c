/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words that people see, from the axes.
 */
#include "broker/core/view.h"

#include "broker/core/reason.h"
#include "broker/core/state.h"

#include <string.h>

static void view_say(struct desktop_view *v, const char *state, enum reason why, const char *arg)
{
	v->state = state;
	reason_set(&v->reason, why, arg, NULL);
}

static bool view_is_brought(const struct core_desktop *d)
{
	return d->x.lease == LEASE_HELD && d->x.agent == AGENT_READY &&
	       (d->personal.phase == PERSONAL_WANTED || d->personal.phase == PERSONAL_ATTACHED);
}

/* The machine is not there for a user now; false: it is. */
static bool view_machine(const struct core_desktop *d, struct desktop_view *v)
{
	bool restarting = d->t.id[0] && (d->t.kind == TASK_RESTART || d->t.kind == TASK_START || d->t.kind == TASK_REVERT);

	if (d->x.lifecycle == LIFECYCLE_DELETING)
		view_say(v, "deleting", REASON_DELETING, NULL);
	else if (d->x.lifecycle == LIFECYCLE_FAILED)
		view_say(v, "failed", REASON_MACHINE_DOWN, "");
	else if (d->x.lifecycle == LIFECYCLE_CREATING)
		view_say(v, "creating", REASON_CREATING, NULL);
	else if (d->x.sleep == SLEEP_RESUMING)
		view_say(v, "starting", REASON_RESUMING, NULL);
	else if (restarting)
		view_say(v, "restarting", REASON_RESTARTING, NULL);
	else if (d->personal.phase == PERSONAL_LEAVING || d->personal.phase == PERSONAL_LEFT)
		view_say(v, "logging_off", REASON_PERSONAL_TAKE, NULL);
	else if (d->x.hygiene == HYGIENE_CLEANING)
		view_say(v, "refreshing", REASON_REFRESHING, NULL);
	else if (d->x.lease == LEASE_ENDING)
		view_say(v, "logging_off", REASON_LOGGING_OFF, NULL);
	else if (view_is_brought(d))
		view_say(v, "starting", REASON_PERSONAL_BRING, NULL);
	else
		return false;
	return true;
}

static void view_unusable(const struct core_desktop *d, struct desktop_view *v)
{
	if (d->x.agent == AGENT_LOST || d->x.power == POWER_UNKNOWN)
		view_say(v, "unreachable", REASON_AGENT_WAIT, NULL);
	else
		view_say(v, "starting", d->x.power == POWER_ON ? REASON_AGENT_WAIT : REASON_STARTING, NULL);
}

void desktop_view(const struct core_state *st, const struct core_desktop *d, int64_t mono_ms, struct desktop_view *ret)
{
	if (view_machine(d, ret))
		;
	else if (d->x.session == SESSION_CONNECTED)
		view_say(ret, "connected", REASON_CONNECTED, d->a.user_name);
	else if (d->t.id[0] && operation_is(d->t.kind))
		view_say(ret, "busy", REASON_OPERATING, task_kind_text(d->t.kind));
	else if (d->x.parked && d->x.power != POWER_UNKNOWN)
		view_say(ret, "stopped", REASON_PARKED, NULL);
	else if (desktop_sleeps(d) && d->x.power != POWER_UNKNOWN)
		view_say(ret, "suspended", REASON_SUSPENDED, NULL);
	else if (d->probe)
		view_say(ret, "starting", REASON_PROBE, d->image_version);
	else if (!desktop_is_usable(d))
		view_unusable(d, ret);
	else if (d->x.session == SESSION_DISCONNECTED)
		view_say(ret, "disconnected", REASON_DISCONNECTED, d->a.user_name);
	else if (d->x.lease == LEASE_HELD)
		view_say(ret, "assigned", REASON_ASSIGNED, d->a.user_name);
	else
		view_say(ret, "ready", d->x.drain ? REASON_DRAINED : REASON_READY, NULL);
	/* What went wrong says more than what is so. */
	if (d->reason.code[0])
		ret->reason = d->reason;
}

static void view_count(const struct core_desktop *d, struct pool_counts *n)
{
	n->total++;
	if (d->x.lifecycle == LIFECYCLE_DELETING)
		n->deleting++;
	else if (d->x.lifecycle == LIFECYCLE_FAILED)
		n->failed++;
	else if (desktop_is_ready(d))
		n->ready++;
	else if (desktop_sleeps(d))
		n->suspended++;
	else if (d->x.lease == LEASE_FREE)
		n->starting++;
	n->assigned += d->x.lease != LEASE_FREE;
	n->connected += d->x.session == SESSION_CONNECTED;
}

/* An administrator's switch speaks before everything else. */
static const char *pool_switch(const struct core_pool *p, enum reason *why)
{
	static const struct {
		const char *state;
		enum reason why;
	} words[] = { { "deleting", REASON_POOL_DELETING },
		      { "disabled", REASON_POOL_DISABLED },
		      { "maintenance", REASON_POOL_MAINTENANCE },
		      { "draining", REASON_POOL_DRAIN } };
	const bool on[] = { p->deleting, !p->enabled, p->maintenance, p->drain };

	for (size_t i = 0; i < sizeof(on) / sizeof(*on); i++) {
		if (!on[i])
			continue;
		*why = words[i].why;
		return words[i].state;
	}
	return NULL;
}

/* Why the last machine failed, for a pool that has nothing else to show. */
static void pool_last_failure(const struct core_state *st, const struct core_pool *p, struct core_reason *ret)
{
	for (size_t i = st->desktop_count; i-- > 0;) {
		const struct core_desktop *d = st->desktops[i];

		if (strcmp(d->pool_id, p->id) != 0 || d->x.lifecycle != LIFECYCLE_FAILED || !d->reason.code[0])
			continue;
		*ret = d->reason;
		return;
	}
}

static bool reason_is_fault(const struct core_reason *r)
{
	return r->code[0] && strcmp(r->code, reason_code(REASON_POOL_FULL)) != 0 &&
	       strcmp(r->code, reason_code(REASON_HOST_FULL)) != 0 && strcmp(r->code, reason_code(REASON_PACED)) != 0;
}

static void pool_view_supply(const struct core_state *st, const struct core_pool *p, struct pool_view *v)
{
	const struct core_provider *pr = state_provider(st, p->provider_id);

	if (v->counts.ready) {
		v->state = "ready";
		reason_set_numbers(&v->reason, REASON_POOL_READY, v->counts.ready, v->counts.total);
	} else if (v->counts.suspended) {
		v->state = "ready";
		reason_set_numbers(&v->reason, REASON_POOL_SUSPENDED, v->counts.suspended, 0);
	} else if (reason_is_fault(&p->reason)) {
		v->state = "failed";
		v->reason = p->reason;
	} else if (v->counts.starting && pr && !pr->healthy) {
		v->state = "failed";
		v->reason = pr->reason;
	} else if (v->counts.starting) {
		v->state = "starting";
		reason_set_numbers(&v->reason, REASON_POOL_STARTING, v->counts.starting, 0);
	} else if (v->counts.failed) {
		v->state = "failed";
		pool_last_failure(st, p, &v->reason);
	} else if (v->counts.assigned) {
		v->state = "busy";
		reason_set_numbers(&v->reason, REASON_POOL_FULL, v->counts.total, 0);
		if (p->reason.code[0])
			v->reason = p->reason;
	} else {
		v->state = "empty";
		reason_set(&v->reason, p->max ? REASON_POOL_EMPTY : REASON_POOL_ZERO, NULL, NULL);
		if (p->reason.code[0])
			v->reason = p->reason;
	}
}

bool pool_view(const struct core_state *st, const char *pool_id, int64_t mono_ms, struct pool_view *ret)
{
	const struct core_pool *p = state_pool(st, pool_id);
	enum reason why;

	if (!p)
		return false;
	*ret = (struct pool_view){ 0 };
	for (size_t i = 0; i < st->desktop_count; i++)
		if (!strcmp(st->desktops[i]->pool_id, p->id) && !st->desktops[i]->probe)
			view_count(st->desktops[i], &ret->counts);
	for (size_t i = 0; i < st->waiter_count; i++)
		ret->waiting += !strcmp(st->waiters[i].pool_id, p->id);
	ret->tier = p->tier.why;
	ret->state = pool_switch(p, &why);
	if (ret->state)
		reason_set(&ret->reason, why, NULL, NULL);
	else
		pool_view_supply(st, p, ret);
	return true;
}

static void user_view_own(const struct core_state *st, const struct core_desktop *d, int64_t mono_ms,
                          struct user_pool_view *v)
{
	struct desktop_view dv;

	desktop_view(st, d, mono_ms, &dv);
	v->has_desktop = true;
	CORE_COPY(v->desktop_id, d->id);
	CORE_COPY(v->desktop_name, d->name);
	v->desktop_state = dv.state;
	v->session_state = session_text(d->x.session);
	v->reason = dv.reason;
	if (d->x.lifecycle == LIFECYCLE_FAILED)
		v->state = "failed";
	else if (!desktop_is_usable(d) || d->x.lease == LEASE_ENDING)
		v->state = "starting";
	else {
		v->state = "ready";
		reason_set(&v->reason, REASON_YOURS, NULL, NULL);
	}
}

bool user_pool_view(const struct core_state *st, const char *pool_id, const char *user_id, int64_t mono_ms,
                    struct user_pool_view *ret)
{
	const struct core_desktop *d = state_lease(st, user_id, pool_id);
	struct pool_view pv;

	if (!pool_view(st, pool_id, mono_ms, &pv))
		return false;
	*ret = (struct user_pool_view){ .state = pv.state, .reason = pv.reason };
	/* Users know fewer words: what an administrator switched off is maintenance to them. */
	if (!strcmp(pv.state, "disabled") || !strcmp(pv.state, "deleting"))
		ret->state = "maintenance";
	if (!strcmp(pv.state, "draining"))
		ret->state = d ? "ready" : "maintenance";
	if (d && strcmp(ret->state, "maintenance") != 0)
		user_view_own(st, d, mono_ms, ret);
	return true;
}
