/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a waiting user is told of the time that is left, and when to ask again.
 */
#include "broker/core/core_priv.h"
#include "broker/core/estimate.h"

#include <string.h>

static void wait_add(char text[CORE_TEXT_SIZE], const char *words)
{
	size_t len = strlen(text);

	if (!len || len + strlen(words) + 2 > CORE_TEXT_SIZE)
		return;
	text[len] = ' ';
	core_copy(text + len + 1, CORE_TEXT_SIZE - len - 1, words);
}

/* Who waits long asks seldom: a thousand may wait. */
static void wait_say(struct connect_answer *a, struct estimate_view *v)
{
	char en[CORE_WORD_SIZE], es[CORE_WORD_SIZE];

	a->estimate_s = estimate_seconds(v);
	if (!a->estimate_s)
		return;
	estimate_words(a->estimate_s, en, es);
	wait_add(a->reason.en, en);
	wait_add(a->reason.es, es);
	a->retry_after_ms = a->estimate_s < 5000 ? a->estimate_s * 100 : RETRY_LONG_MS;
	if (a->retry_after_ms < RETRY_AFTER_MS)
		a->retry_after_ms = RETRY_AFTER_MS;
	if (a->retry_after_ms > RETRY_LONG_MS)
		a->retry_after_ms = RETRY_LONG_MS;
}

static void view_age(int32_t *ages, size_t *count, const struct core_round *c, const struct core_desktop *d, int whole_ms)
{
	int64_t ms = d->begun.ms ? c->now->mono_ms - d->begun.ms : whole_ms / 2; /* nobody measured it: half of it */

	if (*count < ESTIMATE_BEGUN_MAX)
		ages[(*count)++] = ms < 0 ? 0 : ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
}

static bool task_loads(const struct core_desktop *d)
{
	return d->t.id[0] && !task_is_light(&d->t);
}

/*
 * A resume takes another time than a new desktop: its age is told as if it were one, so that as much of it is left, turns that it
 * has to wait included.
 */
static bool view_add_resuming(const struct core_round *c, struct estimate_view *v, const struct core_desktop *d)
{
	int ms = d->x.sleep == SLEEP_RESUMING ? timing_median(c->st, d->image_id, d->image_version, TIMING_RESUME, 1) : -1;
	int64_t age;

	if (ms < 0)
		return false;
	age = v->prepare_ms - ms;
	if (d->t.id[0] && d->t.state == TASK_PENDING)
		age -= (int64_t)ms * (1 + v->resumes++ / v->at_once);
	else if (d->begun.ms)
		age += c->now->mono_ms - d->begun.ms;
	if (v->begun_count < ESTIMATE_BEGUN_MAX)
		v->begun[v->begun_count++] = age < -INT32_MAX ? -INT32_MAX : age < INT32_MAX ? (int32_t)age : INT32_MAX;
	return true;
}

static void view_add(const struct core_round *c, struct estimate_view *v, const struct core_pool *p, const struct core_desktop *d)
{
	bool ours = !strcmp(d->pool_id, p->id) && desktop_is_coming(d);
	bool waits = task_loads(d) && d->t.state == TASK_PENDING;

	if (task_loads(d) && !strcmp(d->provider_id, p->provider_id)) {
		v->ahead += waits && !ours;
		if (!waits)
			view_age(v->busy, &v->busy_count, c, d, v->make_ms);
	}
	if (ours && view_add_resuming(c, v, d))
		return;
	if (ours && waits)
		v->pending++;
	else if (ours)
		view_age(v->begun, &v->begun_count, c, d, v->prepare_ms);
}

/* Beyond those on their way: will one more be made for this place, as far as is known? */
static bool place_has_hope(const struct core_pool *p, int unmade)
{
	bool grows = !p->reason.code[0] || !strcmp(p->reason.code, reason_code(REASON_PACED));

	return unmade <= 0 || (grows && p->total + unmade <= p->max);
}

/* Of a new machine; where none was made yet, of a new disk. */
static int prepare_ms(const struct core_state *st, const struct core_pool *p)
{
	int ms = timing_median(st, p->image_id, pool_version(st, p), TIMING_CREATE, 1);

	return ms > 0 ? ms : timing_median(st, p->image_id, pool_version(st, p), TIMING_REFRESH, 1);
}

void wait_tell_place(const struct core_round *c, struct connect_answer *a, const struct core_pool *p, int position)
{
	const struct core_provider *pr = state_provider(c->st, p->provider_id);
	struct estimate_view v = { .position = position };

	if (!pr)
		return;
	v.prepare_ms = prepare_ms(c->st, p);
	v.make_ms = pr->make_ms;
	v.at_once = pr->max_creates;
	v.tokens = pr->tokens;
	if (v.prepare_ms <= 0)
		return;
	for (size_t i = 0; i < c->st->desktop_count; i++)
		view_add(c, &v, p, c->st->desktops[i]);
	if (place_has_hope(p, position - (int)v.begun_count - v.pending))
		wait_say(a, &v);
}

void wait_tell_desktop(const struct core_round *c, struct connect_answer *a, const struct core_desktop *d)
{
	struct estimate_view v = { .position = 1, .at_once = 1 };

	if (!d->begun.ms || (task_loads(d) && d->t.state == TASK_PENDING))
		return;
	v.prepare_ms = timing_median(c->st, d->image_id, d->image_version, d->begun.kind, 1);
	view_age(v.begun, &v.begun_count, c, d, v.prepare_ms);
	wait_say(a, &v);
}
