/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's seed: what is accepted has no word that a file or a command could misread. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/seed/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct seed s;

	if (seed_parse((const char *)data, size, &s, &err) == 0 &&
		(strlen(s.hash) != 64 || !s.ca || s.hostname[0] == 0 || strpbrk(s.hostname, "\n /.") ||
			strpbrk(s.layout, "\n /;\"") || strpbrk(s.broker, "\n ")))
		abort();
	seed_finish(&s);
	return 0;
}
