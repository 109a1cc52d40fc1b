/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a user who asks to a desktop: the one that is already the user's, else the
 * best free one, else a place in the queue, first come first served.
 */
#include "broker/core/core_priv.h"

#include <string.h>

#define OTHERS_MAX 32

/* The hosts on which a user has desktops, once for each; those beyond the ceiling are left out. */
struct others {
	const struct core_host *hosts[OTHERS_MAX];
	size_t count;
};

static void others_find(const struct core_state *st, const char *user_id, struct others *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < st->desktop_count && st->host_count && ret->count < OTHERS_MAX; i++) {
		const struct core_desktop *d = st->desktops[i];
		const struct core_host *h = d->a.id[0] && !strcmp(d->a.user_id, user_id) ? state_host_of(st, d) : NULL;

		if (h)
			ret->hosts[ret->count++] = h;
	}
}

/* Points against a desktop by where it is: its host is to be emptied, or has others of the same user. */
static int assign_burden(const struct core_state *st, const struct core_desktop *d, const struct others *others)
{
	const struct core_host *h = st->host_count ? state_host_of(st, d) : NULL;
	int burden = h && h->maintenance ? OTHERS_MAX + 1 : 0;

	for (size_t i = 0; h && i < others->count; i++)
		burden += others->hosts[i] == h;
	return burden;
}

static bool assign_is_better(const struct core_state *st, const struct core_pool *p, const struct core_desktop *a,
                             const struct core_desktop *b, const struct others *others)
{
	bool a_stale = desktop_is_stale(st, p, a), b_stale = desktop_is_stale(st, p, b);
	int burden = assign_burden(st, a, others) - assign_burden(st, b, others);

	if (a_stale != b_stale)
		return b_stale;
	if (burden)
		return burden < 0;
	return a->failures < b->failures; /* else the older one stays chosen */
}

struct core_desktop *assign_choose(const struct core_state *st, const struct core_pool *p, const char *user_id)
{
	struct core_desktop *best = NULL;
	struct others others;

	others_find(st, user_id, &others);
	for (size_t i = 0; i < st->desktop_count; i++) {
		struct core_desktop *d = st->desktops[i];

		if (!desktop_is_ready(d) || strcmp(d->pool_id, p->id) != 0)
			continue;
		if (!best || assign_is_better(st, p, d, best, &others))
			best = d;
	}
	return best;
}

static bool pool_takes_users(const struct core_pool *p)
{
	return p->enabled && !p->drain && !p->maintenance && !p->deleting;
}

void assign_waiters(struct core_round *c)
{
	for (size_t i = 0; i < c->st->waiter_count; i++) {
		struct core_waiter *w = &c->st->waiters[i];
		struct core_pool *p = state_pool(c->st, w->pool_id);
		struct core_desktop *d;

		/* p->ready is 0 once this round has found none: no second walk. */
		if (w->served || !p || !pool_takes_users(p) || !p->ready ||
		    state_lease(c->st, w->user_id, w->pool_id))
			continue;
		d = assign_choose(c->st, p, w->user_id);
		if (!d)
			continue;
		lease_take(c, d, w->user_id, w->user_name);
		w->served = true;
		p->ready--;
		p->leased++;
		p->waiting--;
		tell_waiter(c, w->user_id, w->pool_id);
	}
}

/* ---- the answer ---- */

static void answer_wait(struct connect_answer *a, enum stage stage)
{
	a->state = CONNECT_WAITING;
	a->stage = stage;
	a->retry_after_ms = RETRY_AFTER_MS;
}

static enum stage stage_of(const struct core_desktop *d, enum reason *ret)
{
	*ret = REASON_AGENT_WAIT;
	if (d->x.lifecycle == LIFECYCLE_CREATING) {
		*ret = REASON_CREATING;
		return STAGE_CREATE;
	}
	if (d->x.hygiene == HYGIENE_CLEANING)
		*ret = REASON_REFRESHING;
	else if (d->t.kind == TASK_RESTART && d->t.id[0])
		*ret = REASON_RESTARTING;
	else if (d->x.sleep == SLEEP_RESUMING)
		*ret = REASON_RESUMING;
	else if (d->x.power != POWER_ON)
		*ret = REASON_STARTING;
	else if (d->x.agent == AGENT_READY && d->personal.phase != PERSONAL_NONE && d->x.lease == LEASE_HELD)
		*ret = REASON_PERSONAL_BRING;
	return *ret == REASON_AGENT_WAIT || *ret == REASON_PERSONAL_BRING ? STAGE_AGENT : STAGE_START;
}

static void answer_owned(const struct core_round *c, struct connect_answer *a, const struct core_desktop *d)
{
	enum reason why;

	CORE_COPY(a->desktop_id, d->id);
	CORE_COPY(a->desktop_name, d->name);
	if (d->x.lease == LEASE_ENDING) {
		answer_wait(a, STAGE_START);
		reason_set(&a->reason, REASON_LOGGING_OFF, NULL, NULL);
	} else if (d->x.lifecycle == LIFECYCLE_FAILED) {
		a->state = CONNECT_REFUSED;
		a->reason = d->reason;
	} else if (desktop_is_usable(d)) {
		a->state = CONNECT_READY;
		a->lease_epoch = d->a.epoch;
	} else {
		answer_wait(a, stage_of(d, &why));
		a->reason = d->reason;
		if (!a->reason.code[0])
			reason_set(&a->reason, why, NULL, NULL);
		wait_tell_desktop(c, a, d);
	}
}

