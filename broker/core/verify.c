/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One desktop of a new version is made, outside of every count and given to nobody; its agent
 * reports that all is well. Then it is removed.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static bool probe_is_of(const struct core_desktop *d, const struct core_rollout *ro)
{
	return d->probe && !strcmp(d->image_id, ro->image_id) && !strcmp(d->image_version, ro->version);
}

/* Also one that is on its way out: the next is made when it is gone. */
static struct core_desktop *verify_probe(const struct core_state *st, const struct core_rollout *ro)
{
	for (size_t i = 0; i < st->desktop_count; i++)
		if (probe_is_of(st->desktops[i], ro) && st->desktops[i]->x.lifecycle != LIFECYCLE_DELETED)
			return st->desktops[i];
	return NULL;
}

static void verify_fail(struct core_round *c, struct core_rollout *ro, const struct core_reason *why)
{
	rollout_touch(c, ro);
	reason_set_phrase(&ro->reason, REASON_VERIFY_FAILED, ro->version, why);
	version_judged(c, ro, false);
	rollout_enter(c, ro, ROLLOUT_FAILED);
}

static void verify_pass(struct core_round *c, struct core_rollout *ro, struct core_desktop *d)
{
	version_judged(c, ro, true);
	rollout_spread(c, ro);
	desktop_delete(c, d);
}

/* Of the pools that follow the image, one whose provider can make it now. */
static struct core_pool *verify_pool(struct core_round *c, struct core_rollout *ro)
{
	memset(&ro->waits, 0, sizeof(ro->waits));
	for (size_t i = 0; i < c->st->pool_count; i++) {
		struct core_pool *p = &c->st->pools[i];
		struct core_reason why;

		if (!pool_follows(p, ro))
			continue;
		if (provider_allows(c, state_provider(c->st, p->provider_id), &why))
			return p;
		if (!ro->waits.code[0])
			ro->waits = why;
	}
	return NULL;
}

static bool host_gets_room(const struct core_state *st)
{
	for (size_t i = 0; i < st->desktop_count; i++)
		if (st->desktops[i]->x.lifecycle == LIFECYCLE_DELETING)
			return true;
	return false;
}

static void verify_begin(struct core_round *c, struct core_rollout *ro)
{
	struct core_reason why;
	struct core_pool *p;

	pool_count(c->st); /* a place that has just become free is the probe's, not the pool's */
	p = verify_pool(c, ro);
	ro->wants_room =
		!p && !strcmp(ro->waits.code, reason_code(REASON_HOST_FULL)) && !host_gets_room(c->st);
	if (!p)
		return;
	if (ro->tries == VERIFY_TRIES) {
		reason_set(&why, REASON_MACHINE_GONE, NULL, NULL);
		verify_fail(c, ro, &why);
		return;
	}
	rollout_touch(c, ro);
	ro->tries++;
	ro->phase_ms = c->now->mono_ms;
	pool_make(c, p, ro->version, true);
}

/* What an agent beside the machine's own server gets longer than another, its version's first desktop gets, too. */
static int64_t verify_wait_ms(const struct core_desktop *d)
{
	return VERIFY_WAIT_MS - AGENT_WAIT_MS + agent_wait_ms(d);
}

void verify_run(struct core_round *c, struct core_rollout *ro)
{
	struct core_desktop *d = verify_probe(c->st, ro);
	struct core_reason late;

	if (!rollout_has_pools(c->st, ro)) {
		rollout_spread(c, ro);
	} else if (!d) {
		verify_begin(c, ro);
	} else if (d->x.lifecycle >= LIFECYCLE_DELETING) {
		return;
	} else if (d->x.lifecycle == LIFECYCLE_FAILED || d->failures) {
		verify_fail(c, ro, &d->reason);
	} else if (desktop_is_usable(d)) {
		verify_pass(c, ro, d);
	} else if (ro->phase_ms + verify_wait_ms(d) <= c->now->mono_ms) {
		reason_set_numbers(&late, REASON_AGENT_SILENT, verify_wait_ms(d) / 1000, 0);
		verify_fail(c, ro, &late);
	} else {
		wake_at(c, ro->phase_ms + verify_wait_ms(d));
	}
}

bool verify_takes_room(const struct core_state *st, const struct core_pool *p)
{
	struct core_rollout *ro = state_rollout(st, p->image_id);

	if (!ro || ro->phase != ROLLOUT_VERIFY || ro->paused || !ro->wants_room || !pool_follows(p, ro) ||
		(!p->ready && !p->tier.idle))
		return false;
	ro->wants_room = false; /* one desktop, of one pool */
	return true;
}

void verify_clean(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];
		const struct core_rollout *ro = d->probe ? state_rollout(c->st, d->image_id) : NULL;

		if (!d->probe || d->x.lifecycle >= LIFECYCLE_DELETING)
			continue;
		if (!ro || ro->phase != ROLLOUT_VERIFY || !probe_is_of(d, ro))
			desktop_delete(c, d);
	}
}
