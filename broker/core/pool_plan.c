/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How large a pool should be. Growth is a deficit: what it should have, less what
 * is ready, less what is coming; waiting users of all pools first, then spares.
 * Every reason not to grow is kept in words.
 */
#include "broker/core/core_priv.h"

#include <stdio.h>
#include <string.h>

static void pool_count_begin(const struct core_state *st, struct core_pool *p)
{
	const struct core_rollout *ro = state_rollout(st, p->image_id);

	p->total = p->ready = p->starting = p->leased = p->failed = p->ending = p->stale = p->waiting = 0;
	p->tier.count = p->tier.idle = 0;
	p->fresh = p->surge = 0;
	CORE_COPY(p->upcoming, ro && rollout_is_live(ro) && pool_follows(p, ro) ? ro->version : "");
}

static void pool_count_desktop(struct core_state *st, struct core_pool *p, const struct core_desktop *d)
{
	if (d->probe)
		return;
	p->total++;
	p->fresh += d->x.lifecycle < LIFECYCLE_FAILED && !strcmp(d->image_version, p->upcoming) && !strcmp(d->image_id, p->image_id);
	if (d->x.lifecycle == LIFECYCLE_DELETING)
		p->ending++;
	else if (d->x.lease != LEASE_FREE)
		p->leased++;
	else if (d->x.lifecycle == LIFECYCLE_FAILED)
		p->failed++;
	else if (d->x.drain || d->x.parked)
		return;
	else if (desktop_sleeps(d)) {
		p->tier.count++;
		p->tier.idle += !d->t.id[0];
	} else if (desktop_is_ready(d)) {
		p->ready++;
		p->stale += desktop_is_stale(st, p, d);
	} else {
		p->starting++;
	}
}

void pool_count(struct core_state *st)
{
	for (size_t i = 0; i < st->provider_count; i++)
		st->providers[i].machines = 0;
	for (size_t i = 0; i < st->pool_count; i++)
		pool_count_begin(st, &st->pools[i]);
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		struct core_pool *p = state_pool(st, d->pool_id);
		struct core_provider *pr = state_provider(st, d->provider_id);

		if (d->x.lifecycle == LIFECYCLE_DELETED)
			continue;
		if (p)
			pool_count_desktop(st, p, d);
		if (pr)
			pr->machines++;
	}
	for (size_t i = 0; i < st->waiter_count; i++) {
		const struct core_waiter *w = &st->waiters[i];
		struct core_pool *p = state_pool(st, w->pool_id);

		if (p && !w->served && !state_lease(st, w->user_id, w->pool_id))
			p->waiting++;
	}
	for (size_t i = 0; i < st->pool_count; i++)
		share_count(st, &st->pools[i]);
}

int provider_capacity(const struct core_provider *p)
{
	if (p->capacity && p->reported)
		return p->capacity < p->reported ? p->capacity : p->reported;
	return p->capacity ? p->capacity : p->reported;
}

/* What the users need; what a new version needs is on top of it. */
static int pool_need(const struct core_pool *p)
{
	int target = p->leased + p->waiting + p->spare;

	if (target < p->min)
		target = p->min;
	return target < p->max ? target : p->max;
}

static int pool_target(const struct core_pool *p)
{
	int target = pool_need(p) + p->surge;

	return target < p->max ? target : p->max;
}

static bool pool_may_grow(const struct core_pool *p)
{
	return p->enabled && !p->drain && !p->maintenance && !p->deleting;
}

bool pool_lacks(const struct core_pool *p)
{
	return pool_may_grow(p) && p->leased + p->ready + p->starting < pool_need(p);
}

static void provider_refill(struct core_provider *pr, int64_t now)
{
	double full = pr->max_creates * 2;

	if (pr->tokens_ms)
		pr->tokens += (double)(now - pr->tokens_ms) * pr->max_creates / 2000.0;
	if (pr->tokens > full)
		pr->tokens = full;
	pr->tokens_ms = now;
}

bool provider_allows(struct core_round *c, struct core_provider *pr, struct core_reason *ret)
{
	int capacity = pr ? provider_capacity(pr) : 0;

	if (!c->st->provisioner)
		reason_set(ret, REASON_NO_PROVISIONER, NULL, NULL);
	else if (!pr)
		reason_set(ret, REASON_NO_PROVIDER, NULL, NULL);
	else if (!pr->enabled)
		reason_set(ret, REASON_PROVIDER_DISABLED, pr->name, NULL);
	else if (!pr->healthy)
		*ret = pr->reason;
	else if (capacity && pr->machines >= capacity)
		reason_set_numbers(ret, REASON_HOST_FULL, pr->machines, capacity);
	else
		return true;
	return false;
}

