/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A circuit breaker for each image version on each provider: a broken image must
 * not burn machines. Three failures in a row open it, a growing pause later one
 * desktop is tried, and its success closes it. What was begun before it opened goes
 * on trying and may close it, but its failures belong to the pause that runs already.
 */
#include "broker/core/core_priv.h"

#include <stdio.h>
#include <string.h>

struct core_breaker *breaker_find(const struct core_state *st, const char *provider, const char *image,
                                  const char *version)
{
	for (size_t i = 0; i < st->breaker_count; i++) {
		struct core_breaker *b = &st->breakers[i];

		if (!strcmp(b->provider_id, provider) && !strcmp(b->image_id, image) && !strcmp(b->version, version))
			return b;
	}
	return NULL;
}

static struct core_breaker *breaker_get(struct core_state *st, const struct core_desktop *d)
{
	struct core_breaker *b = breaker_find(st, d->provider_id, d->image_id, d->image_version);

	if (b)
		return b;
	b = state_add_breaker(st);
	if (!b) { /* the table is full: the oldest makes room */
		b = &st->breakers[0];
		memset(b, 0, sizeof(*b));
	}
	CORE_COPY(b->provider_id, d->provider_id);
	CORE_COPY(b->image_id, d->image_id);
	CORE_COPY(b->version, d->image_version);
	return b;
}

bool breaker_allows(struct core_round *c, const char *provider, const char *image, const char *version,
                    struct core_reason *ret)
{
	struct core_breaker *b = breaker_find(c->st, provider, image, version);
	int64_t left;
	char seconds[24];

	if (!b || !b->until_ms)
		return true;
	left = b->until_ms - c->now->mono_ms;
	if (left <= 0)
		return true;
	wake_at(c, b->until_ms);
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(left + 999) / 1000);
	reason_set(ret, REASON_BREAKER, seconds, b->last.en);
	return false;
}

void breaker_probe(struct core_round *c, const struct core_desktop *d)
{
	struct core_breaker *b = breaker_find(c->st, d->provider_id, d->image_id, d->image_version);

	if (!b || !b->until_ms)
		return;
	b->until_ms = c->now->mono_ms + AGENT_WAIT_MS;
	b->probing = true;
}

void breaker_fail(struct core_round *c, const struct core_desktop *d, const struct core_reason *why)
{
	struct core_breaker *b = breaker_get(c->st, d);
	int64_t pause = BREAKER_FIRST_MS;

	judge_failure(c, d, why);
	b->last = *why;
	b->failures++;
	if (b->failures < BREAKER_FAILURES || (b->until_ms > c->now->mono_ms && !b->probing))
		return;
	for (int i = 0; i < b->opened && pause < BREAKER_MAX_MS; i++)
		pause *= 2;
	b->until_ms = c->now->mono_ms + (pause < BREAKER_MAX_MS ? pause : BREAKER_MAX_MS);
	b->opened++;
	b->probing = false;
}

void breaker_pass(struct core_round *c, const struct core_desktop *d)
{
	struct core_breaker *b = breaker_find(c->st, d->provider_id, d->image_id, d->image_version);

	if (!b)
		return;
	b->failures = b->opened = 0;
	b->until_ms = 0;
	b->probing = false;
}

void breaker_try_now(struct core_round *c, const char *provider)
{
	for (size_t i = 0; i < c->st->breaker_count; i++) {
		struct core_breaker *b = &c->st->breakers[i];

		if (!b->until_ms || (provider && strcmp(b->provider_id, provider) != 0))
			continue;
		b->until_ms = c->now->mono_ms;
		b->opened = 0;
		b->probing = false;
	}
}
