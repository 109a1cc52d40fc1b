/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of machines under a lock, and an uv_async that brings their ends to the loop. */
#include "broker/hypervisor/watches.h"

#include "base/mem.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define MISSING_LISTS 2 /* in a row without a machine, before it is gone */
#define MISSING_FEW 5   /* or a tenth of all, that may go at once */

struct known {
	struct known *next;
	char desktop[PST_UUID_SIZE];
	uint64_t moment; /* of the last command's end */
	unsigned held;
	unsigned missing; /* lists in a row without it */
	bool alive, dead; /* neither: only held */
	bool news;        /* dead, and its watch has not been called yet */
	char reason[MACHINE_REASON_SIZE];
	driver_ended_cb ended; /* NULL: nobody listens */
	void *arg;
};

struct watches {
	pthread_mutex_t lock; /* guards everything but async */
	struct known *buckets[BUCKETS];
	size_t n, alive_n;
	uint64_t clock;     /* counts moments */
	uint64_t forgotten; /* when something was last forgotten */
	uv_async_t async;
};

static struct known **place(struct watches *w, const char *desktop)
{
	uint32_t hash = 2166136261u;
	struct known **p;

	for (const char *c = desktop; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	for (p = &w->buckets[hash % BUCKETS]; *p && strcmp((*p)->desktop, desktop) != 0; p = &(*p)->next)
		;
	return p;
}

static struct known *find_or_make(struct watches *w, const char *desktop)
{
	struct known **p = place(w, desktop);

	if (!*p && w->n < WATCHES_MAX && (*p = pst_zalloc(1, sizeof(**p)))) {
		pst_strlcpy((*p)->desktop, sizeof((*p)->desktop), desktop);
		w->n++;
	}
	return *p;
}

static void known_free(struct watches *w, struct known **p)
{
	struct known *k = *p;

	*p = k->next;
	w->n--;
	free(k);
}

static void alive_set(struct watches *w, struct known *k, bool alive)
{
	if (alive != k->alive)
		w->alive_n += alive ? 1 : (size_t)-1;
	k->alive = alive;
}

/* With the lock: a copy of one that is to be called now. */
static bool news_take(struct watches *w, struct known *ret)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct known *k = w->buckets[i]; k; k = k->next) {
			if (!k->news || !k->ended)
				continue;
			*ret = *k;
			k->news = false;
			k->ended = NULL;
			return true;
		}
	}
	return false;
}

/* Loop thread. */
static void on_async(uv_async_t *async)
{
	struct watches *w = async->data;
	struct known k;
	bool some;

	do {
		pthread_mutex_lock(&w->lock);
		some = news_take(w, &k);
		pthread_mutex_unlock(&w->lock);
		if (some)
			k.ended(k.desktop, k.reason, k.arg);
	} while (some);
}

struct watches *watches_create(uv_loop_t *loop)
{
	struct watches *w = pst_zalloc(1, sizeof(*w));

