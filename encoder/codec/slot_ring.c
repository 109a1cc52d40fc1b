/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of keys with a chained hash over it; see slot_ring.h. */
#include "encoder/codec/slot_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define LEN_MAX 32768
#define NOWHERE 0xffff

struct slot_ring {
	struct slot_key *keys;
	uint16_t *next;  /* of each slot: another one of the same chain */
	uint16_t *heads; /* a power of two of chains, at least as many as slots */
	uint32_t len, used, cursor, mask;
};

struct slot_ring *slot_ring_create(uint32_t len)
{
	PRE(len > 0 && len <= LEN_MAX);
	struct slot_ring *r = pst_zalloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->len = len;
	for (r->mask = 1; r->mask < len; r->mask *= 2)
		;
	r->keys = pst_zalloc(len, sizeof(*r->keys));
	r->next = pst_zalloc(len, sizeof(*r->next));
	r->heads = pst_zalloc(r->mask, sizeof(*r->heads));
	if (!r->keys || !r->next || !r->heads) {
		slot_ring_destroy(r);
		return NULL;
	}
	memset(r->heads, 0xff, r->mask * sizeof(*r->heads));
	r->mask--;
	return r;
}

void slot_ring_destroy(struct slot_ring *r)
{
	if (!r)
		return;
	free(r->keys);
	free(r->next);
	free(r->heads);
	free(r);
}

static uint16_t *chain_of(const struct slot_ring *r, const struct slot_key *key)
{
	return &r->heads[key->low & r->mask];
}

int32_t slot_ring_find(const struct slot_ring *r, const struct slot_key *key)
{
	for (uint16_t at = *chain_of(r, key); at != NOWHERE; at = r->next[at])
		if (r->keys[at].low == key->low && r->keys[at].high == key->high)
			return at;
	return SLOT_NONE;
}

static void forget(struct slot_ring *r, uint32_t slot)
{
	uint16_t *link = chain_of(r, &r->keys[slot]);
	while (*link != slot)
		link = &r->next[*link];
	*link = r->next[slot];
}

int32_t slot_ring_add(struct slot_ring *r, const struct slot_key *key)
{
	uint32_t slot = r->cursor;
	uint16_t *head = chain_of(r, key);
	if (r->used == r->len)
		forget(r, slot);
	else
		r->used++;
	r->keys[slot] = *key;
	r->next[slot] = *head;
	*head = (uint16_t)slot;
	r->cursor = (slot + 1) % r->len;
	return (int32_t)slot;
}
