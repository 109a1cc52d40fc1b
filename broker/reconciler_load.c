/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows to state, at the start and when the configuration changed.
 */
#include "broker/core/reason.h"
#include "broker/reconciler_priv.h"
#include "db/assignment.h"
#include "db/desktop.h"
#include "db/host.h"
#include "db/image.h"
#include "db/personal.h"
#include "db/pool.h"
#include "db/provider.h"
#include "db/session.h"
#include "db/task.h"

#include <stdlib.h>
#include <string.h>

/* Each loader fills one element that the state has made. */
struct load {
	struct core_state *st;
	struct pst_err *err;
};

static int load_full(struct load *l, const char *what)
{
	return pst_err_set(l->err, PST_ELIMIT, "too many %s, or no memory", what);
}

static int load_provider(void *arg, const struct provider_row *row)
{
	struct load *l = arg;
	struct core_provider *p = state_add_provider(l->st);

	if (!p)
		return load_full(l, "providers");
	CORE_COPY(p->id, row->id);
	CORE_COPY(p->name, row->name);
	CORE_COPY(p->kind, row->kind);
	p->capacity = (int)row->capacity;
	p->max_creates = (int)row->max_creates;
	p->tokens = p->max_creates * 2;
	p->enabled = row->enabled;
	/* Healthy is what the provisioner says, and it has not spoken yet. */
	reason_set(&p->reason, REASON_NO_PROVISIONER, NULL, NULL);
	return 0;
}

static int load_image(void *arg, const struct image_row *row)
{
	struct load *l = arg;
	struct core_image *i = state_add_image(l->st);

	if (!i)
		return load_full(l, "images");
	CORE_COPY(i->id, row->id);
	CORE_COPY(i->name, row->name);
	CORE_COPY(i->published, row->published);
	return 0;
}

static int load_pool(void *arg, const struct pool_row *row)
{
	struct load *l = arg;
	struct core_pool *p = state_add_pool(l->st);

	if (!p)
		return load_full(l, "pools");
	CORE_COPY(p->id, row->id);
	CORE_COPY(p->name, row->name);
	CORE_COPY(p->provider_id, row->provider_id);
	CORE_COPY(p->image_id, row->image_id);
	CORE_COPY(p->image_version, row->image_version);
	pool_kind_parse(row->kind, &p->kind);
	on_logoff_parse(row->on_logoff, &p->on_logoff);
	p->memory_mb = (int)row->memory_mb;
	p->min = (int)row->min;
	p->max = (int)row->max;
	p->spare = (int)row->spare;
	p->tier.want = row->spare_suspended;
	p->logoff_after_disconnect_s = (int)row->logoff_after_disconnect_s;
	p->next_number = (int)row->next_number;
	p->enabled = row->enabled;
	p->drain = row->drain;
	p->maintenance = row->maintenance;
	p->deleting = row->deleting;
	return 0;
}

static int load_desktop(void *arg, const struct db_desktop *row)
{
	struct load *l = arg;
	struct core_desktop *d = state_add_desktop(l->st, row->id);

	if (!d)
		return load_full(l, "desktops");
	CORE_COPY(d->name, row->name);
	CORE_COPY(d->pool_id, row->pool_id);
	CORE_COPY(d->provider_id, row->provider_id);
	CORE_COPY(d->image_id, row->image_id);
	CORE_COPY(d->image_version, row->image_version);
	lifecycle_parse(row->lifecycle, &d->x.lifecycle);
	power_parse(row->power, &d->x.power);
	agent_parse(row->agent, &d->x.agent);
	lease_parse(row->lease, &d->x.lease);
	session_parse(row->session, &d->x.session);
	hygiene_parse(row->hygiene, &d->x.hygiene);
	d->x.drain = row->drain;
	d->x.parked = row->parked;
	d->probe = row->probe;
	sleep_parse(row->sleep, &d->x.sleep);
	CORE_COPY(d->reason.code, row->reason.code);
	CORE_COPY(d->reason.en, row->reason.en);
	CORE_COPY(d->reason.es, row->reason.es);
	d->epoch = row->epoch;
	d->uid = row->uid;
	CORE_COPY(d->place.host, row->host);
	CORE_COPY(d->place.en, row->placed_en);
	CORE_COPY(d->place.es, row->placed_es);
	desktop_set_endpoint(d, row->endpoint);
	CORE_COPY(d->boot, row->boot);
	d->keyed = row->keyed;
	personal_parse(row->personal_phase, &d->personal.phase);
	d->personal.held = row->personal_held;
	CORE_COPY(d->personal.owner, row->personal_owner);
	d->failures = (int)row->failures;
	d->created_wall = row->created;
	return 0;
}

static int load_assignment(void *arg, const struct db_assignment *row)
{
	struct load *l = arg;
	struct core_desktop *d = state_desktop(l->st, row->desktop_id);

	if (!d)
		return 0;
	CORE_COPY(d->a.id, row->id);
	CORE_COPY(d->a.user_id, row->user_id);
	CORE_COPY(d->a.user_name, row->user_name);
	pool_kind_parse(row->kind, &d->a.kind);
	d->a.epoch = row->epoch;
	state_lease_enter(l->st, d);
	return 0;
}

static int load_session(void *arg, const struct db_session *row)
{
	struct load *l = arg;
	struct core_desktop *d = state_desktop(l->st, row->desktop_id);

	if (!d)
		return 0;
	CORE_COPY(d->s.id, row->id);
	CORE_COPY(d->s.login_id, row->login_id);
	CORE_COPY(d->s.gateway, row->gateway);
	CORE_COPY(d->s.remote, row->remote);
	protocol_parse(row->protocol, &d->s.protocol);
	d->s.active = !strcmp(row->state, "active");
	d->s.epoch = row->epoch;
	return 0;
}

