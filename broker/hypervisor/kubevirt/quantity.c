/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A number and its unit. */
#include "broker/hypervisor/kubevirt/quantity.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_MB 1e12

bool quantity_mb(const char *text, uint64_t *ret)
{
	static const struct {
		const char *unit;
		double bytes;
	} units[] = { { "", 1 }, { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { "T", 1e12 }, { "P", 1e15 }, { "Ki", 1024.0 }, { "Mi", 1024.0 * 1024 },
		{ "Gi", 1024.0 * 1024 * 1024 }, { "Ti", 1024.0 * 1024 * 1024 * 1024 }, { "Pi", 1024.0 * 1024 * 1024 * 1024 * 1024 }, { "m", 1e-3 } };
	char *end;
	double n;

	if (!isdigit((unsigned char)text[0]) || text[1] == 'x' || text[1] == 'X')
		return false;
	n = strtod(text, &end);
	for (size_t i = 0; i < PST_ARRAY_LEN(units); i++) {
		double mb = n * units[i].bytes / (1024.0 * 1024);

		if (strcmp(end, units[i].unit) != 0 || mb > MOST_MB)
			continue;
		*ret = (uint64_t)mb;
		return true;
	}
	return false;
}
