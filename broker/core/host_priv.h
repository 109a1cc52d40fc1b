/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What host.c and drain.c offer to the other files of the core.
 */
#pragma once

#include "broker/core/axes.h"

struct core_desktop;
struct core_host;
struct core_pool;
struct core_provider;
struct core_round;
struct core_state;
struct core_task;

/* host.c */
struct placement;
struct host_wish { /* who looks for a host */
	const struct core_provider *provider;
	const struct core_pool *pool;       /* may be NULL */
	const struct core_desktop *desktop; /* NULL: a new one */
	bool moves;                         /* away from where it is */
};
struct core_host *host_choose(const struct core_state *st, const struct host_wish *w, struct placement *ret);
void host_refuse(struct core_round *c, const struct host_wish *w, const struct placement *how, struct core_reason *ret);
/* A new desktop gets its host, where its provider has several; false: none can take it, its reason says why. */
bool host_place(struct core_round *c, struct core_desktop *d);
bool host_has_room(struct core_round *c, const struct core_provider *pr, const struct core_pool *p, struct core_reason *ret);
void host_charge(struct core_host *h, int memory_mb, int machines);
void host_take(struct core_round *c);
void host_take_networks(struct core_round *c);
void host_count(struct core_state *st);
bool host_is_open(const struct core_host *h);
bool host_is_unlisted(const struct core_state *st, const char *provider);
bool host_is_away(struct core_round *c, const struct core_desktop *d, struct core_reason *ret);
int pool_memory_mb(const struct core_pool *p);

/* drain.c */
void drain_on_maintenance(struct core_round *c);
void drain_run(struct core_round *c);
void drain_moved(struct core_round *c, struct core_desktop *d, const char *host);
void drain_failed(struct core_round *c, struct core_desktop *d, const struct core_task *t);
