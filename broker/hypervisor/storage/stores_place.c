/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a new disk goes, when its turn has come, and why nobody takes it. */
#include "broker/hypervisor/storage/stores_priv.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/version.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_MS 2000
#define CANCEL_LOOK_MS 250

/* A choice on its way. */
struct choice {
	struct stores *set;
	const struct store_wish *wish;
	size_t index[STORES_MAX]; /* of the candidates, in the set */
	bool has_image[STORES_MAX];
	bool is_anywhere; /* one of them has the image */
	struct placement_candidate candidates[STORES_MAX];
	struct placement_score scores[STORES_MAX];
	size_t n;
};

/* rest: "images/IMAGE/VERSION/…" as it lies at home. Where it lies on another datastore, whatever its kind; false for no version. */
static int image_path(const struct store *s, const char *rest, char out[PATH_MAX])
{
	char image[DISK_NAME_MAX + 1], version[DISK_NAME_MAX + 1], name[32];

	if (sscanf(rest, "images/%100[^/]/%100[^/]/%31[^/]", image, version, name) != 3)
		return PST_EINVAL;
	return path_make(out, NULL, "%s/images/%s/%s/%s", s->s.path, image, version, store_type_of(&s->s)->disk);
}

/* home: the datastore that names the image, or NULL while it is away; then sha256 tells whether it is the same version. */
static bool image_is_here(const struct store *s, const char *home, const char *rest, const char *sha256)
{
	char image[DISK_NAME_MAX + 1], version[DISK_NAME_MAX + 1], path[PATH_MAX];
	struct pst_err ignored = PST_ERR_INIT;
	struct manifest mine, theirs;

	if (home && strcmp(home, s->s.path) == 0)
		return path_make(path, NULL, "%s/%s", home, rest) == 0 && access(path, R_OK) == 0;
	return image_path(s, rest, path) == 0 && access(path, R_OK) == 0 && sscanf(rest, "images/%100[^/]/%100[^/]/", image, version) == 2 &&
		version_read(s->s.path, image, version, &mine, &ignored) == 0 &&
		(sha256 && *sha256 ? strcmp(mine.sha256, sha256) == 0 :
			home && version_read(home, image, version, &theirs, &ignored) == 0 && strcmp(mine.sha256, theirs.sha256) == 0);
}

/* The candidates, by their places in the set; files are looked at without the lock. */
static void candidates_find(struct choice *c)
{
	char home[PLACEMENT_NAME_SIZE] = "";
	struct store_view v;
	const char *rest = "";
	bool is_online[STORES_MAX];

	if (c->wish->image)
		stores_of_image(c->set, c->wish->image, home, &rest);
	pthread_mutex_lock(&c->set->lock);
	for (size_t i = 0; i < c->wish->n && c->n < STORES_MAX; i++) {
		for (size_t k = 0; k < c->set->n; k++) {
			if (strcmp(c->set->list[k]->s.name, c->wish->names[i]) != 0)
				continue;
			is_online[c->n] = store_is_online(c->set->list[k]);
			c->index[c->n++] = k;
		}
	}
	pthread_mutex_unlock(&c->set->lock);
	if (!home[0] || !stores_view_named(c->set, home, &v))
		return;
	for (size_t i = 0; i < c->n; i++) {
		c->has_image[i] = is_online[i] && image_is_here(c->set->list[c->index[i]], v.is_online ? v.s.path : NULL, rest, c->wish->image_sha256);
		c->is_anywhere |= c->has_image[i];
	}
}

/* With the lock: what is there already takes no more than it took. */
static void candidate_keep(struct placement_candidate *p)
{
	p->in_maintenance = false;
	p->is_allowed = true;
	p->level = LEVEL_CALM;
	p->takes_whole = false;
	p->free = p->total;
	p->reserved = 0;
	p->overcommit_percent = 0;
}

/* With the lock. */
static int choose(struct choice *c)
{
	const struct store_wish *wish = c->wish;
	struct placement_request r = { .needs = wish->is_kept ? 0 : wish->needs, .promises = wish->promises,
		.is_overlay = c->is_anywhere && !wish->is_kept };

	for (size_t i = 0; i < c->n; i++) {
		const struct store *s = c->set->list[c->index[i]];

		c->candidates[i] = (struct placement_candidate){ .name = s->s.name, .is_online = store_is_online(s),
			.in_maintenance = s->in_maintenance, .is_allowed = c->wish->is_ours || store_allows(&s->s, c->wish->pool), .has_image = c->has_image[i],
			.level = s->level, .takes_whole = s->takes_whole, .total = s->space.total, .free = s->space.free, .reserved = s->reserved + s->s.keeps_free,
			.promised = s->census.promised + s->promised_since, .overcommit_percent = s->s.overcommit_percent,
			.jobs = governor_working(s->governor) + governor_waiting(s->governor), .jobs_max = s->s.jobs_max };
		if (wish->is_kept)
			candidate_keep(&c->candidates[i]);
	}
	return placement_choose(&r, c->candidates, c->scores, c->n);
}

