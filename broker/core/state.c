/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of the core: find, add, remove. Desktops are found by hash, the
 * small tables by a walk.
 */
#include "broker/core/state.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more in an array whose capacity is the next power of two. */
static void *array_grow(void *items, size_t count, size_t size, size_t max)
{
	if (count >= max)
		return NULL;
	if (count && (count & (count - 1)))
		return items; /* inside the power of two */
	return realloc(items, (count ? count * 2 : 1) * size);
}

#define STATE_ADD(st, items, count, max)                                                   \
	({                                                                                 \
		typeof((st)->items) grown_ = array_grow((st)->items, (st)->count,          \
		                                        sizeof(*(st)->items), (max));      \
		if (grown_) {                                                              \
			(st)->items = grown_;                                              \
			grown_ += (st)->count++;                                           \
			memset(grown_, 0, sizeof(*grown_));                                \
		}                                                                          \
		grown_;                                                                    \
	})

#define STATE_REMOVE(st, items, count, item)                                               \
	do {                                                                               \
		size_t at_ = (size_t)((item) - (st)->items);                               \
		memmove((st)->items + at_, (st)->items + at_ + 1,                          \
		        ((st)->count - at_ - 1) * sizeof(*(st)->items));                   \
		(st)->count--;                                                             \
	} while (0)

#define STATE_FIND(st, items, count, condition)                                            \
	for (size_t i = 0; i < (st)->count; i++) {                                         \
		typeof((st)->items) it = &(st)->items[i];                                  \
		if (condition)                                                             \
			return it;                                                         \
	}                                                                                  \
	return NULL

/* Most of those that a walk meets differ in the first character already. */
static inline bool is_id(const char *a, const char *b)
{
	return *a == *b && !strcmp(a, b);
}

int core_state_init(struct core_state *st)
{
	*st = (struct core_state){ .generation = 1, .fence_epochs = true, .keep_dirty = true, .verify_first = true, .mind_spare = true,
		.mind_personal = true, .mind_sleep = true };
	return 0;
}

void core_state_finish(struct core_state *st)
{
	for (size_t i = 0; i < st->desktop_count; i++)
		free(st->desktops[i]);
	free(st->desktops);
	free(st->providers);
	free(st->images);
	free(st->pools);
	free(st->waiters);
	free(st->orphans);
	free(st->breakers);
	free(st->setbacks);
	free(st->hosts);
	free(st->networks);
	free(st->rollouts);
	free(st->timings);
	idmap_finish(&st->by_id);
	idmap_finish(&st->by_lease);
	memset(st, 0, sizeof(*st));
}

struct core_provider *state_provider(const struct core_state *st, const char *id)
{
	STATE_FIND(st, providers, provider_count, is_id(it->id, id));
}

struct core_served *state_served(const struct core_state *st, const char *name)
{
	for (size_t i = 0; i < st->served_count; i++) {
		if (strcmp(st->served[i].name, name) == 0)
			return (struct core_served *)&st->served[i];
	}
	return NULL;
}

struct core_provider *state_provider_named(const struct core_state *st, const char *name)
{
	STATE_FIND(st, providers, provider_count, !strcmp(it->name, name));
}

struct core_image *state_image(const struct core_state *st, const char *id)
{
	STATE_FIND(st, images, image_count, is_id(it->id, id));
}

struct core_pool *state_pool(const struct core_state *st, const char *id)
{
	STATE_FIND(st, pools, pool_count, is_id(it->id, id));
}

struct core_orphan *state_orphan(const struct core_state *st, const char *id)
{
	STATE_FIND(st, orphans, orphan_count, !strcmp(it->id, id));
}

struct core_orphan *state_orphan_of_task(const struct core_state *st, const char *task_id)
{
	STATE_FIND(st, orphans, orphan_count, it->t.id[0] && !strcmp(it->t.id, task_id));
}

struct core_waiter *state_waiter(const struct core_state *st, const char *user_id, const char *pool_id)
{
	STATE_FIND(st, waiters, waiter_count,
	           !it->served && !strcmp(it->user_id, user_id) && !strcmp(it->pool_id, pool_id));
}

struct core_desktop *state_desktop(const struct core_state *st, const char *id)
{
	return idmap_get(&st->by_id, id);
}

struct core_desktop *state_desktop_of_session(const struct core_state *st, const char *session_id)
{
	for (size_t i = 0; i < st->desktop_count; i++)
		if (st->desktops[i]->s.id[0] && !strcmp(st->desktops[i]->s.id, session_id))
			return st->desktops[i];
	return NULL;
}

