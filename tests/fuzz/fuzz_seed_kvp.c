/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys that a Hyper-V host has given its guest. */
#include <stdint.h>
#include <stdlib.h>

#include "agent/seed/kvp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *pool = (const char *)data, *value;
	size_t len = 0;

	value = kvp_find(pool, size, KVP_SEED, &len);
	if (value && (value < pool + KVP_KEY_SIZE || len > KVP_VALUE_SIZE || value + len > pool + size))
		abort();
	return 0;
}