static void space_put(struct pst_buf *b, uint64_t bytes)
{
	if (bytes >= UINT64_C(10) << 30)
		pst_buf_printf(b, "%llu GB", (unsigned long long)(bytes >> 30));
	else
		pst_buf_printf(b, "%llu MB", (unsigned long long)(bytes >> 20));
}

static void verdict_put(struct pst_buf *b, const struct store *s, enum placement_verdict verdict)
{
	static const char *const words[] = {
		[PLACEMENT_FITS] = "takes disks",
		[PLACEMENT_OFFLINE] = "is offline",
		[PLACEMENT_MAINTENANCE] = "is under maintenance",
		[PLACEMENT_NOT_ALLOWED] = "is not for this pool",
		[PLACEMENT_NO_IMAGE] = "does not have the image",
		[PLACEMENT_CRITICAL] = "is full",
		[PLACEMENT_NO_SPACE] = "has no room",
		[PLACEMENT_OVERCOMMITTED] = "has promised too much",
	};

	pst_buf_printf(b, "%s %s", s->s.name, words[verdict]);
	if (verdict < PLACEMENT_CRITICAL || s->space.total == 0)
		return;
	pst_buf_printf(b, " (%u %%, ", (unsigned)((long double)s->space.used * 100 / (long double)s->space.total));
	space_put(b, s->space.free);
	pst_buf_put_str(b, " left)");
}

/* "fast is full (93 %, 40 GB left), slow is under maintenance" */
static void refusals_put(const struct choice *c, char *out, size_t size)
{
	struct pst_buf b;

	pst_buf_init(&b, 64u << 10);
	for (size_t i = 0; i < c->n; i++) {
		pst_buf_put_str(&b, i ? ", " : "");
		verdict_put(&b, c->set->list[c->index[i]], c->scores[i].verdict);
	}
	pst_strlcpy(out, size, c->n && pst_buf_cstr(&b) ? pst_buf_cstr(&b) : "none is configured");
	pst_buf_finish(&b);
}

/* With the lock: whose turn it is now, begins. */
static void turns_give(struct stores *set, struct store *s)
{
	uint64_t id;

	while (governor_next(s->governor, &id)) {
		struct store_turn **at = &s->turns;

		while (*at && (*at)->id != id)
			at = &(*at)->next;
		PRE(*at);
		(*at)->has_begun = true;
		*at = (*at)->next;
	}
	pthread_cond_broadcast(&set->changed);
}

static uint64_t owner_of(const char *pool)
{
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *pool; pool++)
		h = (h ^ (unsigned char)*pool) * UINT64_C(1099511628211);
	return h;
}

/* With the lock: out of the queue, or done. */
static void turn_drop(struct store *s, struct store_turn *turn)
{
	struct store_turn **at = &s->turns;

	while (*at && *at != turn)
		at = &(*at)->next;
	if (*at)
		*at = turn->next;
	governor_end(s->governor, turn->id);
	if (turn->has_begun)
		s->settling += turn->needs;
	else
		s->reserved -= turn->needs;
}

/* With the lock: why it waits no longer; 0 while it does. */
static int turn_given_up(const struct store *s, const struct store_turn *turn, const struct store_wish *wish, struct pst_err *err)
{
	size_t ahead = 0;

	if (wish->is_cancelled && wish->is_cancelled(wish->arg))
		return pst_err_set(err, PST_ECLOSED, "it was cancelled");
	if (pst_mono_ms() < wish->deadline_ms)
		return 0;
	governor_ahead(s->governor, turn->id, &ahead);
	return pst_err_set(err, PST_ETIMEOUT, "datastore %s is busy: %zu jobs were before this one", s->s.name, ahead);
}

/* With the lock. */
static int turn_wait(struct stores *set, struct store *s, struct store_turn *turn, const struct store_wish *wish, struct pst_err *err)
{
	turns_give(set, s);
	while (!turn->has_begun) {
		struct timespec until = stores_until(wish->is_cancelled ? PST_MIN(pst_mono_ms() + CANCEL_LOOK_MS, wish->deadline_ms) : wish->deadline_ms);

		pthread_cond_timedwait(&set->changed, &set->lock, &until);
		if (!turn->has_begun && turn_given_up(s, turn, wish, err) < 0) {
			turn_drop(s, turn);
			return err->code;
		}
	}
	return 0;
}