struct core_desktop *state_desktop_of_task(const struct core_state *st, const char *task_id)
{
	for (size_t i = 0; i < st->desktop_count && task_id[0]; i++)
		if (is_id(st->desktops[i]->t.id, task_id))
			return st->desktops[i];
	return NULL;
}

static void lease_key(char ret[2 * CORE_ID_SIZE], const char *user_id, const char *pool_id)
{
	snprintf(ret, 2 * CORE_ID_SIZE, "%.36s/%.36s", user_id, pool_id);
}

void state_lease_enter(struct core_state *st, struct core_desktop *d)
{
	lease_key(d->lease_key, d->a.user_id, d->pool_id);
	if (idmap_put(&st->by_lease, d->lease_key, d) == 0)
		return;
	d->lease_key[0] = '\0';
	st->by_lease_lacks = true;
}

void state_lease_leave(struct core_state *st, struct core_desktop *d)
{
	if (d->lease_key[0] && idmap_get(&st->by_lease, d->lease_key) == d)
		idmap_remove(&st->by_lease, d->lease_key);
	d->lease_key[0] = '\0';
}

struct core_desktop *state_lease(const struct core_state *st, const char *user_id, const char *pool_id)
{
	char key[2 * CORE_ID_SIZE];
	struct core_desktop *found;

	lease_key(key, user_id, pool_id);
	found = idmap_get(&st->by_lease, key);
	if (found || !st->by_lease_lacks)
		return found;
	for (size_t i = 0; i < st->desktop_count; i++) {
		struct core_desktop *d = st->desktops[i];

		if (d->a.id[0] && !strcmp(d->a.user_id, user_id) && !strcmp(d->pool_id, pool_id))
			return d;
	}
	return NULL;
}

struct core_provider *state_add_provider(struct core_state *st)
{
	return STATE_ADD(st, providers, provider_count, CORE_PROVIDERS_MAX);
}

struct core_image *state_add_image(struct core_state *st)
{
	return STATE_ADD(st, images, image_count, CORE_IMAGES_MAX);
}

struct core_pool *state_add_pool(struct core_state *st)
{
	return STATE_ADD(st, pools, pool_count, CORE_POOLS_MAX);
}

struct core_waiter *state_add_waiter(struct core_state *st)
{
	return STATE_ADD(st, waiters, waiter_count, CORE_WAITERS_MAX);
}

struct core_breaker *state_add_breaker(struct core_state *st)
{
	return STATE_ADD(st, breakers, breaker_count, CORE_BREAKERS_MAX);
}

struct core_setback *state_add_setback(struct core_state *st)
{
	return STATE_ADD(st, setbacks, setback_count, CORE_SETBACKS_MAX);
}

struct core_host *state_add_host(struct core_state *st, const char *provider, const char *name)
{
	struct core_host *h = state_host(st, provider, name);

	if (!h)
		h = STATE_ADD(st, hosts, host_count, CORE_HOSTS_MAX);
	if (!h)
		return NULL;
	CORE_COPY(h->provider, provider);
	CORE_COPY(h->name, name);
	return h;
}

struct core_network *state_add_network(struct core_state *st)
{
	return STATE_ADD(st, networks, network_count, CORE_NETWORKS_MAX);
}

struct core_rollout *state_add_rollout(struct core_state *st)
{
	return STATE_ADD(st, rollouts, rollout_count, CORE_ROLLOUTS_MAX);
}

struct core_timing *state_add_timing(struct core_state *st)
{
	return STATE_ADD(st, timings, timing_count, CORE_TIMINGS_MAX);
}

struct core_orphan *state_add_orphan(struct core_state *st, const char *id)
{
	struct core_orphan *o = STATE_ADD(st, orphans, orphan_count, CORE_ORPHANS_MAX);

	if (o)
		CORE_COPY(o->id, id);
	return o;
}

struct core_desktop *state_add_desktop(struct core_state *st, const char *id)
{
	struct core_desktop *d = calloc(1, sizeof(*d)), **slot;

	if (!d)
		return NULL;
	CORE_COPY(d->id, id);
	if (idmap_put(&st->by_id, d->id, d) < 0)
		goto fail;
	slot = STATE_ADD(st, desktops, desktop_count, CORE_DESKTOPS_MAX);
	if (!slot)
		goto fail;
	*slot = d;
	return d;
fail:
	idmap_remove(&st->by_id, d->id);
	free(d);
	return NULL;
}

