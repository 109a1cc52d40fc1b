/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of the set, for its files. Each datastore has a thread that looks at it; the files' lock order is bin, then lock. */
#pragma once

#include "broker/hypervisor/disk/governor.h"
#include "broker/hypervisor/storage/stores.h"

#include <pthread.h>

struct store {
	struct stores *set;
	struct store_settings s; /* constant */
	char data[PATH_MAX];     /* constant */
	pthread_t thread;
	pthread_mutex_t bin;     /* recycle bin and versions */
	/* the set's lock guards all that follows */
	bool has_thread, has_looked, was_opened, is_good, is_wanted, in_maintenance;
	char reason[STORES_REASON_SIZE];
	char opening[STORES_REASON_SIZE]; /* what was wrong with what a crash had left */
	struct level_limits limits;
	enum level level;
	struct datastore_space space;
	char about[24];
	bool takes_whole;
	struct datastore_census census;
	unsigned looks; /* that have ended */
	uint64_t looks_since_ms; /* 0: it does not look now */
	uint64_t census_ms;
	uint64_t reserved; /* bytes of turns at work, and of those that ended since the last look began */
	uint64_t settling; /* of the latter: a look sees them in the space itself */
	uint64_t promised_since; /* bytes, since the last census */
	struct governor *governor;
	struct store_turn *turns; /* that wait */
	char told[160];          /* what was news last */
};

struct stores {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* monotonic */
	struct store *list[STORES_MAX]; /* only ever grows */
	size_t n;
	uint64_t next_id;
	bool is_closing;
	void (*news)(void *arg);
	void *news_arg;
};

/* With the lock. */
bool store_is_online(const struct store *s);
void store_view_fill(const struct store *s, struct store_view *ret);
struct store *stores_find(struct stores *set, const char *name);
struct timespec stores_until(uint64_t mono_ms);

/* stores_watch.c: the thread. */
void *store_watch(void *arg);