static int load_task(void *arg, const struct db_task *row)
{
	struct load *l = arg;
	struct core_desktop *d = state_desktop(l->st, row->desktop_id);
	struct core_orphan *o = d ? NULL : state_add_orphan(l->st, row->desktop_id);
	struct core_task *t = d ? &d->t : o ? &o->t : NULL;

	if (!t)
		return load_full(l, "orphans");
	if (o)
		o->sightings = 2;
	CORE_COPY(t->id, row->id);
	CORE_COPY(t->desktop_id, row->desktop_id);
	CORE_COPY(t->arg, row->arg);
	task_kind_parse(row->kind, &t->kind);
	task_state_parse(row->state, &t->state);
	t->attempts = (int)row->attempts;
	CORE_COPY(t->error_code, row->error_code);
	CORE_COPY(t->error, row->error);
	t->created_wall = row->created;
	return 0;
}

/* Whether there is such a host, its provider says later. */
static int load_host(void *arg, const struct db_host *row)
{
	struct load *l = arg;
	struct core_host *h = state_add_host(l->st, row->provider, row->host);

	if (!h)
		return load_full(l, "hosts");
	h->maintenance = true;
	h->at_once = row->at_once;
	h->total = row->total;
	h->since_wall = row->created;
	CORE_COPY(h->by, row->by);
	CORE_COPY(h->reason, "its provider has not been heard yet");
	return 0;
}

static int load_personal(void *arg, const char *pool_id, int mb)
{
	struct load *l = arg;
	struct core_pool *p = state_pool(l->st, pool_id);

	if (p)
		p->personal_mb = mb;
	return 0;
}

static int load_config(struct db *db, struct load *l)
{
	int rc = db_provider_each(db, load_provider, l, l->err);

	if (rc == 0)
		rc = db_image_each(db, load_image, l, l->err);
	if (rc == 0)
		rc = db_pool_each(db, load_pool, l, l->err);
	if (rc == 0)
		rc = db_personal_each_pool(db, load_personal, l, l->err);
	return rc;
}

static int load_desktops(struct db *db, struct load *l)
{
	int rc = db_host_each(db, load_host, l, l->err);

	if (rc == 0)
		rc = db_desktop_each(db, load_desktop, l, l->err);
	if (rc == 0)
		rc = db_assignment_each_live(db, load_assignment, l, l->err);
	if (rc == 0)
		rc = db_session_each_live(db, load_session, l, l->err);
	if (rc == 0)
		rc = db_task_each_unfinished(db, load_task, l, l->err);
	return rc;
}

/* What the provisioner said of hosts and networks. */
static void hosts_carry_over(struct core_state *st, const struct core_state *old)
{
	for (size_t i = 0; i < old->host_count; i++) {
		const struct core_host *was = &old->hosts[i];
		struct core_host *h = state_add_host(st, was->provider, was->name);
		struct core_host row;

		if (!h)
			continue;
		row = *h;
		*h = *was;
		h->maintenance = row.maintenance;
		h->at_once = row.at_once;
		h->total = row.total;
	}
	for (size_t i = 0; i < old->network_count; i++) {
		struct core_network *n = state_add_network(st);

		if (n)
			*n = old->networks[i];
	}
}

/* Who waits and who is connected is in no table. */
static void load_carry_over(struct core_state *st, const struct core_state *old)
{
	st->provisioner = old->provisioner;
	memcpy(st->served, old->served, sizeof(st->served));
	st->served_count = old->served_count;
	st->fence_epochs = old->fence_epochs;
	st->keep_dirty = old->keep_dirty;
	st->verify_first = old->verify_first;
	st->mind_spare = old->mind_spare;
	st->mind_personal = old->mind_personal;
	st->mind_sleep = old->mind_sleep;
	st->inventory_ms = old->inventory_ms;
	hosts_carry_over(st, old);
	for (size_t i = 0; i < old->waiter_count; i++) {
		struct core_waiter *w = state_add_waiter(st);

		if (w)
			*w = old->waiters[i];
	}
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *was = state_desktop(old, st->desktops[i]->id);

		if (was)
			st->desktops[i]->x.agent = was->x.agent;
	}
	for (size_t i = 0; i < st->provider_count; i++) {
		const struct core_provider *was = state_provider(old, st->providers[i].id);

		if (!was)
			continue;
		st->providers[i].healthy = was->healthy;
		st->providers[i].reason = was->reason;
		st->providers[i].reported = was->reported;
	}
}

int reconciler_load(struct reconciler *r, struct core_state *ret, const struct core_state *old, struct pst_err *err)
{
	struct load l = { ret, err };
	int rc;

	core_state_init(ret);
	rc = db_generation(r->db, &ret->generation, err);
	if (rc == 0)
		rc = load_config(r->db, &l);
	if (rc == 0)
		rc = reconciler_load_rollouts(r->db, ret, err);
	if (rc == 0)
		rc = load_desktops(r->db, &l);
	if (rc < 0) {
		core_state_finish(ret);
		return rc;
	}
	if (old)
		load_carry_over(ret, old);
	return 0;
}

int reconciler_load_config(struct reconciler *r, struct core_config *ret, struct pst_err *err)
{
	struct core_state st;
	struct load l = { &st, err };
	int rc;

	core_state_init(&st);
	rc = load_config(r->db, &l);
	*ret = (struct core_config){ st.providers,      st.images,      st.pools,
		                     st.provider_count, st.image_count, st.pool_count };
	if (rc < 0)
		core_config_finish(ret);
	return rc;
}

void core_config_finish(struct core_config *cfg)
{
	free(cfg->providers);
	free(cfg->images);
	free(cfg->pools);
	*cfg = (struct core_config){ 0 };
}
