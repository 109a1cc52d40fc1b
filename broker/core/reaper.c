/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Removes what nobody claims: failed desktops after a while, and machines that
 * carry our tag but have no row, seen in two lists. So many at once that it looks
 * like our own mistake (a restored backup) wait for an administrator.
 */
#include "broker/core/core_priv.h"

#include <string.h>

void reaper_sight(struct core_round *c, const char *machine)
{
	struct core_orphan *o = state_orphan(c->st, machine);

	if (!o)
		o = state_add_orphan(c->st, machine);
	if (!o || o->seen)
		return; /* at the ceiling: the next list has it again */
	o->seen = true;
	o->sightings++;
}

static bool orphan_is_ripe(const struct core_orphan *o)
{
	return !o->t.id[0] && o->sightings >= 2;
}

static void reaper_destroy(struct core_round *c, size_t limit)
{
	for (size_t i = 0; i < c->st->orphan_count && limit; i++) {
		if (!orphan_is_ripe(&c->st->orphans[i]))
			continue;
		task_start_orphan(c, &c->st->orphans[i]);
		limit--;
	}
}

void reaper_after_inventory(struct core_round *c, size_t machine_count)
{
	size_t ripe = 0, limit = machine_count / 10 > REAP_FEW ? machine_count / 10 : REAP_FEW;

	for (size_t i = c->st->orphan_count; i-- > 0;) {
		struct core_orphan *o = &c->st->orphans[i];

		if (!o->seen && !o->t.id[0]) {
			state_remove_orphan(c->st, o);
			continue;
		}
		o->seen = false;
		ripe += orphan_is_ripe(o);
		if (!o->t.id[0] && o->sightings < 2)
			c->st->inventory_ms = c->now->mono_ms + INVENTORY_SOON_MS;
	}
	c->st->reap_paused = ripe > limit;
	if (!c->st->reap_paused)
		reaper_destroy(c, limit);
}

void reaper_on_allow(struct core_round *c)
{
	c->st->reap_paused = false;
	reaper_destroy(c, SIZE_MAX);
	inventory_on_allow(c);
}

/* Its place is all that a new one waits for; one at a time. */
static bool reaper_needs_place(struct core_round *c, const struct core_pool *p)
{
	struct core_reason why;

	return pool_lacks(p) && p->total >= p->max && !p->ending &&
	       breaker_allows(c, p->provider_id, p->image_id, pool_version(c->st, p), &why);
}

void reaper_failed(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];
		struct core_pool *p;

		if (d->x.lifecycle != LIFECYCLE_FAILED || d->x.lease != LEASE_FREE)
			continue;
		p = state_pool(c->st, d->pool_id);
		if (p && !p->deleting && d->due.reap_ms > c->now->mono_ms && !reaper_needs_place(c, p))
			continue;
		desktop_delete(c, d);
		if (p)
			p->ending++;
	}
}
