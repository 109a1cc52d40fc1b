/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Desktops that somebody has, while a version rolls: they wait for the log-off. At the time
 * that an administrator has named, whoever still works is told, and five minutes later is
 * logged off. (Free desktops: pool_plan.c.)
 */
#include "broker/core/core_priv.h"

#include <string.h>

/* A log-off does not change its version: its user keeps the disk. */
static bool renew_keeps(const struct core_pool *p)
{
	return p->on_logoff == ON_LOGOFF_KEEP;
}

static int renew_busy(const struct core_state *st, const struct core_pool *p)
{
	int busy = 0;

	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		busy += !strcmp(d->pool_id, p->id) && d->x.lease == LEASE_HELD && d->t.id[0] &&
			d->t.kind == TASK_REFRESH;
	}
	return busy;
}

/* Its owner is not there, nothing runs in it, and nothing of his is on a disk that is his until he logs off. */
static bool renew_is_vacant(const struct core_pool *p, const struct core_desktop *d)
{
	bool is_owned = renew_keeps(p) || (d->a.kind == POOL_DEDICATED && p->on_logoff == ON_LOGOFF_REFRESH && d->x.hygiene == HYGIENE_CLEAN);

	return is_owned && d->x.session == SESSION_NONE && !d->due.claim_ms;
}

/* The owner keeps the desktop, and gets a new disk. */
static void renew_disk(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	session_end(c, d, REASON_END_VERSION, true);
	d->x.session = SESSION_NONE;
	d->due.roll_ms = d->due.logoff_ms = 0;
	desktop_refresh(c, d);
}

static void renew_tell(struct core_round *c, struct core_desktop *d, const struct core_rollout *ro)
{
	struct core_command *cmd = command_add(c, COMMAND_AGENT);

	desktop_touch(c, d);
	d->due.roll_ms = c->now->mono_ms + ROLL_NOTICE_MS;
	if (d->due.roll_ms < ro->force_ms)
		d->due.roll_ms = ro->force_ms;
	CORE_COPY(cmd->desktop_id, d->id);
	cmd->tell = AGENT_TELL_MESSAGE;
	reason_set_numbers(
		&cmd->reason, REASON_VERSION_NOTICE, (d->due.roll_ms - c->now->mono_ms) / 60000, 0);
}

static void renew_force(struct core_round *c, const struct core_rollout *ro, const struct core_pool *p,
	struct core_desktop *d)
{
	int64_t notice = ro->force_ms - ROLL_NOTICE_MS;

	if (!d->due.roll_ms && notice > c->now->mono_ms)
		wake_at(c, notice);
	else if (!d->due.roll_ms)
		renew_tell(c, d, ro);
	else if (d->due.roll_ms > c->now->mono_ms)
		return;
	else if (renew_keeps(p))
		renew_disk(c, d);
	else
		lease_logoff(c, d, REASON_END_VERSION);
}

static void renew_desktop(struct core_round *c, const struct core_rollout *ro, const struct core_pool *p,
	struct core_desktop *d)
{
	if (d->x.lifecycle != LIFECYCLE_LIVE || d->x.lease != LEASE_HELD || d->t.id[0])
		return;
	if (!desktop_is_stale(c->st, p, d) || rollout_spares(ro, p, d))
		return;
	if (renew_is_vacant(p, d)) {
		if (renew_busy(c->st, p) < ro->plan.unavailable)
			renew_disk(c, d);
	} else if (ro->force_ms) {
		renew_force(c, ro, p, d);
	}
}

void renew_forget(struct core_round *c, const struct core_rollout *ro)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (!d->due.roll_ms || strcmp(d->image_id, ro->image_id) != 0)
			continue;
		desktop_touch(c, d);
		d->due.roll_ms = 0;
	}
}

void renew_run(struct core_round *c, struct core_rollout *ro)
{
	for (size_t i = 0; i < c->st->desktop_count && !c->out->failed; i++) {
		struct core_desktop *d = c->st->desktops[i];
		const struct core_pool *p = state_pool(c->st, d->pool_id);

		if (p && pool_follows(p, ro))
			renew_desktop(c, ro, p, d);
	}
}
