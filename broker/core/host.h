/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Hosts and networks of providers, as the provisioner tells them; hosts with what an
 * administrator has said of them. Known by names: the provider's row may come later.
 *
 *	in service ──maintenance──► draining ──nobody is there──► empty
 *	     ▲                          │                            │
 *	     └──────────resume──────────┴────────────resume──────────┘
 */
#pragma once

#include "broker/core/axes.h"

#define HOST_AT_ONCE_MAX 16 /* moves at the same time */

struct core_host {
	char provider[CORE_WORD_SIZE], name[CORE_WORD_SIZE];
	bool reported; /* the last hello or list has it */
	bool usable;
	bool listed;   /* the last list has its machines */
	char reason[CORE_TEXT_SIZE]; /* why it is not usable */
	int processors, memory_mb, capacity; /* capacity 0: memory alone decides */
	int free_mb, machines; /* as reported, and what has been decided since */
	/* the administrator's */
	bool maintenance;
	int at_once;
	int total;       /* desktops that were to leave */
	char by[CORE_NAME_SIZE];
	int64_t since_wall;
	/* counted anew in every round */
	int here, moving;
};

struct core_network {
	char provider[CORE_WORD_SIZE], name[CORE_WORD_SIZE], kind[16], about[CORE_WORD_SIZE];
	bool peers; /* desktops in it reach each other */
};

/* Of a desktop: where it is, and why it was put there. */
struct core_place {
	char host[CORE_WORD_SIZE]; /* "": its provider has one host, or has not said */
	char en[CORE_TEXT_SIZE], es[CORE_TEXT_SIZE];
};

/* Of a desktop on a host that is to be emptied; only memory has it. */
struct core_move {
	int failures;
	int64_t due_ms; /* not before; monotonic */
	char failed_host[CORE_WORD_SIZE];
	struct core_reason why; /* it is still there */
};

struct core_state;
struct core_desktop;
struct core_provider;

struct host_view {
	const char *state; /* ready, away, unknown, draining, empty */
	struct core_reason reason;
	int moved, total;  /* while it is in maintenance */
};

struct core_host *state_host(const struct core_state *st, const char *provider, const char *name);
/* Returns zeroed but for its names, or the one that is there; NULL at the ceiling. */
struct core_host *state_add_host(struct core_state *st, const char *provider, const char *name);
struct core_network *state_add_network(struct core_state *st);
const struct core_network *state_network(const struct core_state *st, const char *provider, const char *name);
/* Where a desktop is; NULL: its provider has no such host. */
struct core_host *state_host_of(const struct core_state *st, const struct core_desktop *d);
/* Does anybody choose where its desktops go? */
bool provider_has_hosts(const struct core_state *st, const char *provider);

void host_view(const struct core_state *st, const struct core_host *h, struct host_view *ret);
/* Why a desktop is still on a host that is to be emptied; code "" when nothing speaks against its move. */
void move_view(const struct core_state *st, const struct core_desktop *d, struct core_reason *ret);
