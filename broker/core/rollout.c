/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The phases of a roll-out (the drawing is in rollout.h). Its row is the only truth: which
 * version a pool's next disk gets follows from it, and the image's published version changes
 * at the very end, so that going back is to write one word.
 */
#include "broker/core/core_priv.h"

#include <stdlib.h>
#include <string.h>

bool rollout_is_live(const struct core_rollout *ro)
{
	return ro->phase < ROLLOUT_DONE;
}

bool pool_follows(const struct core_pool *p, const struct core_rollout *ro)
{
	return !p->deleting && !strcmp(p->image_id, ro->image_id) && !strcmp(p->image_version, "latest");
}

/* ---- changes and their undoing ---- */

bool rollout_keep(struct core_round *c)
{
	struct core_out *out = c->out;

	if (out->rollouts)
		return true;
	out->rollouts = calloc(c->st->rollout_count + 1, sizeof(*out->rollouts));
	out->images = calloc(c->st->image_count + 1, sizeof(*out->images));
	if (!out->rollouts || !out->images) {
		out->failed = true;
		return false;
	}
	out->rollout_count = c->st->rollout_count;
	if (out->rollout_count)
		memcpy(out->rollouts, c->st->rollouts, out->rollout_count * sizeof(*out->rollouts));
	if (c->st->image_count)
		memcpy(out->images, c->st->images, c->st->image_count * sizeof(*out->images));
	return true;
}

void rollout_undo(struct core_state *st, struct core_out *out)
{
	if (!out->rollouts || !out->images)
		return;
	if (out->rollout_count)
		memcpy(st->rollouts, out->rollouts, out->rollout_count * sizeof(*out->rollouts));
	st->rollout_count = out->rollout_count;
	if (st->image_count)
		memcpy(st->images, out->images, st->image_count * sizeof(*out->images));
}

void rollout_touch(struct core_round *c, struct core_rollout *ro)
{
	rollout_keep(c);
	if (ro->touched == c->st->round)
		return;
	ro->touched = c->st->round;
	CORE_COPY(change_add(c, CHANGE_ROLLOUT)->desktop_id, ro->image_id);
}

void audit_rollout(struct core_round *c, const char *word, const struct core_rollout *ro, const char *text)
{
	struct core_change *ch = change_add(c, CHANGE_AUDIT);

	ch->word = word;
	ch->object_kind = "image";
	CORE_COPY(ch->desktop_id, ro->image_id);
	CORE_COPY(ch->text, ro->version);
	CORE_COPY(ch->text_es, text);
	if (c->ev->by)
		ch->actor = *c->ev->by;
	else
		CORE_COPY(ch->actor.kind, "system");
}

void version_judged(struct core_round *c, const struct core_rollout *ro, bool works)
{
	struct core_change *ch = change_add(c, CHANGE_VERSION);

	CORE_COPY(ch->desktop_id, ro->image_id);
	CORE_COPY(ch->text, ro->version);
	CORE_COPY(ch->code, works ? "ready" : "failed");
}

static void publish(struct core_round *c, const struct core_rollout *ro, const char *version)
{
	struct core_image *image = state_image(c->st, ro->image_id);
	struct core_change *ch;

	if (!image || !strcmp(image->published, version))
		return;
	CORE_COPY(image->published, version);
	ch = change_add(c, CHANGE_PUBLISHED);
	CORE_COPY(ch->desktop_id, image->id);
	CORE_COPY(ch->text, version);
}

/* ---- the phases ---- */

void rollout_enter(struct core_round *c, struct core_rollout *ro, enum rollout_phase phase)
{
	static const char *const words[] = { "rollout.verify", "rollout.canary", "rollout.rolling",
		"rollout.done", "rollout.failed", "rollout.reverted" };

	rollout_touch(c, ro);
	ro->phase = phase;
	ro->phase_ms = c->now->mono_ms;
	ro->since_wall = c->now->wall_ms;
	ro->paused = false;
	memset(&ro->waits, 0, sizeof(ro->waits));
	if (phase <= ROLLOUT_DONE)
		memset(&ro->reason, 0, sizeof(ro->reason));
	if (phase == ROLLOUT_DONE)
		publish(c, ro, ro->version);
	audit_rollout(c, words[phase], ro, ro->reason.en);
}

bool rollout_has_pools(const struct core_state *st, const struct core_rollout *ro)
{
	for (size_t i = 0; i < st->pool_count; i++)
		if (pool_follows(&st->pools[i], ro))
			return true;
	return false;
}

