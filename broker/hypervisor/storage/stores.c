/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of datastores, and what is asked of it. */
#include "broker/hypervisor/storage/stores_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LOOK_MS 5000

struct timespec stores_until(uint64_t mono_ms)
{
	return (struct timespec){ .tv_sec = (time_t)(mono_ms / 1000), .tv_nsec = (long)(mono_ms % 1000) * 1000000 };
}

struct stores *stores_create(void)
{
	struct stores *set = pst_zalloc(1, sizeof(*set));
	pthread_condattr_t attr;

	if (!set)
		return NULL;
	pthread_mutex_init(&set->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&set->changed, &attr);
	pthread_condattr_destroy(&attr);
	return set;
}

static void store_free(struct store *s)
{
	if (!s)
		return;
	governor_destroy(s->governor);
	pthread_mutex_destroy(&s->bin);
	free(s);
}

void stores_destroy(struct stores *set)
{
	if (!set)
		return;
	pthread_mutex_lock(&set->lock);
	set->is_closing = true;
	pthread_cond_broadcast(&set->changed);
	pthread_mutex_unlock(&set->lock);
	for (size_t i = 0; i < set->n; i++) {
		pthread_join(set->list[i]->thread, NULL);
		store_free(set->list[i]);
	}
	pthread_cond_destroy(&set->changed);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

static struct stores *shared;

static void shared_make(void)
{
	shared = stores_create();
}

struct stores *stores_shared(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, shared_make);
	return shared;
}

struct store *stores_find(struct stores *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++) {
		if (strcmp(set->list[i]->s.name, name) == 0)
			return set->list[i];
	}
	return NULL;
}

bool store_is_online(const struct store *s)
{
	return s->has_looked && s->is_good && (s->looks_since_ms == 0 || pst_mono_ms() - s->looks_since_ms < STORES_SILENT_MS);
}

static struct store *store_create(struct stores *set, const struct store_settings *settings, const char *data)
{
	struct store *s = pst_zalloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->set = set;
	s->s = *settings;
	s->limits = settings->limits;
	pst_strlcpy(s->data, sizeof(s->data), data);
	pthread_mutex_init(&s->bin, NULL);
	s->governor = governor_create(settings->jobs_max);
	if (s->governor)
		return s;
	store_free(s);
	return NULL;
}

