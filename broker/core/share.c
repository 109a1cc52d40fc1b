/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which version a desktop gets while two of them are in use, and how many desktops have to
 * make room for the new one.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* The canaries are being made now. NULL: they are not, or the pool has none. */
static const struct core_rollout *share_of(const struct core_state *st, const struct core_pool *p)
{
	const struct core_rollout *ro = state_rollout(st, p->image_id);

	return ro && ro->phase == ROLLOUT_CANARY && !ro->paused && pool_follows(p, ro) ? ro : NULL;
}

/* Of so many desktops, how many are canaries: one at least. */
static int share_quota(const struct core_rollout *ro, int total)
{
	int quota = total * ro->plan.canary / 100;

	return quota > 0 ? quota : 1;
}

const char *share_version(
	const struct core_state *st, const struct core_pool *p, const struct core_desktop *d)
{
	const struct core_rollout *ro = share_of(st, p);
	int others;

	if (!ro)
		return pool_version(st, p);
	others = p->fresh - (d && !strcmp(d->image_version, ro->version));
	return others < share_quota(ro, p->total - p->ending + (d == NULL)) ? ro->version
									    : pool_version(st, p);
}

bool desktop_is_stale(const struct core_state *st, const struct core_pool *p, const struct core_desktop *d)
{
	const char *version = pool_version(st, p);
	const struct core_rollout *ro = state_rollout(st, p->image_id);

	if (strcmp(d->image_id, p->image_id) != 0 || strcmp(d->provider_id, p->provider_id) != 0)
		return true;
	if (!version[0] || !strcmp(d->image_version, version))
		return false;
	/* Canaries, and what was made before a pause, are as good as the others. */
	return !ro || !rollout_is_live(ro) || !pool_follows(p, ro) ||
	       strcmp(d->image_version, ro->version) != 0;
}

/* Canaries that are still to come and that nobody is making room for. */
static int share_lack(const struct core_state *st, const struct core_pool *p)
{
	const struct core_rollout *ro = share_of(st, p);
	int there = 0, old = 0, lack;

	if (!ro)
		return 0;
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		bool is_new = !strcmp(d->image_version, ro->version);

		if (strcmp(d->pool_id, p->id) != 0 || d->probe || d->x.lifecycle != LIFECYCLE_LIVE)
			continue;
		there += is_new && (desktop_is_ready(d) || desktop_sleeps(d) || d->x.lease != LEASE_FREE);
		old += !is_new && desktop_is_ready(d);
	}
	lack = share_quota(ro, p->total - p->ending) - there;
	return lack > 0 ? smaller(lack, old) : 0;
}

void share_count(const struct core_state *st, struct core_pool *p)
{
	p->stale = smaller(p->stale + share_lack(st, p), p->ready);
	p->surge = smaller(p->stale, share_ceiling(st, p));
}

int share_rank(const struct core_state *st, const struct core_pool *p, const struct core_desktop *d)
{
	const struct core_rollout *ro = share_of(st, p);

	if (desktop_is_stale(st, p, d))
		return 0;
	return ro && strcmp(d->image_version, ro->version) != 0 ? 1 : 2;
}

int share_ceiling(const struct core_state *st, const struct core_pool *p)
{
	const struct core_rollout *ro = state_rollout(st, p->image_id);

	return ro && pool_follows(p, ro) ? ro->plan.unavailable : 1;
}
