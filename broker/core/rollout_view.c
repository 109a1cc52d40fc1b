/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What people see of a roll-out: how far it is, and one sentence.
 */
#include "broker/core/core_priv.h"
#include "broker/core/view.h"

#include <string.h>

static void view_desktop(const struct core_rollout *ro, const struct core_pool *p,
	const struct core_desktop *d, struct rollout_view *v)
{
	v->total++;
	if (!strcmp(d->image_version, ro->version))
		v->updated++;
	else if (rollout_spares(ro, p, d))
		v->left_alone++;
	else if (d->x.lease != LEASE_FREE)
		v->in_use++;
	else
		v->free++;
}

static void view_reason(const struct core_rollout *ro, struct rollout_view *v)
{
	if (ro->reason.code[0])
		v->reason = ro->reason;
	else if (ro->waits.code[0])
		v->reason = ro->waits;
	else if (ro->phase == ROLLOUT_VERIFY)
		reason_set(&v->reason, REASON_ROLLOUT_VERIFY, ro->version, NULL);
	else if (ro->phase == ROLLOUT_DONE)
		reason_set(&v->reason, REASON_ROLLOUT_DONE, ro->version, NULL);
	else
		reason_set_numbers(&v->reason,
			ro->phase == ROLLOUT_CANARY ? REASON_ROLLOUT_CANARY : REASON_ROLLOUT_ROLLING,
			v->updated, v->total);
}

static void view_times(const struct core_state *st, const struct core_rollout *ro, struct rollout_view *v)
{
	const char *const versions[2] = { ro->previous, ro->version };

	for (int kind = 0; kind < TIMING_KINDS; kind++)
		for (int i = 0; i < 2; i++)
			v->ms[kind][i] =
				timing_median(st, ro->image_id, versions[i], (enum timing_kind)kind, 1);
}

bool rollout_view(const struct core_state *st, const char *image_id, struct rollout_view *ret)
{
	const struct core_rollout *ro = state_rollout(st, image_id);

	if (!ro)
		return false;
	*ret = (struct rollout_view){ 0 };
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		const struct core_pool *p = state_pool(st, d->pool_id);

		if (p && pool_follows(p, ro) && !d->probe && d->x.lifecycle < LIFECYCLE_DELETING)
			view_desktop(ro, p, d, ret);
	}
	view_reason(ro, ret);
	view_times(st, ro, ret);
	return true;
}