/* With the lock. Two that lie within each other would count the same disks. */
static int place_check(const struct stores *set, const struct store_settings *s, struct pst_err *err)
{
	if (set->n == STORES_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d datastores", STORES_MAX);
	for (size_t i = 0; i < set->n; i++) {
		const struct store_settings *o = &set->list[i]->s;
		size_t a = strlen(o->path), b = strlen(s->path), n = PST_MIN(a, b);

		if (strcmp(o->name, s->name) == 0)
			return pst_err_set(err, PST_ECONFLICT, "two datastores are named \"%s\"", s->name);
		if (s->pool[0] && strcmp(o->pool, s->pool) == 0 && strcmp(o->uri, s->uri) == 0)
			return pst_err_set(err, PST_ECONFLICT, "%s and %s are the same pool", o->name, s->name);
		if (strncmp(o->path, s->path, n) == 0 && (a == b || (a < b ? s->path[a] : o->path[b]) == '/'))
			return pst_err_set(err, PST_ECONFLICT, "%.200s and %.200s are the same datastore, or one lies within the other", o->path, s->path);
	}
	return 0;
}

int stores_add(struct stores *set, const struct store_settings *settings, const char *data, struct pst_err *err)
{
	struct store *s = store_create(set, settings, data);
	struct timespec until = stores_until(pst_mono_ms() + FIRST_LOOK_MS);
	int rc;

	if (!s)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pthread_mutex_lock(&set->lock);
	rc = place_check(set, settings, err);
	if (rc == 0 && pthread_create(&s->thread, NULL, store_watch, s) != 0)
		rc = pst_err_set(err, PST_ENOMEM, "no thread for datastore %s", settings->name);
	if (rc == 0) {
		set->list[set->n++] = s;
		while (!s->has_looked && pthread_cond_timedwait(&set->changed, &set->lock, &until) != ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&set->lock);
	if (rc < 0)
		store_free(s);
	return rc;
}

void stores_listen(struct stores *set, void (*news)(void *arg), void *arg)
{
	pthread_mutex_lock(&set->lock);
	set->news = news;
	set->news_arg = arg;
	pthread_mutex_unlock(&set->lock);
}

void store_view_fill(const struct store *s, struct store_view *ret)
{
	*ret = (struct store_view){ .s = s->s, .limits = s->limits, .is_online = store_is_online(s), .in_maintenance = s->in_maintenance,
		.level = s->level, .takes_whole = s->takes_whole, .space = s->space, .census = s->census, .working = governor_working(s->governor),
		.waiting = governor_waiting(s->governor) };
	ret->census.promised += s->promised_since;
	pst_strlcpy(ret->about, sizeof(ret->about), s->about);
	if (s->is_good && !ret->is_online)
		pst_strlcpy(ret->reason, sizeof(ret->reason), "its file system does not answer: look at the server that it is mounted from");
	else if (!s->has_looked)
		pst_strlcpy(ret->reason, sizeof(ret->reason), "it is being opened");
	else
		pst_strlcpy(ret->reason, sizeof(ret->reason), s->is_good ? s->opening : s->reason);
}

bool stores_view(struct stores *set, size_t index, struct store_view *ret)
{
	bool is_there;

	pthread_mutex_lock(&set->lock);
	is_there = index < set->n;
	if (is_there)
		store_view_fill(set->list[index], ret);
	pthread_mutex_unlock(&set->lock);
	return is_there;
}

bool stores_view_named(struct stores *set, const char *name, struct store_view *ret)
{
	struct store *s;

	pthread_mutex_lock(&set->lock);
	s = stores_find(set, name);
	if (s)
		store_view_fill(s, ret);
	pthread_mutex_unlock(&set->lock);
	return s;
}

/* With the lock. */
static int wish_take(struct store *s, const struct store_wishes *w, struct pst_err *err)
{
	struct level_limits limits = s->s.limits;

	limits.warning = w->warning ? w->warning : limits.warning;
	limits.critical = w->critical ? w->critical : limits.critical;
	limits.back = (uint8_t)PST_MIN(limits.back, limits.warning - 1);
	if (level_limits_check(&limits) < 0)
		return pst_err_set(err, PST_EINVAL, "datastore %s: a warning at %u %% is not below critical at %u %%", s->s.name, limits.warning,
			limits.critical);
	s->limits = limits;
	s->in_maintenance = w->in_maintenance;
	s->level = level_next(s->level, &s->limits, s->space.used, s->space.total);
	s->is_wanted = true;
	return 0;
}

int stores_wish(struct stores *set, const char *name, const struct store_wishes *w, struct pst_err *err)
{
	struct store *s;
	int rc;

	pthread_mutex_lock(&set->lock);
	s = stores_find(set, name);
	rc = s ? wish_take(s, w, err) : pst_err_set(err, PST_ENOTFOUND, "no datastore \"%.80s\" is configured", name);
	pthread_cond_broadcast(&set->changed);
	pthread_mutex_unlock(&set->lock);
	return rc;
}

void stores_look(struct stores *set, const char *name)
{
	struct store *s;

	pthread_mutex_lock(&set->lock);
	s = stores_find(set, name);
	if (s) {
		s->is_wanted = true;
		s->census_ms = 0;
		pthread_cond_broadcast(&set->changed);
	}
	pthread_mutex_unlock(&set->lock);
}

bool stores_lock(struct stores *set, const char *name, char ret_path[900])
{
	struct store *s;
	bool is_online;

	pthread_mutex_lock(&set->lock);
	s = stores_find(set, name);
	is_online = s && store_is_online(s);
	pthread_mutex_unlock(&set->lock);
	if (!is_online)
		return false;
	pthread_mutex_lock(&s->bin);
	pst_strlcpy(ret_path, sizeof(s->s.path), s->s.path);
	return true;
}

void stores_unlock(struct stores *set, const char *name)
{
	struct store *s;

	pthread_mutex_lock(&set->lock);
	s = stores_find(set, name);
	pthread_mutex_unlock(&set->lock);
	PRE(s);
	pthread_mutex_unlock(&s->bin);
}

const char *const *stores_others(struct stores *set, const char *name)
{
	const char **others;
	size_t at = 0;

	pthread_mutex_lock(&set->lock);
	others = pst_zalloc(set->n + 1, sizeof(*others));
	for (size_t i = 0; others && i < set->n; i++) {
		if (strcmp(set->list[i]->s.name, name) != 0)
			others[at++] = set->list[i]->s.path; /* constant, as long as the set */
	}
	pthread_mutex_unlock(&set->lock);
	return others;
}

void stores_of_image(struct stores *set, const char *file, char ret_name[PLACEMENT_NAME_SIZE], const char **ret_rest)
{
	ret_name[0] = '\0';
	pthread_mutex_lock(&set->lock);
	for (size_t i = 0; i < set->n; i++) {
		const struct store_settings *s = &set->list[i]->s;
		size_t n = strlen(s->path);

		if (s->is_plain || strncmp(file, s->path, n) != 0 || !pst_str_starts(file + n, "/images/"))
			continue;
		pst_strlcpy(ret_name, PLACEMENT_NAME_SIZE, s->name);
		if (ret_rest)
			*ret_rest = file + n + 1;
	}
	pthread_mutex_unlock(&set->lock);
}
