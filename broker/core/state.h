/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the decisions are made from: the rows of providers, images, pools and
 * desktops, and what only memory knows (who waits, which programs are connected,
 * deadlines on the monotonic clock). Plain data.
 */
#pragma once

#include "broker/core/axes.h"
#include "broker/core/desktop.h"
#include "broker/core/host.h"
#include "broker/core/idmap.h"
#include "broker/core/limits.h"
#include "broker/core/rollout.h"
#include "broker/core/task.h"

struct core_provider {
	char id[CORE_ID_SIZE], name[CORE_WORD_SIZE], kind[CORE_WORD_SIZE];
	int capacity;    /* the admin's; 0: what the provisioner says */
	int reported;    /* capacity in the provisioner's hello; 0: unlimited */
	int max_creates; /* being made at the same time */
	bool enabled, healthy;
	struct core_reason reason; /* when it is not healthy */
	double tokens;   /* of the bucket that spreads a boot storm */
	int64_t tokens_ms;
	int make_ms;     /* how long it is busy with one new machine, lately; 0: not known */
	int machines, busy; /* counted anew in every round */
};

struct core_image {
	char id[CORE_ID_SIZE], name[CORE_WORD_SIZE];
	char published[CORE_WORD_SIZE]; /* what "latest" stands for; "": none */
};

/* Spare desktops beyond those that run, held suspended (spare.c). */
struct core_tier {
	int want;
	/* counted anew in every round */
	int count; /* suspended, or on the way there */
	int idle;  /* of those, which nothing is being done to */
	/* memory only: what went wrong, until it works again */
	int failures; /* in a row */
	int64_t until_ms; /* nothing is suspended or resumed before; 0: it works */
	struct core_reason why; /* it has fewer than it should; "": it has not */
};

struct core_pool {
	char id[CORE_ID_SIZE], name[CORE_WORD_SIZE], provider_id[CORE_ID_SIZE], image_id[CORE_ID_SIZE];
	char image_version[CORE_WORD_SIZE];
	enum pool_kind kind;
	enum on_logoff on_logoff;
	int min, max, spare, logoff_after_disconnect_s, next_number, memory_mb;
	int personal_mb; /* of each user's own disk; 0: none */
	bool enabled, drain, maintenance, deleting;
	/* counted anew in every round */
	int total, ready, starting, leased, failed, ending, stale;
	int fresh, surge; /* of the version "upcoming"; to be made before as many stale ones go */
	char upcoming[CORE_WORD_SIZE]; /* the version that is being rolled out to it; "": none */
	int waiting;
	struct core_tier tier;
	int64_t surplus_ms; /* since when it has more than it needs; 0: it has not */
	struct core_reason reason; /* why it does not grow; "" : it does */
};

struct core_waiter {
	char user_id[CORE_ID_SIZE], user_name[CORE_NAME_SIZE], pool_id[CORE_ID_SIZE];
	int64_t since_ms, seen_ms;
	bool served;
};

/* A machine that carries our tag and has no row. */
struct core_orphan {
	char id[CORE_ID_SIZE];
	int sightings;
	bool seen;
	struct core_task t;
};

struct core_breaker { /* of one image version on one provider at one step */
	char provider_id[CORE_ID_SIZE], image_id[CORE_ID_SIZE], version[CORE_WORD_SIZE];
	int failures; /* in a row */
	int opened;   /* times in a row, for the length of the pause */
	int64_t until_ms; /* 0: closed */
	bool probing;     /* one desktop is being tried */
	struct core_reason last;
};

/* A user's disk could not be brought to a desktop, so many times in a row. */
struct core_setback {
	char user_id[CORE_ID_SIZE], pool_id[CORE_ID_SIZE];
	int failures;
	int64_t until_ms; /* nothing is tried before; 0: at once */
	char why[CORE_TEXT_SIZE];
};

/* A provider as the provisioner's last hello had it; its row may come later. */
struct core_served {
	char name[CORE_WORD_SIZE];
	int capacity; /* 0: unlimited */
	bool healthy;
	bool silent; /* the last list has nothing to say of it */
	char reason[CORE_TEXT_SIZE];
	char can[128]; /* what it carries, words with commas between */
};

