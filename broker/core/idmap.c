/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A hash map from a text id to a pointer (FNV-1a, linear probing). It grows at
 * three quarters and drops the tombs of removed keys on the way.
 */
#include "broker/core/idmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IDMAP_FIRST 64

static const char idmap_tomb[] = "";

static size_t idmap_hash(const char *key)
{
	uint64_t h = 1469598103934665603u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211u;
	return (size_t)(h ^ (h >> 32));
}

static struct idmap_slot *idmap_find(const struct idmap *m, const char *key)
{
	if (!m->size)
		return NULL;
	for (size_t i = idmap_hash(key) & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		struct idmap_slot *s = &m->slots[i];

		if (!s->key)
			return NULL;
		if (s->key != idmap_tomb && !strcmp(s->key, key))
			return s;
	}
}

static void idmap_insert(struct idmap *m, const char *key, void *value)
{
	size_t i = idmap_hash(key) & (m->size - 1);

	while (m->slots[i].key)
		i = (i + 1) & (m->size - 1);
	m->slots[i] = (struct idmap_slot){ key, value };
	m->used++;
}

static int idmap_grow(struct idmap *m)
{
	struct idmap old = *m;
	size_t live = 0;

	for (size_t i = 0; i < old.size; i++)
		live += old.slots[i].key && old.slots[i].key != idmap_tomb;
	m->size = IDMAP_FIRST;
	while (m->size < live * 2 + 2)
		m->size *= 2;
	m->slots = calloc(m->size, sizeof(*m->slots));
	if (!m->slots) {
		*m = old;
		return -1;
	}
	m->used = 0;
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].key && old.slots[i].key != idmap_tomb)
			idmap_insert(m, old.slots[i].key, old.slots[i].value);
	free(old.slots);
	return 0;
}

void idmap_finish(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){ 0 };
}

int idmap_put(struct idmap *m, const char *key, void *value)
{
	struct idmap_slot *s = idmap_find(m, key);

	if (s) {
		s->key = key;
		s->value = value;
		return 0;
	}
	if ((m->used + 1) * 4 > m->size * 3 && idmap_grow(m) < 0)
		return -1;
	idmap_insert(m, key, value);
	return 0;
}

void *idmap_get(const struct idmap *m, const char *key)
{
	struct idmap_slot *s = idmap_find(m, key);

	return s ? s->value : NULL;
}

void idmap_remove(struct idmap *m, const char *key)
{
	struct idmap_slot *s = idmap_find(m, key);

	if (s)
		*s = (struct idmap_slot){ idmap_tomb, NULL };
}
