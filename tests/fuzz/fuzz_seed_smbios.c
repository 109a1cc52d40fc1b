/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SMBIOS tables: what is found is a terminated string within them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/seed/smbios.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = smbios_seed_find(data, size);

	if (text &&
		(text < (const char *)data || !memchr(text, 0, size - (size_t)(text - (const char *)data))))
		abort();
	return 0;
}
