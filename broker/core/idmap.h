/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A hash map from a text id to a pointer; open addressing. The keys are borrowed
 * from the things that they find.
 */
#pragma once

#include <stddef.h>

struct idmap_slot {
	const char *key; /* NULL: empty; idmap_tomb: removed */
	void *value;
};

struct idmap {
	struct idmap_slot *slots;
	size_t size, used; /* size is 0 or a power of two; used counts tombs too */
};

void idmap_finish(struct idmap *m);
int idmap_put(struct idmap *m, const char *key, void *value); /* 0, or -1 without memory */
void *idmap_get(const struct idmap *m, const char *key);
void idmap_remove(struct idmap *m, const char *key);
