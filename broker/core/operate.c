/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What owners and administrators do to a desktop or a pool.
 */
#include "broker/core/core_priv.h"

#include <stdlib.h>
#include <string.h>

static struct core_desktop *operate_on(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);

	if (d && d->x.lifecycle != LIFECYCLE_DELETING)
		return d;
	refuse(c, PST_ENOTFOUND, REASON_NO_DESKTOP, NULL);
	return NULL;
}

/* The same, and nothing is being done to it already. */
struct core_desktop *operate_on_idle(struct core_round *c)
{
	struct core_desktop *d = operate_on(c);

	if (d && d->t.id[0])
		refuse(c, PST_ECONFLICT, REASON_BUSY_TASK, task_kind_text(d->t.kind));
	else if (d && (d->personal.phase == PERSONAL_LEAVING || d->personal.phase == PERSONAL_LEFT))
		refuse(c, PST_ECONFLICT, REASON_PERSONAL_HELD, NULL);
	else
		return d;
	return NULL;
}

bool operate_is_overtaken(const struct core_desktop *d)
{
	return d->t.id[0] || d->x.lifecycle >= LIFECYCLE_DELETING || d->personal.phase == PERSONAL_LEAVING || d->personal.phase == PERSONAL_LEFT;
}

void operate_on_logoff(struct core_round *c)
{
	struct core_desktop *d = operate_on(c);
	bool own = d && c->ev->by && !strcmp(c->ev->by->id, d->a.user_id);

	if (!d)
		return;
	if (d->x.lease == LEASE_FREE)
		refuse(c, PST_ECONFLICT, REASON_NOT_ASSIGNED, NULL);
	else if (d->x.lifecycle == LIFECYCLE_CREATING) /* it comes back for him, and he has not been there */
		refuse(c, PST_ECONFLICT, REASON_BUSY_TASK, task_kind_text(d->t.kind));
	else
		lease_logoff(c, d, own ? REASON_LOGOFF_USER : REASON_LOGOFF_ADMIN);
}

void operate_on_restart(struct core_round *c)
{
	struct core_desktop *d = operate_on_idle(c);

	if (!d)
		return;
	desktop_touch(c, d);
	session_end(c, d, REASON_END_RESTART, true);
	d->failures = 0;
	if (d->x.lease == LEASE_ENDING)
		lease_settle(c, d);
	if (operate_is_overtaken(d))
		return;
	d->x.lifecycle = LIFECYCLE_LIVE;
	if (d->x.lease == LEASE_FREE && d->x.hygiene != HYGIENE_CLEAN)
		desktop_clean(c, d); /* one that has failed under its user: nobody gets it as it is */
	else
		desktop_restart(c, d);
}

void operate_on_refresh(struct core_round *c)
{
	struct core_desktop *d = operate_on_idle(c);

	if (!d)
		return;
	desktop_touch(c, d);
	session_end(c, d, REASON_END_REFRESH, true);
	d->failures = 0;
	if (d->a.kind == POOL_FLOATING)
		lease_release(c, d, REASON_END_REFRESH);
	if (d->t.id[0] || d->x.lifecycle == LIFECYCLE_DELETING)
		return;
	if (d->x.lease == LEASE_ENDING)
		d->x.lease = LEASE_HELD;
	d->x.session = SESSION_NONE;
	d->x.lifecycle = LIFECYCLE_LIVE;
	desktop_refresh(c, d);
}

void operate_on_delete(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);

	if (!d)
		refuse(c, PST_ENOTFOUND, REASON_NO_DESKTOP, NULL);
	else
		desktop_delete(c, d);
}

void operate_on_drain(struct core_round *c)
{
	struct core_desktop *d = operate_on(c);

	if (!d || d->x.drain == c->ev->on)
		return;
	desktop_touch(c, d);
	d->x.drain = c->ev->on;
	audit(c, c->ev->on ? "desktop.drained" : "desktop.undrained", d, "");
}

void operate_on_pool_delete(struct core_round *c)
{
	struct core_pool *p = state_pool(c->st, c->ev->pool);

	if (!p) {
		refuse(c, PST_ENOTFOUND, REASON_NO_POOL, NULL);
		return;
	}
	p->deleting = true;
	audit_pool(c, "pool.deleting", p, "");
}

/* ---- the configuration ---- */

static void config_keep_provider(struct core_state *st, struct core_provider *fresh)
{
	const struct core_provider *old = state_provider(st, fresh->id);

	fresh->tokens = fresh->max_creates * 2;
	machine_serve(st, fresh);
	if (!old)
		return;
	for (size_t i = 0; i < st->host_count; i++) /* what was said of its hosts holds under its new name */
		if (!strcmp(st->hosts[i].provider, old->name))
			CORE_COPY(st->hosts[i].provider, fresh->name);
	fresh->tokens_ms = old->tokens_ms;
	fresh->make_ms = old->make_ms;
	if (old->max_creates == fresh->max_creates)
		fresh->tokens = old->tokens;
}

void operate_on_config(struct core_round *c)
{
	struct core_config *cfg = c->ev->config;
	struct core_state *st = c->st;

	for (size_t i = 0; i < cfg->provider_count; i++)
		config_keep_provider(st, &cfg->providers[i]);
	for (size_t i = 0; i < cfg->pool_count; i++) {
		const struct core_pool *old = state_pool(st, cfg->pools[i].id);

		cfg->pools[i].surplus_ms = old ? old->surplus_ms : 0;
	}
	free(st->providers);
	free(st->images);
	free(st->pools);
	st->providers = cfg->providers;
	st->images = cfg->images;
	st->pools = cfg->pools;
	st->provider_count = cfg->provider_count;
	st->image_count = cfg->image_count;
	st->pool_count = cfg->pool_count;
	*cfg = (struct core_config){ 0 };
	rollout_forget(st);
	breaker_try_now(c, NULL); /* an administrator has changed something: perhaps the cause */
}
