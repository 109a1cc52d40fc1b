/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whether a new version is worse than the one before: desktops that fail stop it, log-ons that
 * fail or that take much longer send it back.
 */
#include "broker/core/core_priv.h"

#include <stdio.h>
#include <string.h>

/* The roll-out that this desktop is an example of; NULL: it is of no new version. */
static struct core_rollout *judge_of(struct core_round *c, const struct core_desktop *d)
{
	struct core_rollout *ro = state_rollout(c->st, d->image_id);
	const struct core_pool *p = state_pool(c->st, d->pool_id);
	bool is_out = ro && (ro->phase == ROLLOUT_CANARY || ro->phase == ROLLOUT_ROLLING ||
				    ro->phase == ROLLOUT_DONE);

	return is_out && !d->probe && p && pool_follows(p, ro) && !strcmp(d->image_version, ro->version)
		       ? ro
		       : NULL;
}

void judge_failure(struct core_round *c, const struct core_desktop *d, const struct core_reason *why)
{
	struct core_rollout *ro = judge_of(c, d);
	char count[24];

	if (!ro || !rollout_is_live(ro) || ro->paused)
		return;
	rollout_touch(c, ro);
	if (++ro->failures < ro->plan.failures)
		return;
	snprintf(count, sizeof(count), "%d", ro->failures);
	ro->paused = true;
	reason_set_phrase(&ro->reason, REASON_ROLLOUT_STOPPED, count, why);
	audit_rollout(c, "rollout.stopped", ro, ro->reason.en);
}

void judge_logon(struct core_round *c, const struct core_desktop *d, bool begun)
{
	struct core_rollout *ro = judge_of(c, d);

	if (!ro || (!rollout_is_live(ro) && !ro->phase_ms))
		return;
	rollout_touch(c, ro);
	ro->logons++;
	ro->logons_failed += !begun;
}

static bool judge_logons(const struct core_rollout *ro, struct core_reason *ret)
{
	if (ro->logons_failed < ro->plan.failures || ro->logons_failed * 2 < ro->logons)
		return false;
	reason_set_numbers(ret, REASON_LOGONS_FAIL, ro->logons_failed, ro->logons);
	return true;
}

static bool judge_times(const struct core_state *st, const struct core_rollout *ro, enum timing_kind kind,
	struct core_reason *ret)
{
	int was = timing_median(st, ro->image_id, ro->previous, kind, ro->plan.samples);
	int is = timing_median(st, ro->image_id, ro->version, kind, ro->plan.samples);

	if (!ro->plan.slower || was < 0 || is - was < SLOWER_FLOOR_MS ||
		(int64_t)is * 100 <= (int64_t)was * ro->plan.slower)
		return false;
	reason_set_numbers(
		ret, kind == TIMING_LOGON ? REASON_LOGONS_SLOWER : REASON_PREPARING_SLOWER, was, is);
	return true;
}

static bool judge_all_times(
	const struct core_state *st, const struct core_rollout *ro, struct core_reason *ret)
{
	for (int kind = 0; kind < TIMING_KINDS; kind++)
		if (judge_times(st, ro, (enum timing_kind)kind, ret))
			return true;
	return false;
}

bool judge_run(struct core_round *c, struct core_rollout *ro)
{
	bool is_watched =
		ro->phase == ROLLOUT_DONE && ro->phase_ms && c->now->mono_ms - ro->phase_ms < ROLL_WATCH_MS;
	struct core_reason why;

	if (!ro->previous[0] || (ro->phase != ROLLOUT_CANARY && ro->phase != ROLLOUT_ROLLING && !is_watched))
		return false;
	if (!judge_logons(ro, &why) && !judge_all_times(c->st, ro, &why))
		return false;
	rollout_revert(c, ro, &why, true);
	return true;
}
