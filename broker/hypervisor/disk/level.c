/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alarm levels with hysteresis. */
#include "broker/hypervisor/disk/level.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

static const char *const names[] = {
	[LEVEL_CALM] = "calm",
	[LEVEL_WARNING] = "warning",
	[LEVEL_CRITICAL] = "critical",
};

const char *level_name(enum level level)
{
	PRE((size_t)level < PST_ARRAY_LEN(names));
	return names[level];
}

int level_limits_check(const struct level_limits *limits)
{
	bool ok = limits->warning > 0 && limits->warning < limits->critical && limits->critical <= 100 &&
		limits->back < limits->warning;

	return ok ? 0 : PST_EINVAL;
}

/* used / total >= percent / 100 without a product that could overflow. */
static bool reaches(uint64_t used, uint64_t total, unsigned percent)
{
	return (long double)used * 100 >= (long double)total * percent;
}

enum level level_next(enum level now, const struct level_limits *limits, uint64_t used, uint64_t total)
{
	/* A level that was entered is left a little later. */
	unsigned back = limits->back;
	unsigned critical = limits->critical - (now == LEVEL_CRITICAL ? back : 0);
	unsigned warning = limits->warning - (now >= LEVEL_WARNING ? back : 0);

	if (total == 0)
		return now;
	if (reaches(used, total, critical))
		return LEVEL_CRITICAL;
	return reaches(used, total, warning) ? LEVEL_WARNING : LEVEL_CALM;
}
