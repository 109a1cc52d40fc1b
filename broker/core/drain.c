/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hosts in maintenance: nothing new goes there, and what runs there is moved away while its
 * users go on, some at a time. What cannot be moved says why, and is tried again.
 */
#include "broker/core/core_priv.h"
#include "broker/core/placement.h"

#include <string.h>

#define MOVE_TRIES 8 /* of a host in one round, whatever comes of them */

static bool desktop_runs(const struct core_desktop *d)
{
	return d->x.lifecycle == LIFECYCLE_LIVE && d->x.power == POWER_ON && d->x.hygiene != HYGIENE_CLEANING &&
	       (d->personal.phase == PERSONAL_NONE || d->personal.phase == PERSONAL_MOUNTED);
}

static bool carries_moves(struct core_state *st, const struct core_desktop *d)
{
	return provider_carries(st, state_provider(st, d->provider_id), "migrate");
}

void move_view(const struct core_state *st, const struct core_desktop *d, struct core_reason *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (d->t.id[0] || d->x.lifecycle == LIFECYCLE_DELETING)
		return; /* it is being moved, or something else comes first */
	if (d->x.power == POWER_UNKNOWN || d->x.lifecycle == LIFECYCLE_FAILED)
		*ret = d->reason;
	else if (desktop_sleeps(d))
		*ret = d->move.why;
	else if (!desktop_runs(d))
		reason_set(ret, REASON_MOVE_STOPPED, NULL, NULL);
	else if (!carries_moves((struct core_state *)st, d))
		reason_set(ret, REASON_NOT_CARRIED, "migrate", NULL);
	else
		*ret = d->move.why;
}

static void move_wait(struct core_round *c, struct core_desktop *d)
{
	int64_t ms = MOVE_RETRY_MS;

	for (int i = 1; i < d->move.failures && ms < MOVE_RETRY_MAX_MS; i++)
		ms *= 2;
	d->move.due_ms = c->now->mono_ms + (ms < MOVE_RETRY_MAX_MS ? ms : MOVE_RETRY_MAX_MS);
}

/* True when a move has begun. */
static bool move_begin(struct core_round *c, struct core_desktop *d)
{
	struct host_wish w = { state_provider(c->st, d->provider_id), state_pool(c->st, d->pool_id), d, true };
	struct placement how;
	struct core_host *to = host_choose(c->st, &w, &how);

	desktop_touch(c, d);
	if (!to) {
		host_refuse(c, &w, &how, &d->move.why);
		d->move.failures++;
		move_wait(c, d);
		return false;
	}
	operation_move(c, d, to);
	CORE_COPY(d->place.en, how.en);
	CORE_COPY(d->place.es, how.es);
	return true;
}

/* What is suspended cannot be moved: another one is made elsewhere, when there is a host for it. */
static void sleepers_leave(struct core_round *c, const struct core_host *h)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];
		struct host_wish w = { state_provider(c->st, d->provider_id), state_pool(c->st, d->pool_id), d, true };
		struct placement how;

		if (!desktop_sleeps(d) || d->t.id[0] || d->x.lifecycle != LIFECYCLE_LIVE || state_host_of(c->st, d) != h)
			continue;
		if (d->move.due_ms <= c->now->mono_ms) {
			desktop_touch(c, d);
			d->move.due_ms = c->now->mono_ms + MOVE_RETRY_MAX_MS;
			if (host_choose(c->st, &w, &how)) {
				desktop_delete(c, d);
				continue;
			}
			host_refuse(c, &w, &how, &d->move.why);
		}
		wake_at(c, d->move.due_ms);
	}
}

/* Where a move is not carried: another one costs nobody anything, when there is a host for it. */
static void spare_replace(struct core_round *c, struct core_desktop *d)
{
	struct host_wish w = { state_provider(c->st, d->provider_id), state_pool(c->st, d->pool_id), d, true };
	struct placement how;

	desktop_touch(c, d);
	d->move.due_ms = c->now->mono_ms + MOVE_RETRY_MAX_MS;
	if (desktop_is_ready(d) && host_choose(c->st, &w, &how))
		desktop_delete(c, d);
}

static bool move_is_due(struct core_round *c, const struct core_desktop *d)
{
	if (!desktop_runs(d) || d->t.id[0])
		return false;
	if (d->move.due_ms <= c->now->mono_ms)
		return true;
	wake_at(c, d->move.due_ms);
	return false;
}

