/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What administrators do to a roll-out: begin it, hold it, let it go on, take it back.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static void rollout_begin(struct core_round *c, const struct core_image *image, struct core_rollout *old)
{
	const struct core_rollout *wish = c->ev->rollout;
	struct core_rollout *ro = rollout_keep(c) ? old ? old : state_add_rollout(c->st) : NULL;

	if (!ro) {
		refuse(c, PST_ELIMIT, REASON_NO_MEMORY, NULL);
		return;
	}
	*ro = (struct core_rollout){ .plan = wish->plan, .created_wall = c->now->wall_ms };
	c->ids->uuid(c->ids->arg, ro->id);
	CORE_COPY(ro->image_id, image->id);
	CORE_COPY(ro->version, wish->version);
	CORE_COPY(ro->previous, image->published);
	CORE_COPY(ro->by, c->ev->by ? c->ev->by->name : "");
	rollout_set_force(ro, c->now);
	renew_forget(c, ro);
	rollout_touch(c, ro);
	if (c->ev->on || !c->st->verify_first || !rollout_has_pools(c->st, ro))
		rollout_spread(c, ro);
	else
		rollout_enter(c, ro, ROLLOUT_VERIFY);
}

static void revert_by(struct core_round *c, struct core_rollout *ro)
{
	struct core_reason why;

	reason_set(&why, REASON_ROLLOUT_TAKEN_BACK, c->ev->by ? c->ev->by->name : "", NULL);
	rollout_revert(c, ro, &why, false);
}

/* The same version again changes the plan; the version before takes the new one back. */
static void publish_amid(struct core_round *c, struct core_rollout *ro)
{
	const struct core_rollout *wish = c->ev->rollout;

	if (!strcmp(wish->version, ro->version)) {
		rollout_touch(c, ro);
		ro->plan = wish->plan;
		rollout_set_force(ro, c->now);
		renew_forget(c, ro);
	} else if (!strcmp(wish->version, ro->previous)) {
		revert_by(c, ro);
	} else {
		refuse(c, PST_ECONFLICT, REASON_ROLLOUT_LIVE, ro->version);
	}
}

void rollout_on_publish(struct core_round *c)
{
	const struct core_rollout *wish = c->ev->rollout;
	const struct core_image *image = state_image(c->st, wish->image_id);
	struct core_rollout *ro = state_rollout(c->st, wish->image_id);

	if (!image)
		refuse(c, PST_ENOTFOUND, REASON_NO_SUCH_IMAGE, NULL);
	else if (ro && rollout_is_live(ro))
		publish_amid(c, ro);
	else if (strcmp(image->published, wish->version) != 0)
		rollout_begin(c, image, ro);
}

static void act_pause(struct core_round *c, struct core_rollout *ro)
{
	if (ro->paused)
		return;
	rollout_touch(c, ro);
	ro->paused = true;
	reason_set(&ro->reason, REASON_ROLLOUT_PAUSED, c->ev->by ? c->ev->by->name : "", NULL);
	audit_rollout(c, "rollout.paused", ro, ro->reason.en);
}

static void act_continue(struct core_round *c, struct core_rollout *ro)
{
	bool was_paused = ro->paused;

	rollout_touch(c, ro);
	ro->paused = false;
	ro->failures = 0;
	ro->phase_ms = c->now->mono_ms;
	memset(&ro->reason, 0, sizeof(ro->reason));
	renew_forget(c, ro);
	audit_rollout(c, "rollout.continued", ro, "");
	if (!was_paused && ro->phase == ROLLOUT_CANARY)
		rollout_spread(c, ro);
}

/* The version before is no more: there is no way back to it. While it is the published one, it cannot go. */
static void act_forget(struct core_round *c, struct core_rollout *ro)
{
	if (!ro || rollout_is_live(ro) || strcmp(ro->previous, c->ev->text) != 0)
		return;
	rollout_touch(c, ro);
	ro->previous[0] = '\0';
}

void rollout_on_act(struct core_round *c)
{
	struct core_rollout *ro = state_rollout(c->st, c->ev->word);
	bool can_revert = ro && (rollout_is_live(ro) || (ro->phase == ROLLOUT_DONE && ro->previous[0]));

	if (c->ev->act == ROLLOUT_FORGET)
		act_forget(c, ro);
	else if (c->ev->act == ROLLOUT_REVERT && can_revert)
		revert_by(c, ro);
	else if (!ro || !rollout_is_live(ro))
		refuse(c, PST_ECONFLICT, REASON_NO_ROLLOUT, NULL);
	else if (c->ev->act == ROLLOUT_PAUSE)
		act_pause(c, ro);
	else if (c->ev->act == ROLLOUT_CONTINUE)
		act_continue(c, ro);
}
