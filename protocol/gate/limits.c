/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Per-address limits and penalties. */
#include "protocol/gate/limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECOND_NS UINT64_C(1000000000)
#define PROBES_MAX 16 /* slots looked at for one key */

struct source_slot {
	struct limits_key key;
	bool is_used;
	uint32_t half_open, open, offences;
	uint64_t blocked_until_ns, seen_ns;
};

struct limits {
	struct limits_params params;
	uint32_t half_open, open;
	uint64_t seed;
	struct source_slot slots[LIMITS_SOURCES_MAX];
};

const struct limits_params limits_defaults = {
	.half_open_per_source = 32,
	.open_per_source = 256,
	.half_open_total = 2048,
	.open_total = 8192,
	.penalty_crash_ns = 5 * SECOND_NS,
	.penalty_abuse_ns = 1 * SECOND_NS,
	.penalty_max_ns = 600 * SECOND_NS,
};

struct limits *limits_create(const struct limits_params *p)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->params = *p;
	if (getrandom(&l->seed, sizeof(l->seed), 0) != sizeof(l->seed))
		l->seed = (uint64_t)(uintptr_t)l;
	return l;
}

void limits_destroy(struct limits *l)
{
	free(l);
}

struct limits_key limits_key(const struct sockaddr_storage *addr)
{
	struct limits_key k = { { 0 } };

	if (addr->ss_family == AF_INET) {
		k.bytes[10] = k.bytes[11] = 0xff;
		memcpy(k.bytes + 12, &((const struct sockaddr_in *)addr)->sin_addr, 4);
	} else if (addr->ss_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)addr)->sin6_addr;

		memcpy(k.bytes, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
	}
	return k;
}

/* Seeded, so that nobody can choose addresses that fall together. */
static size_t hash_key(const struct limits *l, const struct limits_key *k)
{
	uint64_t h = l->seed ^ UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(k->bytes); i++) {
		h = (h ^ k->bytes[i]) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	return (size_t)(h % LIMITS_SOURCES_MAX);
}

static bool is_same(const struct limits_key *a, const struct limits_key *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static struct source_slot *find(const struct limits *l, const struct limits_key *k)
{
	size_t at = hash_key(l, k);

	for (size_t i = 0; i < PROBES_MAX; i++) {
		const struct source_slot *s = &l->slots[(at + i) % LIMITS_SOURCES_MAX];

		if (s->is_used && is_same(&s->key, k))
			return (struct source_slot *)s;
	}
	return NULL;
}

/* An unused slot, or the longest quiet one that holds nothing open; NULL when all are busy. */
static struct source_slot *find_room(struct limits *l, const struct limits_key *k, uint64_t now_ns)
{
	size_t at = hash_key(l, k);
	struct source_slot *best = NULL;

	for (size_t i = 0; i < PROBES_MAX; i++) {
		struct source_slot *s = &l->slots[(at + i) % LIMITS_SOURCES_MAX];

		if (!s->is_used)
			return s;
		if (s->open || s->half_open || s->blocked_until_ns > now_ns)
			continue;
		if (!best || s->seen_ns < best->seen_ns)
			best = s;
	}
	return best;
}

static struct source_slot *find_or_add(struct limits *l, const struct limits_key *k, uint64_t now_ns)
{
	struct source_slot *s = find(l, k);

	if (s)
		return s;
	s = find_room(l, k, now_ns);
	if (s)
		*s = (struct source_slot){ .key = *k, .is_used = true };
	return s;
}

enum limits_answer limits_accept(struct limits *l, const struct limits_key *k, uint64_t now_ns)
{
	const struct limits_params *p = &l->params;
	struct source_slot *s;

	s = find_or_add(l, k, now_ns);
	/* Its own measure first: who is over it does not get room that others make. */
	if (s && (s->half_open >= p->half_open_per_source || s->open + s->half_open >= p->open_per_source))
		return LIMITS_SOURCE_FULL;
	if (!s || l->half_open >= p->half_open_total || l->open + l->half_open >= p->open_total)
		return LIMITS_TOTAL_FULL;
	s->half_open++;
	l->half_open++;
	s->seen_ns = now_ns;
	return LIMITS_OK;
}

void limits_opened(struct limits *l, const struct limits_key *k)
{
	struct source_slot *s = find(l, k);

	if (!s || !s->half_open)
		return;
	s->half_open--;
	l->half_open--;
	s->open++;
	l->open++;
}

void limits_closed(struct limits *l, const struct limits_key *k, bool was_open)
{
	struct source_slot *s = find(l, k);
	uint32_t *mine = s ? was_open ? &s->open : &s->half_open : NULL;

	if (!mine || !*mine)
		return;
	--*mine;
	--*(was_open ? &l->open : &l->half_open);
}

void limits_penalize(struct limits *l, const struct limits_key *k, enum limits_offence what, uint64_t now_ns)
{
	struct source_slot *s = find_or_add(l, k, now_ns);
	uint64_t wait = what == LIMITS_CRASH ? l->params.penalty_crash_ns : l->params.penalty_abuse_ns;

	if (!s)
		return;
	/* A source that stayed quiet for the longest penalty starts anew. */
	if (s->offences && now_ns > s->blocked_until_ns + l->params.penalty_max_ns)
		s->offences = 0;
	/* The first one costs nothing: a fault of ours should not lock a person out. */
	if (!s->offences)
		wait = 0;
	for (uint32_t i = 1; i < s->offences && wait < l->params.penalty_max_ns; i++)
		wait *= 2;
	if (wait > l->params.penalty_max_ns)
		wait = l->params.penalty_max_ns;
	s->offences++;
	s->seen_ns = now_ns;
	if (now_ns + wait > s->blocked_until_ns)
		s->blocked_until_ns = now_ns + wait;
}

uint64_t limits_penalty(const struct limits *l, const struct limits_key *k, uint64_t now_ns)
{
	const struct source_slot *s = find(l, k);

	return s && s->blocked_until_ns > now_ns ? s->blocked_until_ns - now_ns : 0;
}

const char *limits_answer_text(enum limits_answer a)
{
	switch (a) {
	case LIMITS_SOURCE_FULL:
		return "too many connections from this address";
	case LIMITS_TOTAL_FULL:
		return "the gateway has as many connections as it may";
	default:
		return "accepted";
	}
}
