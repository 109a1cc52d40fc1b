/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long desktops of a version take to be there, and log-ons to show a picture: the last
 * times of each, for comparing versions.
 */
#include "broker/core/core_priv.h"

#include <stdlib.h>
#include <string.h>

static void timing_note(struct core_round *c, const struct core_desktop *d, enum timing_kind kind, int64_t ms)
{
	struct core_change *ch;

	if (ms < 0 || ms > 86400000 || d->probe)
		return;
	ch = change_add(c, CHANGE_TIMING);
	CORE_COPY(ch->desktop_id, d->image_id);
	CORE_COPY(ch->text, d->image_version);
	CORE_COPY(ch->code, timing_kind_text(kind));
	ch->number = (int)ms;
	if (state_rollout(c->st, d->image_id))
		wake_at(c, c->now->mono_ms + 1); /* it is judged when it is written */
}

void timing_begin(struct core_round *c, struct core_desktop *d)
{
	bool resumes = d->t.kind == TASK_START && d->x.sleep == SLEEP_RESUMING;

	if (d->t.attempts != 1 || (d->t.kind != TASK_CREATE && d->t.kind != TASK_REFRESH && !resumes))
		return;
	d->begun.ms = c->now->mono_ms;
	d->begun.kind = resumes ? TIMING_RESUME : d->t.kind == TASK_CREATE ? TIMING_CREATE : TIMING_REFRESH;
}

void timing_prepared(struct core_round *c, struct core_desktop *d)
{
	if (!d->begun.ms || d->x.agent != AGENT_READY || d->x.lifecycle != LIFECYCLE_LIVE || d->t.id[0])
		return;
	timing_note(c, d, d->begun.kind, c->now->mono_ms - d->begun.ms);
	d->begun.ms = 0;
}

void timing_logon(struct core_round *c, const struct core_desktop *d)
{
	if (d->due.grant_ms)
		timing_note(c, d, TIMING_LOGON, c->now->mono_ms - (d->due.grant_ms - GRANT_WAIT_MS));
}

static struct core_timing *timing_find(
	const struct core_state *st, const char *image_id, const char *version, enum timing_kind kind)
{
	for (size_t i = 0; i < st->timing_count; i++) {
		struct core_timing *t = &st->timings[i];

		if (t->kind == kind && !strcmp(t->version, version) && !strcmp(t->image_id, image_id))
			return t;
	}
	return NULL;
}

void timing_add(
	struct core_state *st, const char *image_id, const char *version, enum timing_kind kind, int ms)
{
	struct core_timing *t = timing_find(st, image_id, version, kind);

	if (!t) {
		t = state_add_timing(st);
		if (!t)
			return; /* at the ceiling: this version is not compared */
		CORE_COPY(t->image_id, image_id);
		CORE_COPY(t->version, version);
		t->kind = kind;
	}
	t->ms[t->next] = ms;
	t->next = (t->next + 1) % TIMING_SAMPLES;
	t->count += t->count < TIMING_SAMPLES;
}

void timing_take(struct core_state *st, const struct core_out *out)
{
	enum timing_kind kind;

	for (size_t i = 0; i < out->change_count; i++) {
		const struct core_change *ch = &out->changes[i];

		if (ch->kind == CHANGE_TIMING && timing_kind_parse(ch->code, &kind))
			timing_add(st, ch->desktop_id, ch->text, kind, ch->number);
	}
}

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

int timing_median(const struct core_state *st, const char *image_id, const char *version,
	enum timing_kind kind, int samples)
{
	const struct core_timing *t = timing_find(st, image_id, version, kind);
	int32_t sorted[TIMING_SAMPLES];

	if (!t || t->count < samples)
		return -1;
	memcpy(sorted, t->ms, sizeof(sorted));
	qsort(sorted, (size_t)t->count, sizeof(*sorted), compare);
	return sorted[t->count / 2];
}