/* With the lock. */
static int turn_begin(struct choice *c, int best, struct store_turn *turn, struct pst_err *err)
{
	struct stores *set = c->set;
	struct store *s = set->list[c->index[best]];

	turn->id = ++set->next_id;
	turn->index = c->index[best];
	turn->needs = s->takes_whole && !c->wish->is_kept ? PST_MAX(c->wish->needs, c->wish->promises) : c->wish->needs;
	pst_strlcpy(turn->name, sizeof(turn->name), s->s.name);
	pst_strlcpy(turn->path, sizeof(turn->path), s->s.path);
	placement_explain(c->candidates, c->scores, c->n, best, turn->why, sizeof(turn->why));
	if (governor_add(s->governor, turn->id, owner_of(c->wish->pool), PST_MAX(c->wish->weight, 1u)) < 0)
		return pst_err_set(err, PST_EBUSY, "datastore %s has more jobs waiting than it can remember", s->s.name);
	s->reserved += turn->needs;
	s->promised_since += c->wish->promises;
	turn->next = s->turns;
	s->turns = turn;
	return turn_wait(set, s, turn, c->wish, err);
}

/* With the lock: somebody may have made room a moment ago. The looks take no longer than that, or are not waited for. */
static void look_again(struct choice *c)
{
	struct timespec until = stores_until(PST_MIN(pst_mono_ms() + AGAIN_MS, c->wish->deadline_ms));
	unsigned looks[STORES_MAX];
	size_t i = 0;

	for (size_t k = 0; k < c->n; k++) {
		struct store *s = c->set->list[c->index[k]];

		/* One that is under way may have begun before. */
		looks[k] = s->looks + (s->looks_since_ms ? 2 : 1);
		s->is_wanted = true;
	}
	pthread_cond_broadcast(&c->set->changed);
	while (i < c->n) {
		if ((int)(c->set->list[c->index[i]]->looks - looks[i]) >= 0)
			i++;
		else if (pthread_cond_timedwait(&c->set->changed, &c->set->lock, &until) == ETIMEDOUT)
			return;
	}
}

int stores_begin(struct stores *set, const struct store_wish *wish, struct store_turn *turn, struct pst_err *err)
{
	struct choice *c = pst_zalloc(1, sizeof(*c));
	char refusals[STORES_REASON_SIZE];
	const char *rest;
	char home[PLACEMENT_NAME_SIZE];
	int best;

	memset(turn, 0, sizeof(*turn));
	if (!c)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	c->set = set;
	c->wish = wish;
	candidates_find(c);
	pthread_mutex_lock(&set->lock);
	best = choose(c);
	if (best < 0) {
		look_again(c);
		best = choose(c);
	}
	if (best < 0) {
		refusals_put(c, refusals, sizeof(refusals));
		pst_err_set(err, best, "no datastore takes a new disk: %s", refusals);
	} else if (turn_begin(c, best, turn, err) < 0) {
		turn->id = 0; /* it holds nothing: stores_end has nothing to give back */
		best = err->code;
	}
	pthread_mutex_unlock(&set->lock);
	if (best >= 0 && c->has_image[best]) {
		stores_of_image(set, wish->image, home, &rest);
		if (strcmp(home, turn->name) == 0)
			path_make(turn->image, NULL, "%s/%s", turn->path, rest);
		else
			image_path(set->list[turn->index], rest, turn->image);
	}
	free(c);
	return best < 0 ? best : 0;
}

void stores_end(struct stores *set, struct store_turn *turn)
{
	struct store *s;

	if (!turn->id)
		return;
	pthread_mutex_lock(&set->lock);
	s = set->list[turn->index];
	turn_drop(s, turn);
	s->is_wanted = true;
	turns_give(set, s);
	pthread_mutex_unlock(&set->lock);
	turn->id = 0;
}

bool stores_image_copy(struct stores *set, const struct store_wish *wish, char ret[PATH_MAX])
{
	char home[PLACEMENT_NAME_SIZE];
	struct choice *c;
	const char *rest;
	struct store_view v;
	bool is_found = false;

	stores_of_image(set, wish->image, home, &rest);
	if (!home[0] || !stores_view_named(set, home, &v) || v.is_online)
		return false;
	c = pst_zalloc(1, sizeof(*c));
	if (!c)
		return false;
	c->set = set;
	c->wish = wish;
	candidates_find(c);
	for (size_t i = 0; i < c->n && !is_found; i++)
		is_found = c->has_image[i] && image_path(set->list[c->index[i]], rest, ret) == 0;
	free(c);
	return is_found;
}

bool stores_have_room(struct stores *set, const char *const *names, size_t n, char *ret_reason, size_t size)
{
	struct store_wish wish = { .names = names, .n = n, .pool = "", .is_ours = true, .needs = STORES_OVERLAY_NEEDS };
	struct choice *c = pst_zalloc(1, sizeof(*c));
	char refusals[STORES_REASON_SIZE];
	bool has_room;

	if (!c)
		return true; /* no news is no bad news */
	c->set = set;
	c->wish = &wish;
	candidates_find(c);
	pthread_mutex_lock(&set->lock);
	has_room = choose(c) >= 0;
	refusals_put(c, refusals, sizeof(refusals));
	pthread_mutex_unlock(&set->lock);
	if (!has_room)
		snprintf(ret_reason, size, "no datastore takes new disks: %s; make room, or end the maintenance", refusals);
	free(c);
	return has_room;
}