	if (!w || uv_async_init(loop, &w->async, on_async) < 0) {
		free(w);
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	w->async.data = w;
	return w;
}

static void on_closed(uv_handle_t *handle)
{
	struct watches *w = handle->data;

	for (size_t i = 0; i < BUCKETS; i++) {
		while (w->buckets[i])
			known_free(w, &w->buckets[i]);
	}
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void watches_destroy(struct watches *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->async, on_closed);
}

uint64_t watches_now(struct watches *w)
{
	uint64_t now;

	pthread_mutex_lock(&w->lock);
	now = ++w->clock;
	pthread_mutex_unlock(&w->lock);
	return now;
}

/* With the lock. */
static void alive_know(struct watches *w, const char *desktop)
{
	struct known *k = find_or_make(w, desktop);

	if (k) {
		alive_set(w, k, true);
		k->dead = k->news = false;
		k->missing = 0;
	}
}

void watches_see(struct watches *w, const char *desktop, uint64_t moment)
{
	const struct known *k;

	pthread_mutex_lock(&w->lock);
	k = *place(w, desktop);
	/* One that is not here may have been forgotten since. */
	if (k ? !k->held && k->moment <= moment : w->forgotten <= moment)
		alive_know(w, desktop);
	pthread_mutex_unlock(&w->lock);
}

void watches_know(struct watches *w, const char *desktop)
{
	pthread_mutex_lock(&w->lock);
	alive_know(w, desktop);
	pthread_mutex_unlock(&w->lock);
}

void watches_hold(struct watches *w, const char *desktop)
{
	struct known *k;

	pthread_mutex_lock(&w->lock);
	k = find_or_make(w, desktop);
	if (k)
		k->held++;
	pthread_mutex_unlock(&w->lock);
}

void watches_release(struct watches *w, const char *desktop)
{
	struct known **p;

	pthread_mutex_lock(&w->lock);
	p = place(w, desktop);
	if (*p && (*p)->held > 0) {
		(*p)->held--;
		(*p)->moment = ++w->clock;
		if (!(*p)->held && !(*p)->alive && !(*p)->dead)
			known_free(w, p);
	}
	pthread_mutex_unlock(&w->lock);
}

void watches_forget(struct watches *w, const char *desktop)
{
	struct known **p;

	pthread_mutex_lock(&w->lock);
	p = place(w, desktop);
	w->forgotten = ++w->clock;
	if (*p) {
		alive_set(w, *p, false);
		(*p)->dead = (*p)->news = false;
		(*p)->ended = NULL;
		if (!(*p)->held)
			known_free(w, p);
	}
	pthread_mutex_unlock(&w->lock);
}

/* With the lock. */
static void end_note(struct watches *w, struct known *k, uint64_t moment, const char *reason)
{
	if (!k || !k->alive || k->held || k->moment > moment)
		return;
	alive_set(w, k, false);
	k->dead = k->news = true;
	pst_strlcpy(k->reason, sizeof(k->reason), reason);
	uv_async_send(&w->async);
}

void watches_tell(struct watches *w, const char *desktop, uint64_t moment, const char *reason)
{
	pthread_mutex_lock(&w->lock);
	end_note(w, *place(w, desktop), moment, reason);
	pthread_mutex_unlock(&w->lock);
}

/* With the lock: counts those that lists lack; true when some are missing for the first time. */
static bool missing_count(struct watches *w, uint64_t moment, bool (*is_listed)(const char *desktop, void *arg), void *arg, size_t *ret_ripe)
{
	bool is_new = false;

	*ret_ripe = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct known *k = w->buckets[i]; k; k = k->next) {
			if (!k->alive || k->held || k->moment > moment)
				continue;
			k->missing = is_listed(k->desktop, arg) ? 0 : PST_MIN(k->missing + 1, (unsigned)MISSING_LISTS);
			*ret_ripe += k->missing == MISSING_LISTS;
			is_new |= k->missing == 1;
		}
	}
	return is_new;
}

bool watches_missing(struct watches *w, uint64_t moment, bool (*is_listed)(const char *desktop, void *arg), void *arg, const char *reason)
{
	size_t ripe, live;
	bool is_new;

	pthread_mutex_lock(&w->lock);
	is_new = missing_count(w, moment, is_listed, arg, &ripe);
	live = w->alive_n;
	if (ripe > PST_MAX(live / 10, (size_t)MISSING_FEW) || (ripe == live && live > 1))
		ripe = 0; /* rather the list's fault: the broker's inventory asks an administrator */
	for (size_t i = 0; ripe && i < BUCKETS; i++) {
		for (struct known *k = w->buckets[i]; k; k = k->next) {
			if (k->alive && k->missing == MISSING_LISTS)
				end_note(w, k, moment, reason);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return is_new;
}

bool watches_any(struct watches *w)
{
	bool any;

	pthread_mutex_lock(&w->lock);
	any = w->alive_n > 0;
	pthread_mutex_unlock(&w->lock);
	return any;
}

int watches_add(struct watches *w, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	struct known *k;
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	k = *place(w, desktop);
	if (k && (k->alive || k->dead)) {
		k->ended = ended;
		k->arg = arg;
		k->news = k->dead;
		if (k->dead)
			uv_async_send(&w->async);
	} else {
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", desktop);
	}
	pthread_mutex_unlock(&w->lock);
	return rc;
}
