/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools of keys that a Hyper-V host has filled. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/seed/kvp.h"

#define RECORD (KVP_KEY_SIZE + KVP_VALUE_SIZE)

static char pool[3 * RECORD];

static void put(size_t i, const char *key, const char *value)
{
	memset(pool + i * RECORD, 0, RECORD);
	strcpy(pool + i * RECORD, key);
	strcpy(pool + i * RECORD + KVP_KEY_SIZE, value);
}

Test(kvp, test_a_key_is_found_whole_and_nothing_else)
{
	size_t len = 99;

	put(0, "other", "1");
	put(1, KVP_SEED "x", "2");
	put(2, KVP_SEED, "{}");
	const char *value = kvp_find(pool, sizeof(pool), KVP_SEED, &len);
	cr_assert_not_null(value);
	cr_assert(len == 2 && memcmp(value, "{}", 2) == 0);
	cr_assert_null(kvp_find(pool, sizeof(pool), "seed", &len));
	cr_assert_null(kvp_find(pool, sizeof(pool) - 1, KVP_SEED, &len), "a record that is cut is none");
	cr_assert_null(kvp_find(pool, 0, KVP_SEED, &len));
	cr_assert_null(kvp_find(pool, RECORD - 1, "other", &len));
}

Test(kvp, test_a_full_value_has_no_end_of_its_own)
{
	size_t len = 0;

	put(0, KVP_SEED, "");
	memset(pool + KVP_KEY_SIZE, 'v', KVP_VALUE_SIZE);
	cr_assert_not_null(kvp_find(pool, RECORD, KVP_SEED, &len));
	cr_assert_eq(len, KVP_VALUE_SIZE);
	memset(pool, 'k', KVP_KEY_SIZE);
	cr_assert_null(kvp_find(pool, RECORD, KVP_SEED, &len));
}