void state_remove_desktop(struct core_state *st, struct core_desktop *d)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		if (st->desktops[i] != d)
			continue;
		STATE_REMOVE(st, desktops, desktop_count, &st->desktops[i]);
		break;
	}
	idmap_remove(&st->by_id, d->id);
	state_lease_leave(st, d);
	free(d);
}

void state_remove_pool(struct core_state *st, const char *id)
{
	struct core_pool *p = state_pool(st, id);

	if (p)
		STATE_REMOVE(st, pools, pool_count, p);
}

void state_remove_waiter(struct core_state *st, struct core_waiter *w)
{
	STATE_REMOVE(st, waiters, waiter_count, w);
}

void state_remove_rollout(struct core_state *st, struct core_rollout *ro)
{
	STATE_REMOVE(st, rollouts, rollout_count, ro);
}

void state_remove_orphan(struct core_state *st, struct core_orphan *o)
{
	STATE_REMOVE(st, orphans, orphan_count, o);
}

void core_copy(char *dst, size_t size, const char *src)
{
	size_t len = src ? strnlen(src, size - 1) : 0;

	/* What is cut off is cut before a whole UTF-8 sequence. */
	while (len && src[len] && ((unsigned char)src[len] & 0xc0) == 0x80)
		len--;
	if (len)
		memmove(dst, src, len);
	dst[len] = '\0';
}

struct core_rollout *state_rollout(const struct core_state *st, const char *image_id)
{
	STATE_FIND(st, rollouts, rollout_count, is_id(it->image_id, image_id));
}

const char *pool_version(const struct core_state *st, const struct core_pool *p)
{
	const struct core_image *image = state_image(st, p->image_id);
	const struct core_rollout *ro = state_rollout(st, p->image_id);

	if (strcmp(p->image_version, "latest") != 0)
		return p->image_version;
	if (ro && ro->phase == ROLLOUT_ROLLING && !ro->paused)
		return ro->version;
	return image ? image->published : "";
}

static bool endpoint_is(const char *endpoint, const char *wanted)
{
	json_t *o = pst_json_parse(endpoint, strlen(endpoint), 4, NULL);
	const char *kind = o ? pst_json_str(o, "kind", 16) : NULL;
	bool is_it = kind && strcmp(kind, wanted) == 0;

	json_decref(o);
	return is_it;
}

bool core_endpoint_is_remote(const char *endpoint)
{
	return endpoint_is(endpoint, "tls") || endpoint_is(endpoint, "rfb") || endpoint_is(endpoint, "rdp");
}

/* {"kind": "rdp", …, "agent": true}: the picture is the machine's own, the word of when and who is our agent's. */
static bool endpoint_has_agent(const char *endpoint)
{
	json_t *o = pst_json_parse(endpoint, strlen(endpoint), 4, NULL);
	bool has_one = pst_json_bool(o, "agent", false);

	json_decref(o);
	return has_one;
}

void desktop_set_endpoint(struct core_desktop *d, const char *endpoint)
{
	bool is_own_server = endpoint_is(endpoint, "rfb") || endpoint_is(endpoint, "rdp");

	CORE_COPY(d->endpoint, endpoint);
	d->beside = is_own_server && endpoint_has_agent(endpoint);
	d->agentless = is_own_server && !d->beside;
}

bool desktop_is_usable(const struct core_desktop *d)
{
	/* Whom nobody can ask of the machine, its agent answers for: its owner goes on. */
	bool runs = d->x.power == POWER_ON || (d->x.power == POWER_UNKNOWN && d->x.lease == LEASE_HELD);

	/* A move takes agent and session along. */
	bool busy = d->t.id[0] && d->t.kind != TASK_MIGRATE;

	return d->x.lifecycle == LIFECYCLE_LIVE && runs && d->x.agent == AGENT_READY &&
	       d->x.hygiene != HYGIENE_CLEANING && (d->keyed || d->agentless) && d->endpoint[0] && !busy &&
	       (d->personal.phase == PERSONAL_NONE || d->personal.phase == PERSONAL_MOUNTED);
}

bool desktop_is_ready(const struct core_desktop *d)
{
	return desktop_is_usable(d) && d->x.lease == LEASE_FREE && d->x.hygiene == HYGIENE_CLEAN && !d->x.drain && !d->probe &&
	       d->personal.phase == PERSONAL_NONE;
}
