/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A desktop that was deleted comes back with the disk that it had, for the user who had it. Its disk was used:
 * it is dirty from the first moment, and nobody else's.
 */
#include "broker/core/core_priv.h"

#include <string.h>

static struct core_pool *pool_of(struct core_round *c)
{
	struct core_pool *p = state_pool(c->st, c->ev->pool);

	if (p && !p->deleting)
		return p;
	refuse(c, PST_ENOTFOUND, REASON_NO_POOL, NULL);
	return NULL;
}

/* Its machine was nobody's so far; false: it is being removed as such. */
static bool claim(struct core_round *c, const char *desktop)
{
	struct core_orphan *o = state_orphan(c->st, desktop);

	if (o && o->t.id[0])
		return false;
	if (o)
		state_remove_orphan(c->st, o);
	return true;
}

static void begin(struct core_round *c, struct core_desktop *d)
{
	audit(c, "desktop.restoring", d, "");
	task_start(c, d, TASK_CREATE);
	CORE_COPY(d->t.arg, TASK_ARG_RESTORE);
	task_rewrite(c, &d->t);
}

/* What is made and not restored is clean until somebody uses it, and has an endpoint by then. */
bool restore_is_unfinished(const struct core_desktop *d)
{
	return d->x.hygiene == HYGIENE_DIRTY && !d->endpoint[0];
}

void restore_again(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	d->x.lifecycle = LIFECYCLE_CREATING;
	d->x.power = POWER_OFF;
	memset(&d->reason, 0, sizeof(d->reason));
	begin(c, d);
}

void restore_on(struct core_round *c)
{
	const struct core_restored *was = c->ev->restored;
	struct core_pool *p = pool_of(c);
	struct core_desktop *d;

	if (!p)
		return;
	if (state_desktop(c->st, c->ev->desktop) || state_lease(c->st, c->ev->user_id, p->id)) {
		refuse(c, PST_ECONFLICT, REASON_HAS_DESKTOP, c->ev->user_name);
		return;
	}
	if (!claim(c, c->ev->desktop)) {
		refuse(c, PST_ECONFLICT, REASON_BUSY_TASK, task_kind_text(TASK_DESTROY));
		return;
	}
	d = desktop_make(c, c->ev->desktop);
	if (!d)
		return;
	CORE_COPY(d->name, was->name);
	CORE_COPY(d->pool_id, p->id);
	CORE_COPY(d->provider_id, was->provider_id);
	CORE_COPY(d->image_id, was->image_id);
	CORE_COPY(d->image_version, was->image_version);
	d->epoch = was->epoch;
	d->x.power = POWER_OFF;
	d->x.hygiene = HYGIENE_DIRTY;
	lease_take(c, d, c->ev->user_id, c->ev->user_name);
	d->epoch++;          /* as if he had been there: it is not given back when he does not come */
	d->due.claim_ms = 0; /* nobody asked for it just now */
	begin(c, d);
}
