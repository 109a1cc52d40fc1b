/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The second tier of spare desktops: made, ready once, then suspended, so that a rush is served by resuming.
 *
 *	awake ──beyond the first tier──► suspended ──somebody needs it──► resuming ──its agent answers──► awake
 *	  ▲                                  │                               │
 *	  └──cannot be suspended; the host has started it; an administrator──┴──does not come: a new disk
 *
 * A failure on either way stops the tier for a while: what cannot be suspended stays ready, and nobody
 * waits for what does not come back.
 */
#include "broker/core/core_priv.h"

#include <string.h>

bool desktop_sleeps(const struct core_desktop *d)
{
	return d->x.sleep == SLEEP_SUSPENDED;
}

/* ---- the tier's own troubles ---- */

static void tier_fail(struct core_round *c, const struct core_desktop *d, enum reason which, const struct core_reason *why)
{
	struct core_pool *p = state_pool(c->st, d->pool_id);
	int64_t pause = TIER_RETRY_MS;

	if (!p)
		return;
	for (int i = 0; i < p->tier.failures && pause < TIER_RETRY_MAX_MS; i++)
		pause *= 2;
	p->tier.failures++;
	p->tier.until_ms = c->now->mono_ms + (pause < TIER_RETRY_MAX_MS ? pause : TIER_RETRY_MAX_MS);
	reason_set_phrase(&p->tier.why, which, d->name, why);
}

static bool tier_rests(struct core_round *c, const struct core_pool *p)
{
	if (p->tier.until_ms <= c->now->mono_ms)
		return false;
	wake_at(c, p->tier.until_ms);
	return true;
}

/* Why nothing can be suspended there; it stands in the tier. */
static bool tier_is_carried(struct core_round *c, struct core_pool *p)
{
	const struct core_provider *pr = state_provider(c->st, p->provider_id);

	if (!pr || !pr->healthy)
		return false; /* the pool says so itself */
	if (provider_carries(c->st, pr, "suspend") && provider_carries(c->st, pr, "power"))
		return true;
	reason_set(&p->tier.why, REASON_TIER_NOT_CARRIED, pr->name, NULL);
	return false;
}

int spare_lack(struct core_round *c, struct core_pool *p)
{
	int lack = p->tier.want - p->tier.count;

	if (!p->tier.failures || lack <= 0)
		memset(&p->tier.why, 0, sizeof(p->tier.why));
	return lack <= 0 || p->waiting || tier_rests(c, p) || !tier_is_carried(c, p) ? 0 : lack;
}

/* ---- suspending ---- */

static bool spare_may_sleep(const struct core_state *st, const struct core_pool *p, const struct core_desktop *d)
{
	const struct core_host *h = state_host_of(st, d);

	return !strcmp(d->pool_id, p->id) && desktop_is_ready(d) && !d->t.id[0] && share_rank(st, p, d) == 2 && (!h || host_is_open(h));
}

void spare_suspend(struct core_round *c, struct core_pool *p, int n)
{
	for (size_t i = c->st->desktop_count; i-- > 0 && n > 0;) {
		struct core_desktop *d = c->st->desktops[i];

		if (!spare_may_sleep(c->st, p, d))
			continue;
		desktop_touch(c, d);
		d->x.sleep = SLEEP_SUSPENDED;
		d->due.agent_ms = 0;
		task_start(c, d, TASK_SUSPEND);
		p->ready--;
		p->tier.count++;
		n--;
	}
}

static void host_charge_of(struct core_round *c, const struct core_desktop *d, int machines)
{
	struct core_host *h = state_host_of(c->st, d);

	if (h)
		host_charge(h, pool_memory_mb(state_pool(c->st, d->pool_id)), machines);
}

void spare_suspended(struct core_round *c, struct core_desktop *d)
{
	if (desktop_sleeps(d))
		host_charge_of(c, d, -1);
}

static void list_soon(struct core_round *c)
{
	int64_t soon = c->now->mono_ms + INVENTORY_SOON_MS;

	if (c->st->inventory_ms > soon)
		c->st->inventory_ms = soon;
}

/* Whether it runs is not certain: a list has to have it, and its agent to say hello anew. */
void spare_not_suspended(struct core_round *c, struct core_desktop *d, const struct core_task *t)
{
	struct core_reason why = { .code = "" };

	CORE_COPY(why.en, t->error);
	d->x.sleep = SLEEP_AWAKE;
	d->x.power = POWER_UNKNOWN;
	d->x.agent = AGENT_NONE;
	list_soon(c);
	agent_tell_hello(c, d);
	tier_fail(c, d, REASON_TIER_NOT_SUSPENDED, &why);
}

/* While it is being suspended, and while it is being resumed, its memory counts. */
void spare_leave(struct core_round *c, struct core_desktop *d)
{
	if (desktop_sleeps(d) && !(d->t.id[0] && d->t.kind == TASK_SUSPEND))
		host_charge_of(c, d, 1);
	d->x.sleep = SLEEP_AWAKE;
}

