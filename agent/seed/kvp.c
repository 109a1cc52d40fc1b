/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a pool of keys and values. */
#include "agent/seed/kvp.h"

#include <string.h>

const char *kvp_find(const char *pool, size_t len, const char *key, size_t *ret_len)
{
	size_t key_len = strlen(key);

	for (size_t at = 0; len - at >= KVP_KEY_SIZE + KVP_VALUE_SIZE; at += KVP_KEY_SIZE + KVP_VALUE_SIZE) {
		const char *value = pool + at + KVP_KEY_SIZE;

		if (key_len >= KVP_KEY_SIZE || memcmp(pool + at, key, key_len + 1) != 0)
			continue;
		*ret_len = strnlen(value, KVP_VALUE_SIZE);
		return value;
	}
	return NULL;
}
