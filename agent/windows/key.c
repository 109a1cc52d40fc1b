/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry of key types. */
#include "agent/windows/key.h"

#include <string.h>

#include "base/mem.h"

const struct key_type *key_type_find(const char *name)
{
	static const struct key_type *const types[] = { &key_cng, &key_csp };

	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}
