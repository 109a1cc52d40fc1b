/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists of machines: what they have, what they lack, and what they cannot say. A list is
 * evidence, not truth: a hypervisor that is asked amid its own start answers with nothing.
 */
#include "broker/core/core_priv.h"

#include <string.h>

/* Has this list nothing to say of the provider? It is remembered. */
static bool inventory_is_silent(struct core_round *c, const struct core_provider *pr)
{
	struct core_served *served = state_served(c->st, pr->name);
	bool silent = false;

	for (size_t i = 0; i < c->ev->unlisted_count; i++)
		silent |= strcmp(c->ev->unlisted[i], pr->name) == 0;
	if (served)
		served->silent = silent;
	return silent;
}

/* Nobody new gets it until a list has it; who has it goes on. */
static void inventory_doubt(struct core_round *c, struct core_desktop *d, enum reason why, const char *provider)
{
	struct core_reason say;

	reason_set(&say, why, provider, NULL);
	if (d->x.power == POWER_UNKNOWN && strcmp(d->reason.en, say.en) == 0)
		return;
	desktop_touch(c, d);
	d->x.power = POWER_UNKNOWN;
	d->reason = say;
}

/* The same, by the host that it was on. */
static void inventory_doubt_host(struct core_round *c, struct core_desktop *d, const char *provider)
{
	const struct core_host *h = state_host_of(c->st, d);

	inventory_doubt(c, d, REASON_MACHINE_UNKNOWN, provider);
	if (d->x.power == POWER_UNKNOWN && h && !h->listed)
		reason_set(&d->reason, REASON_HOST_AWAY, h->name, h->reason);
}

/* An agent that is connected is a machine that runs, whatever a list says. Where there is none, nobody contradicts the list. */
static bool inventory_lacks(const struct core_round *c, const struct core_desktop *d)
{
	return d->x.lifecycle == LIFECYCLE_LIVE && !d->t.id[0] && d->seen != c->st->round &&
	       (d->x.agent != AGENT_READY || d->agentless);
}

static void inventory_count(struct core_round *c, const struct core_provider *pr, size_t *ret_live, size_t *ret_ripe)
{
	*ret_live = *ret_ripe = 0;
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (strcmp(d->provider_id, pr->id) != 0 || d->x.lifecycle != LIFECYCLE_LIVE || d->t.id[0])
			continue;
		*ret_live += 1;
		if (!inventory_lacks(c, d))
			continue;
		desktop_touch(c, d);
		d->missing += d->missing < INVENTORY_LISTS;
		*ret_ripe += d->missing == INVENTORY_LISTS;
		c->st->inventory_ms = c->now->mono_ms + INVENTORY_SOON_MS;
	}
}

/* Many at once, or all of several, is rather the list's fault: an administrator decides, or a better list. */
static bool inventory_is_credible(size_t live, size_t ripe)
{
	size_t few = live / 10 > REAP_FEW ? live / 10 : REAP_FEW;

	return ripe <= few && (ripe < live || live == 1);
}

static void inventory_of_provider(struct core_round *c, const struct core_provider *pr)
{
	bool silent = inventory_is_silent(c, pr);
	bool partial = host_is_unlisted(c->st, pr->name); /* whatever it lacks may be on the host that is away */
	size_t live = 0, ripe = 0;

	if (silent || partial)
		c->st->inventory_ms = c->now->mono_ms + INVENTORY_SOON_MS;
	else
		inventory_count(c, pr, &live, &ripe);
	bool credible = inventory_is_credible(live, ripe);

	c->st->missing_paused |= ripe > 0 && !credible;
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (strcmp(d->provider_id, pr->id) != 0 || d->x.lifecycle != LIFECYCLE_LIVE || d->t.id[0] || d->seen == c->st->round)
			continue;
		if (silent)
			inventory_doubt(c, d, REASON_MACHINE_UNKNOWN, pr->name);
		else if (partial)
			inventory_doubt_host(c, d, pr->name);
		else if (inventory_lacks(c, d) && d->missing == INVENTORY_LISTS && credible)
			machine_gone(c, d);
		else if (inventory_lacks(c, d))
			inventory_doubt(c, d, REASON_MACHINE_MISSING, pr->name);
	}
}

void inventory_take(struct core_round *c)
{
	c->st->inventory_ms = c->now->mono_ms + INVENTORY_MS;
	host_take(c);
	for (size_t i = 0; i < c->ev->machine_count; i++) {
		const struct machine_report *m = &c->ev->machines[i];
		struct core_desktop *d = state_desktop(c->st, m->desktop);

		if (!d) {
			reaper_sight(c, m->desktop);
			continue;
		}
		d->seen = c->st->round;
		if (d->missing) {
			desktop_touch(c, d);
			d->missing = 0;
		}
		machine_apply(c, d, m);
	}
	c->st->missing_paused = false;
	for (size_t i = 0; i < c->st->provider_count; i++)
		inventory_of_provider(c, &c->st->providers[i]);
	reaper_after_inventory(c, c->ev->machine_count);
}

/* What two lists lacked is gone: an administrator has looked. */
void inventory_on_allow(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (d->missing == INVENTORY_LISTS && inventory_lacks(c, d))
			machine_gone(c, d);
	}
	c->st->missing_paused = false;
}