/* ---- resuming ---- */

static bool spare_can_wake(const struct core_state *st, const struct core_pool *p, const struct core_desktop *d)
{
	const struct core_host *h = state_host_of(st, d);

	if (!desktop_sleeps(d) || d->t.id[0] || d->x.lifecycle != LIFECYCLE_LIVE || d->x.power != POWER_OFF || d->x.drain || d->x.parked)
		return false;
	if (!h)
		return true;
	return host_is_open(h) && (!h->memory_mb || h->free_mb >= pool_memory_mb(p)) && (!h->capacity || h->machines < h->capacity);
}

void spare_start(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	spare_leave(c, d);
	memset(&d->reason, 0, sizeof(d->reason));
	d->x.sleep = SLEEP_RESUMING;
	d->x.power = POWER_STARTING;
	d->x.agent = c->st->mind_sleep ? AGENT_NONE : AGENT_READY; /* the simulator's broken rule: who slept is awake */
	d->due.agent_ms = 0;
	agent_tell_hello(c, d);
	audit(c, "desktop.resuming", d, "");
	task_start(c, d, TASK_START);
}

static int spare_wake_those(struct core_round *c, struct core_pool *p, int n, bool are_stale)
{
	int woken = 0;

	for (size_t i = 0; i < c->st->desktop_count && woken < n; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (!desktop_sleeps(d) || strcmp(d->pool_id, p->id) != 0 || !spare_can_wake(c->st, p, d) ||
		    desktop_is_stale(c->st, p, d) != are_stale)
			continue;
		spare_start(c, d);
		p->tier.count--;
		p->tier.idle--;
		p->starting++;
		woken++;
	}
	return woken;
}

void spare_wake(struct core_round *c, struct core_pool *p, int n, bool for_user)
{
	if (n <= 0 || !p->tier.idle || !c->st->provisioner || tier_rests(c, p))
		return;
	n -= spare_wake_those(c, p, n, false);
	if (for_user && n > 0)
		spare_wake_those(c, p, n, true);
}

void spare_sent(struct core_round *c, struct core_desktop *d)
{
	if (d->x.sleep == SLEEP_RESUMING && d->t.kind == TASK_START && !d->due.agent_ms)
		d->due.agent_ms = c->now->mono_ms + RESUME_WAIT_MS;
}

void spare_is_up(struct core_round *c, struct core_desktop *d)
{
	struct core_pool *p = state_pool(c->st, d->pool_id);

	/* Somebody says hello who should be asleep: a list tells whether it runs. */
	if (desktop_sleeps(d) && !d->t.id[0])
		list_soon(c);
	/* A host in maintenance may have begun to move it before its agent came. */
	if (d->x.sleep != SLEEP_RESUMING || (d->t.id[0] && d->t.kind == TASK_START) || d->x.power != POWER_ON || d->x.agent != AGENT_READY)
		return;
	d->x.sleep = SLEEP_AWAKE;
	audit(c, "desktop.resumed", d, "");
	if (p)
		p->tier.failures = 0, p->tier.until_ms = 0;
}

void spare_astray(struct core_round *c, struct core_desktop *d, const struct core_reason *why)
{
	const struct core_pool *p = state_pool(c->st, d->pool_id);

	desktop_touch(c, d);
	audit(c, "desktop.not_resumed", d, why->en);
	tier_fail(c, d, REASON_TIER_NOT_RESUMED, why);
	if (!p || p->deleting || desktop_is_stale(c->st, p, d))
		desktop_delete(c, d);
	else
		desktop_refresh(c, d);
}

/* ---- removing ---- */

static int spare_shed_those(struct core_round *c, struct core_pool *p, int n, bool are_stale, bool is_for_version)
{
	int gone = 0;

	for (size_t i = c->st->desktop_count; i-- > 0 && gone < n;) {
		struct core_desktop *d = c->st->desktops[i];

		if (!desktop_sleeps(d) || d->t.id[0] || d->x.drain || strcmp(d->pool_id, p->id) != 0 || d->x.lifecycle != LIFECYCLE_LIVE ||
		    desktop_is_stale(c->st, p, d) != are_stale)
			continue;
		if (is_for_version)
			audit(c, "desktop.replaced", d, d->image_version);
		desktop_delete(c, d);
		p->tier.count--;
		p->tier.idle--;
		p->ending++;
		gone++;
	}
	return gone;
}

int spare_shed(struct core_round *c, struct core_pool *p, int n, bool only_stale)
{
	int gone = n > 0 && p->tier.idle ? spare_shed_those(c, p, n, true, only_stale) : 0;

	if (!only_stale && gone < n && p->tier.idle)
		gone += spare_shed_those(c, p, n - gone, false, false);
	return gone;
}