/* Those whose last move failed come after the others. */
static struct core_desktop *move_next(struct core_round *c, const struct core_host *h)
{
	struct core_desktop *best = NULL;

	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (state_host_of(c->st, d) == h && move_is_due(c, d) && (!best || d->move.failures < best->move.failures))
			best = d;
	}
	return best;
}

static void drain_host(struct core_round *c, struct core_host *h)
{
	struct core_desktop *d;
	int tries = MOVE_TRIES;

	sleepers_leave(c, h);
	while (h->moving < h->at_once && (d = move_next(c, h))) {
		if (tries-- == 0) { /* a host of hundreds that nobody can take: a few in each second */
			wake_at(c, c->now->mono_ms + 1000);
			return;
		}
		if (carries_moves(c->st, d)) {
			h->moving += move_begin(c, d);
			continue;
		}
		spare_replace(c, d);
	}
}

void drain_run(struct core_round *c)
{
	for (size_t i = 0; i < c->st->host_count; i++)
		if (c->st->hosts[i].maintenance && c->st->provisioner)
			drain_host(c, &c->st->hosts[i]);
}

void drain_moved(struct core_round *c, struct core_desktop *d, const char *host)
{
	struct core_host *from = state_host_of(c->st, d);

	CORE_COPY(d->place.host, host);
	memset(&d->move, 0, sizeof(d->move));
	if (from)
		host_charge(from, pool_memory_mb(state_pool(c->st, d->pool_id)), -1);
	if (from && from->maintenance && from->here == 1)
		audit_host(c, "host.drained", from);
}

void drain_failed(struct core_round *c, struct core_desktop *d, const struct core_task *t)
{
	reason_set(&d->move.why, REASON_MOVE_FAILED, t->arg, t->error);
	CORE_COPY(d->move.failed_host, t->arg);
	d->move.failures++;
	move_wait(c, d);
}

/* ---- an administrator's word ---- */

static void maintenance_write(struct core_round *c, const struct core_provider *pr, const struct core_host *h)
{
	struct core_change *ch = change_add(c, CHANGE_HOST);

	CORE_COPY(ch->provider_id, pr->id);
	CORE_COPY(ch->text, h->name);
	CORE_COPY(ch->code, h->maintenance ? "maintenance" : "");
	if (c->ev->by)
		ch->actor = *c->ev->by;
	ch->number = h->at_once;
	ch->total = h->total;
}

static struct core_host *host_asked(struct core_round *c, const struct core_provider *pr)
{
	struct core_host *h = pr ? state_host(c->st, pr->name, c->ev->word) : NULL;

	if (!pr)
		refuse(c, PST_ENOTFOUND, REASON_NO_PROVIDER, NULL);
	else if (!h)
		refuse(c, PST_ENOTFOUND, REASON_HOST_UNKNOWN, c->ev->word);
	return h;
}

/* A move that failed long ago may work now: leaving and entering again tries it at once. */
static void moves_anew(struct core_round *c, const struct core_host *h)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (state_host_of(c->st, d) != h || !d->move.due_ms)
			continue;
		desktop_touch(c, d);
		memset(&d->move, 0, sizeof(d->move));
	}
}

void drain_on_maintenance(struct core_round *c)
{
	const struct core_provider *pr = state_provider(c->st, c->ev->provider);
	struct core_host *h = host_asked(c, pr);
	int at_once = c->ev->number < 1 ? 1 : c->ev->number < HOST_AT_ONCE_MAX ? c->ev->number : HOST_AT_ONCE_MAX;

	if (!h || (h->maintenance == c->ev->on && (!c->ev->on || h->at_once == at_once)))
		return;
	out_keep_host(c, h);
	if (h->maintenance != c->ev->on) {
		h->total = c->ev->on ? h->here : 0;
		h->since_wall = c->now->wall_ms;
		CORE_COPY(h->by, c->ev->by ? c->ev->by->name : "");
		audit_host(c, c->ev->on ? "host.maintenance" : "host.resumed", h);
		moves_anew(c, h);
	}
	h->maintenance = c->ev->on;
	h->at_once = c->ev->on ? at_once : 0;
	maintenance_write(c, pr, h);
}
