/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An open hash table of bounded size; keys are kept as hashes, so names cost nothing. */
#include "broker/auth/penalty.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PROBES 8

struct entry {
	uint8_t key[16]; /* first half of SHA-256 with the table's salt */
	struct penalty_state s;
};

struct penalty {
	struct penalty_rule rule;
	uint8_t salt[16];
	size_t slots, count;
	struct entry *entries;
};

struct penalty *penalty_create(const struct penalty_rule *rule, size_t entries)
{
	struct penalty *p = pst_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->rule = *rule;
	p->slots = PST_CLAMP(entries, (size_t)PROBES, (size_t)PENALTY_ENTRIES_MAX);
	p->entries = pst_zalloc(p->slots, sizeof(*p->entries));
	if (!p->entries) {
		penalty_destroy(p);
		return NULL;
	}
	pst_random(p->salt, sizeof(p->salt));
	return p;
}

void penalty_destroy(struct penalty *p)
{
	if (!p)
		return;
	free(p->entries);
	free(p);
}

static size_t key_hash(const struct penalty *p, const char *key, uint8_t out[16])
{
	uint8_t digest[PST_SHA256_LEN];
	uint64_t home;

	pst_hmac_sha256(p->salt, sizeof(p->salt), key, strlen(key), digest);
	memcpy(out, digest, 16);
	memcpy(&home, digest + 16, sizeof(home));
	return (size_t)(home % p->slots);
}

static struct entry *find(const struct penalty *p, const char *key)
{
	uint8_t hash[16];
	size_t home = key_hash(p, key, hash);

	for (size_t i = 0; i < PROBES; i++) {
		struct entry *e = &p->entries[(home + i) % p->slots];

		if (e->s.failures && memcmp(e->key, hash, sizeof(hash)) == 0)
			return e;
	}
	return NULL;
}

/* A free slot near the key's home, else the one that would be forgotten first. */
static struct entry *claim(struct penalty *p, const char *key)
{
	uint8_t hash[16];
	size_t home = key_hash(p, key, hash);
	struct entry *best = NULL;

	for (size_t i = 0; i < PROBES; i++) {
		struct entry *e = &p->entries[(home + i) % p->slots];

		if (!best || (best->s.failures && (!e->s.failures || e->s.until_ms < best->s.until_ms)))
			best = e;
	}
	p->count += best->s.failures == 0;
	memset(best, 0, sizeof(*best));
	memcpy(best->key, hash, sizeof(hash));
	return best;
}

uint64_t penalty_state_wait_ms(const struct penalty_rule *rule, const struct penalty_state *s, uint64_t now_ms)
{
	if (s->until_ms == PENALTY_BLOCKED)
		return PENALTY_BLOCKED;
	return s->until_ms > now_ms ? PST_MIN(s->until_ms - now_ms, rule->max_ms) : 0;
}

static uint32_t faded(const struct penalty_rule *rule, const struct penalty_state *s, uint64_t now_ms)
{
	uint64_t gone = rule->fade_ms && now_ms > s->last_ms ? (now_ms - s->last_ms) / rule->fade_ms : 0;

	return gone >= s->failures ? 0 : s->failures - (uint32_t)gone;
}

uint64_t penalty_state_fail(const struct penalty_rule *rule, struct penalty_state *s, uint64_t now_ms)
{
	uint64_t delay = 0;

	s->failures = faded(rule, s, now_ms) + 1;
	s->last_ms = now_ms;
	if (rule->block_failures && s->failures >= rule->block_failures) {
		s->until_ms = PENALTY_BLOCKED;
		return PENALTY_BLOCKED;
	}
	if (s->failures > rule->free_failures) {
		uint32_t doublings = PST_MIN(s->failures - rule->free_failures - 1, 30u);

		delay = PST_MIN(rule->base_ms << doublings, rule->max_ms);
	}
	s->until_ms = now_ms + delay;
	return delay;
}

uint64_t penalty_wait_ms(const struct penalty *p, const char *key, uint64_t now_ms)
{
	const struct entry *e = find(p, key);

	return e ? penalty_state_wait_ms(&p->rule, &e->s, now_ms) : 0;
}

uint64_t penalty_fail(struct penalty *p, const char *key, uint64_t now_ms)
{
	struct entry *e = find(p, key);

	return penalty_state_fail(&p->rule, e ? &e->s : &claim(p, key)->s, now_ms);
}

void penalty_clear(struct penalty *p, const char *key)
{
	struct entry *e = find(p, key);

	if (!e)
		return;
	memset(e, 0, sizeof(*e));
	p->count--;
}

size_t penalty_count(const struct penalty *p)
{
	return p->count;
}