void rollout_spread(struct core_round *c, struct core_rollout *ro)
{
	if (!rollout_has_pools(c->st, ro))
		rollout_enter(c, ro, ROLLOUT_DONE);
	else if (ro->phase == ROLLOUT_VERIFY && ro->plan.canary && ro->previous[0])
		rollout_enter(c, ro, ROLLOUT_CANARY);
	else
		rollout_enter(c, ro, ROLLOUT_ROLLING);
}

/* What was not begun is begun with the version before, or not at all. */
static void revert_unbegun(struct core_round *c, const struct core_rollout *ro)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];
		const struct core_pool *p = state_pool(c->st, d->pool_id);

		if (!p || !pool_follows(p, ro) || strcmp(d->image_version, ro->version) != 0)
			continue;
		if (d->x.lifecycle == LIFECYCLE_CREATING && d->x.lease == LEASE_FREE) { /* what comes back has its user's disk */
			desktop_delete(c, d);
		} else if (d->t.id[0] && d->t.kind == TASK_REFRESH && !d->t.attempts &&
			   d->x.lifecycle == LIFECYCLE_LIVE) {
			desktop_touch(c, d);
			CORE_COPY(d->image_version, ro->previous);
		}
	}
}

void rollout_revert(struct core_round *c, struct core_rollout *ro, const struct core_reason *why, bool bad)
{
	bool is_out = ro->phase > ROLLOUT_VERIFY;

	rollout_touch(c, ro);
	ro->reason = *why;
	if (ro->phase == ROLLOUT_DONE)
		publish(c, ro, ro->previous);
	if (bad)
		version_judged(c, ro, false);
	rollout_enter(c, ro, ROLLOUT_REVERTED);
	if (is_out && ro->previous[0])
		revert_unbegun(c, ro);
}

bool rollout_spares(const struct core_rollout *ro, const struct core_pool *p, const struct core_desktop *d)
{
	if (!p->enabled || p->drain || p->maintenance || d->x.drain || d->x.parked)
		return true;
	if (d->x.lease == LEASE_FREE)
		return false;
	return d->x.lifecycle == LIFECYCLE_FAILED || (p->on_logoff == ON_LOGOFF_KEEP && !ro->plan.kept);
}

static bool rolling_is_done(const struct core_state *st, const struct core_rollout *ro)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		const struct core_pool *p = state_pool(st, d->pool_id);

		if (!p || !pool_follows(p, ro) || d->probe || d->x.lifecycle >= LIFECYCLE_DELETING)
			continue;
		if (desktop_is_stale(st, p, d) && !rollout_spares(ro, p, d))
			return false;
	}
	return true;
}

static void canary_run(struct core_round *c, struct core_rollout *ro)
{
	int64_t until = ro->phase_ms + (int64_t)ro->plan.canary_s * 1000;

	if (!ro->plan.canary_s)
		return;
	if (until <= c->now->mono_ms)
		rollout_spread(c, ro);
	else
		wake_at(c, until);
}

static void rollout_step(struct core_round *c, struct core_rollout *ro)
{
	if (ro->phase == ROLLOUT_VERIFY)
		verify_run(c, ro);
	else if (!rollout_has_pools(c->st, ro))
		rollout_enter(c, ro, ROLLOUT_DONE); /* nobody is left to be careful for */
	else if (ro->phase == ROLLOUT_CANARY)
		canary_run(c, ro);
	if (ro->phase != ROLLOUT_ROLLING)
		return;
	renew_run(c, ro);
	if (rolling_is_done(c->st, ro))
		rollout_enter(c, ro, ROLLOUT_DONE);
}

void rollout_run(struct core_round *c)
{
	for (size_t i = 0; i < c->st->rollout_count; i++) {
		struct core_rollout *ro = &c->st->rollouts[i];

		if (judge_run(c, ro))
			continue;
		if (rollout_is_live(ro) && !ro->paused)
			rollout_step(c, ro);
	}
	verify_clean(c);
}

void rollout_set_force(struct core_rollout *ro, const struct core_now *now)
{
	int64_t left = ro->plan.force_wall - now->wall_ms;

	ro->force_ms = ro->plan.force_wall ? now->mono_ms + left : 0;
	if (ro->plan.force_wall && ro->force_ms <= 0)
		ro->force_ms = 1; /* long past */
}

void rollout_resume(struct core_state *st, const struct core_now *now)
{
	for (size_t i = 0; i < st->rollout_count; i++) {
		struct core_rollout *ro = &st->rollouts[i];

		ro->phase_ms = rollout_is_live(ro) ? now->mono_ms : 0;
		rollout_set_force(ro, now);
	}
}

void rollout_forget(struct core_state *st)
{
	for (size_t i = st->rollout_count; i-- > 0;)
		if (!state_image(st, st->rollouts[i].image_id))
			state_remove_rollout(st, &st->rollouts[i]);
}
