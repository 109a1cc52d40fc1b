/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is known of the hosts, and the choice of one for a desktop.
 */
#include "broker/core/core_priv.h"
#include "broker/core/placement.h"

#include <stdlib.h>
#include <string.h>

#define FIGURES_MS 30000       /* until a host that had no room is asked again; what was removed meanwhile counts at once */
#define MEMORY_DEFAULT_MB 1024 /* of a pool that leaves it to the provider (hypervisor/request.c) */

struct core_host *state_host(const struct core_state *st, const char *provider, const char *name)
{
	for (size_t i = 0; i < st->host_count && name[0]; i++)
		if (!strcmp(st->hosts[i].name, name) && !strcmp(st->hosts[i].provider, provider))
			return &st->hosts[i];
	return NULL;
}

struct core_host *state_host_of(const struct core_state *st, const struct core_desktop *d)
{
	const struct core_provider *pr = d->place.host[0] ? state_provider(st, d->provider_id) : NULL;

	return pr ? state_host(st, pr->name, d->place.host) : NULL;
}

const struct core_network *state_network(const struct core_state *st, const char *provider, const char *name)
{
	for (size_t i = 0; i < st->network_count; i++)
		if (!strcmp(st->networks[i].name, name) && !strcmp(st->networks[i].provider, provider))
			return &st->networks[i];
	return NULL;
}

bool provider_has_hosts(const struct core_state *st, const char *provider)
{
	for (size_t i = 0; i < st->host_count; i++)
		if (!strcmp(st->hosts[i].provider, provider))
			return true;
	return false;
}

/* ---- what the provisioner says ---- */

static void host_fill(struct core_host *h, const struct host_report *rep)
{
	h->reported = true;
	h->usable = rep->usable;
	h->listed = rep->listed;
	h->processors = rep->processors;
	h->memory_mb = rep->memory_mb;
	h->free_mb = rep->free_mb;
	h->machines = rep->machines;
	h->capacity = rep->capacity;
	CORE_COPY(h->reason, rep->usable ? "" : rep->reason);
}

static bool event_is_silent_of(const struct core_event *ev, const char *provider)
{
	for (size_t i = 0; i < ev->unlisted_count; i++)
		if (!strcmp(ev->unlisted[i], provider))
			return true;
	return false;
}

static bool host_has_desktops(const struct core_state *st, const struct core_host *h)
{
	for (size_t i = 0; i < st->desktop_count; i++)
		if (state_host_of(st, st->desktops[i]) == h)
			return true;
	return false;
}

static bool provider_reports_hosts(const struct core_event *ev, const char *provider)
{
	for (size_t i = 0; i < ev->host_count; i++)
		if (!strcmp(ev->hosts[i].provider, provider))
			return true;
	return false;
}

/*
 * Of what was not reported: a provider that could not be asked has its hosts still; one that now
 * names none is one host; a host that the others no longer have beside them is kept while
 * desktops or an administrator's word hold it.
 */
static void hosts_forget(struct core_round *c)
{
	for (size_t i = c->st->host_count; i-- > 0;) {
		struct core_host *h = &c->st->hosts[i];

		if (h->reported)
			continue;
		h->usable = h->listed = false;
		CORE_COPY(h->reason, "the provider does not name it");
		if (event_is_silent_of(c->ev, h->provider) || (provider_reports_hosts(c->ev, h->provider) &&
		                                                (h->maintenance || host_has_desktops(c->st, h))))
			continue;
		if (h->maintenance)
			continue; /* what an administrator has said is not forgotten with its provider */
		*h = c->st->hosts[--c->st->host_count];
	}
}

void host_take(struct core_round *c)
{
	for (size_t i = 0; i < c->st->host_count; i++)
		c->st->hosts[i].reported = false;
	for (size_t i = 0; i < c->ev->host_count; i++) {
		struct core_host *h = state_add_host(c->st, c->ev->hosts[i].provider, c->ev->hosts[i].name);

		if (h)
			host_fill(h, &c->ev->hosts[i]);
	}
	hosts_forget(c);
}

void host_take_networks(struct core_round *c)
{
	c->st->network_count = 0;
	for (size_t i = 0; i < c->ev->network_count; i++) {
		struct core_network *n = state_add_network(c->st);

		if (n)
			*n = c->ev->networks[i];
	}
}

/* A list that lacks the machines of one of its hosts says nothing of a machine that it lacks. */
bool host_is_unlisted(const struct core_state *st, const char *provider)
{
	for (size_t i = 0; i < st->host_count; i++)
		if (!strcmp(st->hosts[i].provider, provider) && !st->hosts[i].listed)
			return true;
	return false;
}

void host_count(struct core_state *st)
{
	for (size_t i = 0; i < st->host_count; i++)
		st->hosts[i].here = st->hosts[i].moving = 0;
	for (size_t i = 0; i < st->desktop_count && st->host_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		struct core_host *h = d->x.lifecycle == LIFECYCLE_DELETED ? NULL : state_host_of(st, d);

		if (!h)
			continue;
		h->here++;
		h->moving += d->t.id[0] && d->t.kind == TASK_MIGRATE;
	}
	for (size_t i = 0; i < st->host_count; i++)
		if (st->hosts[i].maintenance && st->hosts[i].total < st->hosts[i].here)
			st->hosts[i].total = st->hosts[i].here;
}

/* ---- the choice ---- */

int pool_memory_mb(const struct core_pool *p)
{
	return p && p->memory_mb ? p->memory_mb : MEMORY_DEFAULT_MB;
}