bool desktop_is_coming(const struct core_desktop *d)
{
	return d->x.lease == LEASE_FREE && !d->probe && !d->x.drain && !d->x.parked && !desktop_sleeps(d) && !desktop_is_ready(d) &&
	       (d->x.lifecycle == LIFECYCLE_CREATING || d->x.lifecycle == LIFECYCLE_LIVE);
}

/* The desktop that this place in the queue will probably get: the one furthest on. */
static const struct core_desktop *assign_coming(const struct core_state *st, const struct core_pool *p, int position)
{
	const struct core_desktop *best = NULL;
	enum stage best_stage = STAGE_QUEUE;
	enum reason why;
	int coming = 0;

	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		/* Of ten thousand few are of this pool: that is asked first. */
		if (strcmp(d->pool_id, p->id) != 0 || !desktop_is_coming(d))
			continue;
		coming++;
		if (!best || stage_of(d, &why) > best_stage) {
			best = d;
			best_stage = stage_of(d, &why);
		}
	}
	return coming >= position ? best : NULL;
}

static void answer_queue(struct core_round *c, struct connect_answer *a, const struct core_pool *p, int position)
{
	const struct core_desktop *d = assign_coming(c->st, p, position);
	enum reason why;

	a->position = position;
	if (!d) {
		answer_wait(a, STAGE_QUEUE);
		a->reason = p->reason;
		if (!a->reason.code[0])
			reason_set_numbers(&a->reason, REASON_QUEUE, position, 0);
		return;
	}
	answer_wait(a, stage_of(d, &why));
	a->reason = d->reason;
	if (!a->reason.code[0])
		reason_set(&a->reason, why, NULL, NULL);
}

static int assign_position(const struct core_state *st, const struct core_waiter *w)
{
	int position = 1;

	for (const struct core_waiter *o = st->waiters; o < w; o++)
		position += !o->served && !strcmp(o->pool_id, w->pool_id);
	return position;
}

void assign_answer(struct core_round *c)
{
	struct connect_answer *a = &c->out->answer;
	const struct core_pool *p = state_pool(c->st, c->ev->pool);
	const struct core_desktop *d = state_lease(c->st, c->ev->user_id, c->ev->pool);
	const struct core_waiter *w = state_waiter(c->st, c->ev->user_id, c->ev->pool);

	if (a->state == CONNECT_REFUSED)
		return;
	if (d && d->a.id[0])
		answer_owned(c, a, d);
	else if (p && w) {
		answer_queue(c, a, p, assign_position(c->st, w));
		wait_tell_place(c, a, p, a->position);
	}
}

/* ---- the events ---- */

static enum reason connect_refusal(const struct core_pool *p, bool owned)
{
	if (!p)
		return REASON_NO_POOL;
	if (p->deleting)
		return REASON_POOL_DELETING;
	if (!p->enabled)
		return REASON_POOL_DISABLED;
	if (p->maintenance)
		return REASON_POOL_MAINTENANCE;
	if (p->drain && !owned)
		return REASON_POOL_DRAIN;
	return !owned && p->max == 0 ? REASON_POOL_ZERO : REASON_NONE;
}

static bool connect_join_queue(struct core_round *c)
{
	struct core_waiter *w = state_waiter(c->st, c->ev->user_id, c->ev->pool);

	if (!w) {
		w = state_add_waiter(c->st);
		if (!w)
			return false;
		CORE_COPY(w->user_id, c->ev->user_id);
		CORE_COPY(w->user_name, c->ev->user_name);
		CORE_COPY(w->pool_id, c->ev->pool);
		w->since_ms = c->now->mono_ms;
	}
	w->seen_ms = c->now->mono_ms;
	return true;
}

void assign_on_connect(struct core_round *c)
{
	const struct core_pool *p = state_pool(c->st, c->ev->pool);
	struct core_desktop *d = state_lease(c->st, c->ev->user_id, c->ev->pool);
	enum reason no = connect_refusal(p, d != NULL);

	c->out->answer = (struct connect_answer){ 0 };
	if (no == REASON_NONE && !d && !connect_join_queue(c))
		no = REASON_TOO_MANY_WAITERS;
	if (no != REASON_NONE)
		reason_set(&c->out->answer.reason, no, NULL, NULL);
	if (no != REASON_NONE || (!d && personal_waits(c, c->ev->user_id, c->ev->pool, &c->out->answer.reason))) {
		c->out->answer.state = CONNECT_REFUSED;
		assign_on_cancel(c);
		return;
	}
	if (d)
		operation_wake(c, d);
	if (d && d->due.claim_ms) {
		desktop_touch(c, d);
		d->due.claim_ms = c->now->mono_ms + CLAIM_WAIT_MS;
	}
}

void assign_on_cancel(struct core_round *c)
{
	struct core_waiter *w = state_waiter(c->st, c->ev->user_id, c->ev->pool);

	if (w)
		state_remove_waiter(c->st, w);
}

static bool revoked_here(const struct core_event *ev, const char *user_id, const char *pool_id)
{
	return !strcmp(user_id, ev->user_id) && (!ev->pool || !strcmp(pool_id, ev->pool));
}

void assign_on_revoked(struct core_round *c)
{
	for (size_t i = c->st->waiter_count; i-- > 0;)
		if (revoked_here(c->ev, c->st->waiters[i].user_id, c->st->waiters[i].pool_id))
			state_remove_waiter(c->st, &c->st->waiters[i]);
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (!d->a.id[0] || !revoked_here(c->ev, d->a.user_id, d->pool_id))
			continue;
		if (d->x.hygiene == HYGIENE_DIRTY) {
			agent_tell_logoff(c, d, REASON_REVOKED);
			desktop_touch(c, d);
		}
		lease_release(c, d, REASON_REVOKED);
	}
}