struct core_state {
	struct core_served served[CORE_PROVIDERS_MAX];
	size_t served_count;
	struct core_provider *providers;
	struct core_image *images;
	struct core_pool *pools;
	struct core_desktop **desktops; /* in the order of their making */
	struct core_waiter *waiters;    /* in the order of their coming */
	struct core_orphan *orphans;
	struct core_breaker *breakers;
	struct core_setback *setbacks;
	size_t setback_count;
	struct core_host *hosts;
	struct core_network *networks;
	size_t host_count, network_count;
	struct core_rollout *rollouts; /* of each image the last one */
	struct core_timing *timings;
	size_t provider_count, image_count, pool_count, desktop_count, waiter_count, orphan_count, breaker_count, rollout_count, timing_count;
	struct idmap by_id;    /* desktops */
	struct idmap by_lease; /* those that somebody has, by lease_key */
	bool by_lease_lacks;   /* memory ran out: what is not in it is looked for */
	int64_t generation;
	unsigned round;
	bool settled;    /* the last round went through to its end */
	int64_t wake_ms; /* when the next one is due, if it did; 0: never */
	bool provisioner; /* it is connected and has said hello */
	bool reap_paused; /* too many orphans at once: an operator must look */
	bool missing_paused; /* too many desktops were not in the last list: the same */
	bool fence_epochs, keep_dirty, verify_first, mind_spare, mind_personal, mind_sleep; /* true; the simulator turns one off to see itself fail */
	int64_t inventory_ms; /* the next one; 0: none */
};

int core_state_init(struct core_state *st);
void core_state_finish(struct core_state *st);
struct core_provider *state_provider(const struct core_state *st, const char *id);
struct core_served *state_served(const struct core_state *st, const char *name);
struct core_provider *state_provider_named(const struct core_state *st, const char *name);
struct core_image *state_image(const struct core_state *st, const char *id);
struct core_pool *state_pool(const struct core_state *st, const char *id);
struct core_desktop *state_desktop(const struct core_state *st, const char *id);
struct core_desktop *state_desktop_of_session(const struct core_state *st, const char *session_id);
struct core_desktop *state_desktop_of_task(const struct core_state *st, const char *task_id);
struct core_orphan *state_orphan(const struct core_state *st, const char *id);
struct core_orphan *state_orphan_of_task(const struct core_state *st, const char *task_id);
struct core_waiter *state_waiter(const struct core_state *st, const char *user_id, const char *pool_id);
/* The desktop that a user has in a pool, or NULL. */
struct core_desktop *state_lease(const struct core_state *st, const char *user_id, const char *pool_id);
/* After d->a was filled, and before it is emptied. */
void state_lease_enter(struct core_state *st, struct core_desktop *d);
void state_lease_leave(struct core_state *st, struct core_desktop *d);

/* Each returns a zeroed, borrowed element, or NULL at the ceiling or without memory. */
struct core_provider *state_add_provider(struct core_state *st);
struct core_image *state_add_image(struct core_state *st);
struct core_pool *state_add_pool(struct core_state *st);
struct core_desktop *state_add_desktop(struct core_state *st, const char *id);
struct core_waiter *state_add_waiter(struct core_state *st);
struct core_orphan *state_add_orphan(struct core_state *st, const char *id);
struct core_breaker *state_add_breaker(struct core_state *st);
struct core_setback *state_add_setback(struct core_state *st);

void state_remove_desktop(struct core_state *st, struct core_desktop *d); /* frees it */
void state_remove_pool(struct core_state *st, const char *id);
void state_remove_waiter(struct core_state *st, struct core_waiter *w);
void state_remove_orphan(struct core_state *st, struct core_orphan *o);

/* Copies with truncation: for text from outside whose ceiling was checked already. */
void core_copy(char *dst, size_t size, const char *src);
#define CORE_COPY(dst, src) core_copy((dst), sizeof(dst), (src))

/* The version that the pool's desktops should have; "" while nothing is published. Canaries: share.c. */
const char *pool_version(const struct core_state *st, const struct core_pool *p);
bool core_endpoint_is_remote(const char *endpoint); /* JSON text: is it {"kind": "tls", "rfb" or "rdp", …}, a port of another host? */
bool pool_has_personal(const struct core_pool *p); /* its users' own disks are attached at log-on */
bool desktop_sleeps(const struct core_desktop *d); /* it is or goes to sleep, as a spare of the second tier */
bool operation_is(enum task_kind kind); /* it leaves the machine as it is, or stops it; the others end with one that is up */
bool provider_carries(const struct core_state *st, const struct core_provider *pr, const char *what); /* what: a word of its "can" */
bool desktop_carries(const struct core_state *st, const struct core_desktop *d, const char *what); /* what: a word of its provider's "can" */