/* The provider's hosts, in the order of their names' first coming; index maps them back. */
static size_t candidates(const struct core_state *st, const char *provider, struct placement_host *ret, struct core_host **index)
{
	size_t n = 0;

	for (size_t i = 0; i < st->host_count && n < PLACEMENT_HOSTS_MAX; i++) {
		struct core_host *h = &st->hosts[i];

		if (strcmp(h->provider, provider) != 0)
			continue;
		ret[n] = (struct placement_host){ .name = h->name, .usable = h->usable && h->reported, .maintenance = h->maintenance,
			                          .memory_mb = h->memory_mb, .free_mb = h->free_mb, .machines = h->machines,
			                          .capacity = h->capacity };
		index[n++] = h;
	}
	return n;
}

static void candidates_count(const struct core_state *st, const struct host_wish *w, struct placement_host *hosts, struct core_host **index,
                             size_t count)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];
		const struct core_host *h = d != w->desktop && !strcmp(d->provider_id, w->provider->id) ? state_host_of(st, d) : NULL;

		for (size_t k = 0; h && k < count; k++) {
			if (index[k] != h)
				continue;
			hosts[k].of_pool += w->pool && !strcmp(d->pool_id, w->pool->id);
			hosts[k].of_user += w->desktop && w->desktop->a.id[0] && d->a.id[0] && !strcmp(d->a.user_id, w->desktop->a.user_id);
		}
	}
}

struct core_host *host_choose(const struct core_state *st, const struct host_wish *w, struct placement *ret)
{
	struct placement_host hosts[PLACEMENT_HOSTS_MAX];
	struct core_host *index[PLACEMENT_HOSTS_MAX];
	size_t n = candidates(st, w->provider->name, hosts, index);

	candidates_count(st, w, hosts, index, n);
	for (size_t i = 0; i < n && w->desktop; i++) {
		hosts[i].excluded = w->moves && !strcmp(hosts[i].name, w->desktop->place.host);
		hosts[i].failed = w->moves && !strcmp(hosts[i].name, w->desktop->move.failed_host);
	}
	placement_choose(hosts, n, pool_memory_mb(w->pool), ret);
	return ret->index < 0 ? NULL : index[ret->index];
}

/* Until the next report says better: what was decided here has its price. */
void host_charge(struct core_host *h, int memory_mb, int machines)
{
	h->machines += machines;
	h->free_mb -= machines * memory_mb;
	if (h->machines < 0)
		h->machines = 0;
	if (h->memory_mb && h->free_mb > h->memory_mb)
		h->free_mb = h->memory_mb;
}

bool host_place(struct core_round *c, struct core_desktop *d)
{
	struct host_wish w = { state_provider(c->st, d->provider_id), state_pool(c->st, d->pool_id), d, false };
	struct placement how;
	struct core_host *h;

	if (!w.provider || !provider_has_hosts(c->st, w.provider->name))
		return true; /* the provider's own matter */
	h = host_choose(c->st, &w, &how);
	if (!h) {
		host_refuse(c, &w, &how, &d->reason);
		return false;
	}
	CORE_COPY(d->place.host, h->name);
	CORE_COPY(d->place.en, how.en);
	CORE_COPY(d->place.es, how.es);
	host_charge(h, pool_memory_mb(w.pool), 1);
	return true;
}

bool host_has_room(struct core_round *c, const struct core_provider *pr, const struct core_pool *p, struct core_reason *ret)
{
	struct host_wish w = { pr, p, NULL, false };
	struct placement how;

	if (!provider_has_hosts(c->st, pr->name) || host_choose(c->st, &w, &how))
		return true;
	host_refuse(c, &w, &how, ret);
	return false;
}

/* The figures may be old: they are asked for again. */
void host_refuse(struct core_round *c, const struct host_wish *w, const struct placement *how, struct core_reason *ret)
{
	int64_t soon = c->now->mono_ms + FIGURES_MS;

	if (c->st->provisioner && c->st->inventory_ms > soon)
		c->st->inventory_ms = soon;
	reason_set(ret, REASON_NO_HOST, w->provider->name, how->en);
	/* Each language has its own words for the hosts. */
	reason_set_spanish(ret, REASON_NO_HOST, w->provider->name, how->es);
}

bool host_is_open(const struct core_host *h)
{
	return h->reported && h->usable && !h->maintenance;
}

/* Is the machine where nobody can ask? What was asked before its host went away is waited for. */
bool host_is_away(struct core_round *c, const struct core_desktop *d, struct core_reason *ret)
{
	const struct core_host *h = state_host_of(c->st, d);

	if (!h || (h->reported && h->usable))
		return false;
	reason_set(ret, REASON_HOST_AWAY, h->name, h->reason);
	return true;
}

/* ---- what people see ---- */

void host_view(const struct core_state *st, const struct core_host *h, struct host_view *ret)
{
	*ret = (struct host_view){ .state = "ready" };
	if (h->maintenance) {
		ret->state = h->here ? "draining" : "empty";
		ret->total = h->total;
		ret->moved = h->total - h->here;
		if (h->here)
			reason_set_numbers(&ret->reason, REASON_HOST_DRAINING, ret->moved, ret->total);
		else
			reason_set(&ret->reason, REASON_HOST_EMPTY, NULL, NULL);
	}
	if (h->reported && h->usable)
		return;
	ret->state = h->reported || st->provisioner ? "away" : "unknown";
	reason_set(&ret->reason, REASON_HOST_AWAY, h->name, h->reason);
}