/* A canary that cannot be made now is no reason to make nothing. */
static const char *pool_next_version(struct core_round *c, struct core_pool *p)
{
	const char *version = share_version(c->st, p, NULL), *now = pool_version(c->st, p);
	struct core_reason why;

	if (now[0] && strcmp(version, now) != 0 && !breaker_allows(c, p->provider_id, p->image_id, version, &why))
		return now;
	return version;
}

/* Whether one more may be made now; when not, the reason stands in the pool. */
static bool pool_can_make(struct core_round *c, struct core_pool *p, const char *version)
{
	struct core_provider *pr = state_provider(c->st, p->provider_id);

	if (p->total >= p->max) {
		reason_set_numbers(&p->reason, p->max ? REASON_POOL_FULL : REASON_POOL_ZERO, p->max, 0);
		return false;
	}
	if (!provider_allows(c, pr, &p->reason))
		return false;
	if (!version[0]) {
		reason_set(&p->reason, REASON_NO_IMAGE, NULL, NULL);
		return false;
	}
	if (!host_has_room(c, pr, p, &p->reason) || !breaker_allows(c, p->provider_id, p->image_id, version, &p->reason))
		return false;
	provider_refill(pr, c->now->mono_ms);
	if (pr->tokens < 1) {
		reason_set(&p->reason, REASON_PACED, NULL, NULL);
		wake_at(c, c->now->mono_ms + 1000);
		return false;
	}
	return true;
}

struct core_desktop *pool_make(struct core_round *c, struct core_pool *p, const char *version, bool probe)
{
	struct core_provider *pr = state_provider(c->st, p->provider_id);
	char id[CORE_ID_SIZE];
	struct core_desktop *d;
	struct core_change *ch;

	c->ids->uuid(c->ids->arg, id);
	d = desktop_make(c, id);
	if (!d)
		return NULL;
	snprintf(d->name, sizeof(d->name), probe ? "%s-verify-%04d" : "%s-%04d", p->name, p->next_number++);
	CORE_COPY(d->pool_id, p->id);
	CORE_COPY(d->provider_id, p->provider_id);
	CORE_COPY(d->image_id, p->image_id);
	CORE_COPY(d->image_version, version);
	d->x.power = POWER_OFF;
	d->probe = probe;
	(void)host_place(c, d); /* there is room: it was asked; and the task asks again */
	ch = change_add(c, CHANGE_POOL_NUMBER);
	CORE_COPY(ch->pool_id, p->id);
	ch->number = p->next_number;
	audit(c, "desktop.creating", d, "");
	task_start(c, d, TASK_CREATE);
	breaker_probe(c, d);
	pr->tokens -= 1;
	pr->machines++;
	if (!probe) {
		p->fresh += !strcmp(version, p->upcoming);
		p->total++;
		p->starting++;
	}
	return d;
}

static void pool_grow(struct core_round *c, struct core_pool *p, int target)
{
	while (!c->out->failed && pool_may_grow(p) && p->leased + p->ready + p->starting < target) {
		const char *version = pool_next_version(c, p);

		if (!pool_can_make(c, p, version) || !pool_make(c, p, version, false))
			break;
	}
}

/* Removes free ready desktops, the stale ones first. */
static void pool_shed(struct core_round *c, struct core_pool *p, int count, bool only_stale)
{
	for (int rank = 0; rank < (only_stale ? 2 : 3) && count > 0; rank++) {
		for (size_t i = c->st->desktop_count; i-- > 0 && count > 0;) {
			struct core_desktop *d = c->st->desktops[i];

			if (strcmp(d->pool_id, p->id) != 0 || !desktop_is_ready(d) || share_rank(c->st, p, d) != rank)
				continue;
			if (only_stale)
				audit(c, "desktop.replaced", d, d->image_version);
			desktop_delete(c, d);
			p->ready--;
			count--;
		}
	}
}

/* One more desktop could be made before one goes. */
static bool pool_has_room(const struct core_state *st, const struct core_pool *p)
{
	const struct core_provider *pr = state_provider(st, p->provider_id);

	return p->total < p->max && pr && (!provider_capacity(pr) || pr->machines < provider_capacity(pr));
}

/* Whether a free desktop may go for the sake of its version: users keep the spare ones that they need. Where nothing
 * can be made before, one at a time has to. */
static bool pool_may_swap(const struct core_state *st, const struct core_pool *p)
{
	int busy = p->starting + p->ending;

	if (!pool_may_grow(p) || !pool_version(st, p)[0] || (st->mind_spare && (p->waiting || busy >= share_ceiling(st, p))))
		return false;
	return p->ready > p->spare || !st->mind_spare || (!busy && !pool_has_room(st, p));
}

