/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A datastore's own thread: a file system whose server is gone hangs it, and nobody else. It opens the
 * datastore, measures it, counts its disks, ends what is over in its recycle bin, and says what is news.
 */
#include "broker/hypervisor/storage/stores_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/backup/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_LEAST_MS 100 /* a storm of jobs is no storm of looks */
#define PURGE_MS (15 * 60 * 1000)

/* What one look found. */
struct look {
	int rc;
	struct pst_err err;
	struct store_look found;
	struct datastore_census census;
	bool has_census;
};

/* Only before anybody works there: the names of unfinished things are taken away. */
static void store_sweep(struct store *s)
{
	struct pst_err err = PST_ERR_INIT;
	unsigned n = 0;
	size_t files = 0;
	int rc = store_type_of(&s->s)->sweep(&s->s, pst_wall_ms(), &n, &err);

	if (rc == 0 && s->s.is_backups)
		rc = target_sweep(s->s.path, &files, &err);
	if (rc < 0)
		pst_warn("datastore %s: what a crash has left cannot be cleared away: %s", s->s.name, err.text);
	if (n + files > 0)
		pst_info("datastore %s: cleared away what a crash has left n=%zu", s->s.name, n + files);
	pthread_mutex_lock(&s->set->lock);
	pst_strlcpy(s->opening, sizeof(s->opening), rc < 0 ? err.text : "");
	pthread_mutex_unlock(&s->set->lock);
}

static void look_run(struct store *s, bool is_first, bool wants_census, struct look *l)
{
	l->rc = store_check(&s->s, s->data, &l->err);
	if (l->rc == 0 && is_first && !s->s.is_plain)
		store_sweep(s);
	if (l->rc == 0)
		l->rc = store_type_of(&s->s)->measure(&s->s, &l->found, &l->err);
	if (l->rc == 0 && wants_census) {
		struct pst_err ignored = PST_ERR_INIT;

		l->has_census = store_type_of(&s->s)->census(&s->s, &l->census, &ignored) == 0;
	}
}

/* With the lock. True when an administrator should see it. */
static bool look_take(struct store *s, const struct look *l)
{
	char now[sizeof(s->told)];

	s->has_looked = true;
	s->looks++;
	s->is_good = l->rc == 0;
	s->was_opened |= l->rc == 0;
	pst_strlcpy(s->reason, sizeof(s->reason), l->rc < 0 ? l->err.text : "");
	if (l->rc == 0) {
		s->space = l->found.space;
		s->takes_whole = l->found.takes_whole;
		pst_strlcpy(s->about, sizeof(s->about), l->found.about);
		s->level = level_next(s->level, &s->limits, l->found.space.used, l->found.space.total);
	}
	if (l->has_census) {
		s->census = l->census;
		s->census_ms = pst_mono_ms();
		s->promised_since = 0;
	}
	snprintf(now, sizeof(now), "%d %d %d %u %" PRIu64 " %u %u %.60s", s->is_good, s->in_maintenance, (int)s->level, s->census.disks,
		s->space.total ? s->space.used * 200 / s->space.total : 0, s->limits.warning, s->limits.critical, s->reason);
	if (strcmp(now, s->told) == 0)
		return false;
	pst_strlcpy(s->told, sizeof(s->told), now);
	return true;
}

static void store_look(struct store *s)
{
	struct look l = { .err = PST_ERR_INIT };
	bool is_first, wants_census;
	uint64_t settling;

	pthread_mutex_lock(&s->set->lock);
	settling = s->settling;
	is_first = !s->was_opened;
	wants_census = s->census_ms == 0 || pst_mono_ms() - s->census_ms > STORES_CENSUS_MS;
	s->is_wanted = false;
	s->looks_since_ms = pst_mono_ms();
	pthread_mutex_unlock(&s->set->lock);
	look_run(s, is_first, wants_census, &l);
	pthread_mutex_lock(&s->set->lock);
	s->looks_since_ms = 0;
	s->settling -= settling;
	s->reserved -= settling;
	if (look_take(s, &l) && s->set->news)
		s->set->news(s->set->news_arg);
	pthread_cond_broadcast(&s->set->changed);
	pthread_mutex_unlock(&s->set->lock);
}

static void store_purge(struct store *s)
{
	struct pst_err err = PST_ERR_INIT;
	const char *const *others = stores_others(s->set, s->s.name);
	char path[sizeof(s->s.path)];
	unsigned n = 0;

	if (others && stores_lock(s->set, s->s.name, path)) {
		if (store_type_of(&s->s)->purge(&s->s, others, pst_wall_ms(), &n, &err) < 0)
			pst_warn("datastore %s: the recycle bin keeps what is over: %s", s->s.name, err.text);
		stores_unlock(s->set, s->s.name);
	}
	if (n > 0)
		pst_info("datastore %s: removed from the recycle bin, their time being over n=%u", s->s.name, n);
	free((void *)(uintptr_t)others);
}

/* True when the set is being closed. */
static bool pause_until_wanted(struct store *s)
{
	uint64_t now = pst_mono_ms();
	struct timespec soon = stores_until(now + LOOK_LEAST_MS), until = stores_until(now + STORES_LOOK_MS);
	bool is_closing;

	pthread_mutex_lock(&s->set->lock);
	while (!s->set->is_closing && pthread_cond_timedwait(&s->set->changed, &s->set->lock, &soon) != ETIMEDOUT)
		;
	while (!s->set->is_closing && !s->is_wanted && pthread_cond_timedwait(&s->set->changed, &s->set->lock, &until) != ETIMEDOUT)
		;
	is_closing = s->set->is_closing;
	pthread_mutex_unlock(&s->set->lock);
	return is_closing;
}

void *store_watch(void *arg)
{
	struct store *s = arg;
	uint64_t purged_ms = pst_mono_ms(); /* the first purge is not a matter of the start */

	do {
		store_look(s);
		if (!s->s.is_plain && pst_mono_ms() - purged_ms > PURGE_MS) {
			store_purge(s);
			purged_ms = pst_mono_ms();
		}
	} while (!pause_until_wanted(s));
	return NULL;
}
