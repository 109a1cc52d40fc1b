/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the provisioner says about machines by itself: its hello and single reports
 * (its lists: inventory.c). A desktop that has an unfinished task is left to that task.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static void machine_say(struct core_reason *ret, const char *text)
{
	reason_set(ret, REASON_MACHINE_DOWN, text && text[0] ? text : "the host gave no reason", NULL);
}

void machine_down(struct core_round *c, struct core_desktop *d, const char *text)
{
	struct core_reason why;

	desktop_touch(c, d);
	machine_say(&why, text);
	if (d->x.sleep == SLEEP_RESUMING) {
		spare_astray(c, d, &why);
		return;
	}
	judge_failure(c, d, &why);
	d->x.power = POWER_OFF;
	d->x.agent = AGENT_NONE;
	audit(c, "machine.down", d, text);
	session_end(c, d, REASON_MACHINE_DOWN, true);
	if (d->personal.phase == PERSONAL_LEAVING) {
		personal_break(c, d);
		return;
	}
	if (d->x.lease == LEASE_ENDING) {
		lease_settle(c, d); /* nothing is left to log off */
		if (d->t.id[0] || d->x.lifecycle != LIFECYCLE_LIVE)
			return;
	}
	if (++d->failures < MACHINE_TRIES) {
		desktop_restart(c, d);
		d->reason = why;
	} else {
		desktop_fail(c, d, &why);
	}
}

void machine_gone(struct core_round *c, struct core_desktop *d)
{
	struct core_reason why;

	desktop_touch(c, d);
	reason_set(&why, REASON_MACHINE_GONE, NULL, NULL);
	audit(c, "machine.gone", d, "");
	d->x.power = POWER_OFF;
	if (d->x.lease != LEASE_FREE && d->a.kind == POOL_DEDICATED)
		desktop_fail(c, d, &why);
	else
		desktop_delete(c, d);
}

static bool reason_is_doubt(const struct core_reason *r)
{
	static const enum reason doubts[] = { REASON_MACHINE_UNKNOWN, REASON_MACHINE_MISSING, REASON_HOST_AWAY };

	for (size_t i = 0; i < sizeof(doubts) / sizeof(*doubts); i++)
		if (!strcmp(r->code, reason_code(doubts[i])))
			return true;
	return false;
}

static void machine_up(struct core_round *c, struct core_desktop *d, const struct machine_report *m)
{
	bool news = (m->uid > 0 && m->uid != d->uid) ||
	            (m->endpoint && m->endpoint[0] && strcmp(m->endpoint, d->endpoint) != 0);

	if (d->x.power == POWER_ON && !news)
		return;
	desktop_touch(c, d);
	if (m->uid > 0)
		d->uid = m->uid;
	if (m->endpoint && m->endpoint[0])
		desktop_set_endpoint(d, m->endpoint);
	d->x.parked = false; /* somebody has started it on the host */
	if (desktop_sleeps(d))
		spare_leave(c, d);
	if (d->x.power != POWER_ON) {
		d->x.power = POWER_ON;
		if (reason_is_doubt(&d->reason))
			memset(&d->reason, 0, sizeof(d->reason));
		desktop_await_agent(c, d);
		spare_is_up(c, d);
	}
}

/* An administrator has stopped it, or it is suspended. */
static void machine_rests(struct core_round *c, struct core_desktop *d)
{
	if (d->x.power == POWER_OFF)
		return;
	desktop_touch(c, d);
	d->x.power = POWER_OFF;
	memset(&d->reason, 0, sizeof(d->reason));
}

void machine_apply(struct core_round *c, struct core_desktop *d, const struct machine_report *m)
{
	bool rests = d->x.parked || desktop_sleeps(d);

	if (d->t.id[0] || d->x.lifecycle != LIFECYCLE_LIVE)
		return; /* its task has it; one that failed the reaper, or an administrator */
	if (m->host && m->host[0] && strcmp(m->host, d->place.host) != 0) {
		desktop_touch(c, d);
		CORE_COPY(d->place.host, m->host); /* its provider has the last word */
	}
	if (rests && strcmp(m->state, "running") != 0 && strcmp(m->state, "gone") != 0)
		machine_rests(c, d);
	else if (!strcmp(m->state, "running"))
		machine_up(c, d, m);
	else if (!strcmp(m->state, "gone"))
		machine_gone(c, d);
	else if (!strcmp(m->state, "stopped") || !strcmp(m->state, "failed"))
		machine_down(c, d, m->reason);
}

void machine_serve(struct core_state *st, struct core_provider *pr)
{
	pr->healthy = false;
	if (!st->provisioner) {
		reason_set(&pr->reason, REASON_NO_PROVISIONER, NULL, NULL);
		return;
	}
	reason_set(&pr->reason, REASON_PROVIDER_UNHEALTHY, pr->name, "the provisioner does not serve it");
	for (size_t i = 0; i < st->served_count; i++) {
		const struct core_served *s = &st->served[i];

		if (strcmp(s->name, pr->name) != 0)
			continue;
		pr->reported = s->capacity;
		pr->healthy = s->healthy;
		memset(&pr->reason, 0, sizeof(pr->reason));
		if (!s->healthy)
			reason_set(&pr->reason, REASON_PROVIDER_UNHEALTHY, pr->name, s->reason);
	}
}

/* What failed while it was away gets another chance: an owner's desktop itself, a free one by making room. */
static void machine_provider_is_back(struct core_round *c, const struct core_provider *pr)
{
	breaker_try_now(c, pr->id);
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (d->x.lifecycle != LIFECYCLE_FAILED || d->t.id[0] || strcmp(d->provider_id, pr->id) != 0)
			continue;
		desktop_touch(c, d);
		if (d->x.lease == LEASE_FREE) {
			d->due.reap_ms = c->now->mono_ms;
			continue;
		}
		d->x.lifecycle = LIFECYCLE_LIVE;
		desktop_restart(c, d);
	}
}

static void machine_serve_all(struct core_round *c)
{
	for (size_t i = 0; i < c->st->provider_count; i++) {
		struct core_provider *pr = &c->st->providers[i];
		bool was_healthy = pr->healthy;

		machine_serve(c->st, pr);
		if (pr->healthy && !was_healthy)
			machine_provider_is_back(c, pr);
		CORE_COPY(change_add(c, CHANGE_PROVIDER)->provider_id, pr->id);
	}
}

static void machine_hello_providers(struct core_round *c)
{
	c->st->served_count = 0;
	for (size_t i = 0; i < c->ev->provider_count && i < CORE_PROVIDERS_MAX; i++) {
		const struct provider_report *rep = &c->ev->providers[i];
		struct core_served *s = &c->st->served[c->st->served_count++];

		CORE_COPY(s->name, rep->name);
		CORE_COPY(s->reason, rep->reason);
		CORE_COPY(s->can, rep->can ? rep->can : "");
		s->capacity = rep->capacity > 0 ? rep->capacity : 0;
		s->healthy = rep->healthy;
	}
	machine_serve_all(c);
}

void machine_on_hello(struct core_round *c)
{
	c->st->provisioner = true;
	machine_hello_providers(c);
	host_take_networks(c);
	inventory_take(c);
	task_all_due(c);
}

void machine_on_gone(struct core_round *c)
{
	c->st->provisioner = false;
	c->st->inventory_ms = 0;
	machine_serve_all(c);
}

void machine_on_report(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->machines[0].desktop);

	if (d)
		machine_apply(c, d, &c->ev->machines[0]);
}