/* What sleeps is nobody's loss: it goes first. */
static void pool_give_up(struct core_round *c, struct core_pool *p, int count)
{
	pool_shed(c, p, count - spare_shed(c, p, count, false), false);
}

/* Suspended ones that are too many, and of older versions as many at a time as of the others. */
static void pool_trim_tier(struct core_round *c, struct core_pool *p)
{
	const char *version = pool_version(c->st, p);
	struct core_reason why;

	if (p->waiting || !p->tier.idle)
		return;
	spare_shed(c, p, p->tier.count - p->tier.want, false);
	if (pool_may_grow(p) && version[0] && p->starting + p->ending < share_ceiling(c->st, p) &&
	    breaker_allows(c, p->provider_id, p->image_id, version, &why))
		spare_shed(c, p, 1, true);
}

/* made: on their way to the second tier. */
static void pool_shrink(struct core_round *c, struct core_pool *p, int made)
{
	int surplus = p->leased + p->ready + p->starting - pool_target(p) - made;

	if (p->total > p->max && (p->ready || p->tier.idle)) {
		pool_give_up(c, p, p->total - p->max - p->ending);
		return;
	}
	pool_trim_tier(c, p);
	if ((p->tier.idle || pool_may_swap(c->st, p)) && verify_takes_room(c->st, p))
		pool_give_up(c, p, 1);
	else if (p->stale && pool_may_swap(c->st, p))
		pool_shed(c, p, 1, true);
	if (surplus <= 0 || !p->ready || p->waiting) {
		p->surplus_ms = 0;
		return;
	}
	if (!p->surplus_ms)
		p->surplus_ms = c->now->mono_ms;
	if (c->now->mono_ms - p->surplus_ms >= SURPLUS_MS)
		pool_shed(c, p, surplus < p->ready ? surplus : p->ready, false);
	else
		wake_at(c, p->surplus_ms + SURPLUS_MS);
}

static void pool_remove(struct core_round *c, struct core_pool *p)
{
	bool left = false;

	for (size_t i = 0; i < c->st->desktop_count; i++) {
		if (strcmp(c->st->desktops[i]->pool_id, p->id) != 0)
			continue;
		left = left || c->st->desktops[i]->x.lifecycle != LIFECYCLE_DELETED;
		if (c->st->desktops[i]->x.lifecycle < LIFECYCLE_DELETING)
			desktop_delete(c, c->st->desktops[i]);
	}
	if (left)
		return;
	audit_pool(c, "pool.deleted", p, p->name);
	CORE_COPY(change_add(c, CHANGE_POOL_GONE)->pool_id, p->id);
}

/* Desktops are made for the second tier like any other; which of those that are ready go to sleep is decided then. */
static int pool_fill_tier(struct core_round *c, struct core_pool *p)
{
	int lack = pool_may_grow(p) && p->tier.want ? spare_lack(c, p) : 0;
	int ready = p->leased + p->ready + p->starting, target = pool_target(p) + lack;

	if (target > ready + p->max - p->total)
		target = ready + p->max - p->total;
	if (lack && !p->reason.code[0]) {
		pool_grow(c, p, target);
		p->tier.why = p->reason;
		memset(&p->reason, 0, sizeof(p->reason));
	}
	ready = p->leased + p->ready - pool_target(p);
	spare_suspend(c, p, ready < lack ? ready : lack);
	return lack;
}

/* Users who wait: what sleeps is woken, the rest is made; where the one is stopped and has the place of the other, it goes. */
static void pool_serve(struct core_round *c, struct core_pool *p)
{
	int lack = p->waiting - p->ready - p->starting;

	spare_wake(c, p, lack, true);
	pool_grow(c, p, p->leased + p->waiting);
	lack = p->waiting - p->ready - p->starting - p->ending;
	if (lack > 0 && p->tier.until_ms > c->now->mono_ms &&
	    (!strcmp(p->reason.code, reason_code(REASON_POOL_FULL)) || !strcmp(p->reason.code, reason_code(REASON_HOST_FULL))))
		spare_shed(c, p, lack, false);
}

void pool_plan(struct core_round *c)
{
	for (size_t i = 0; i < c->st->pool_count; i++) {
		struct core_pool *p = &c->st->pools[i];

		memset(&p->reason, 0, sizeof(p->reason));
		if (p->waiting)
			pool_serve(c, p);
	}
	for (size_t i = 0; i < c->st->pool_count; i++) {
		struct core_pool *p = &c->st->pools[i];

		if (p->deleting) {
			pool_remove(c, p);
			continue;
		}
		spare_wake(c, p, pool_target(p) - p->leased - p->ready - p->starting, false);
		pool_grow(c, p, pool_target(p));
		pool_shrink(c, p, pool_fill_tier(c, p));
	}
}
