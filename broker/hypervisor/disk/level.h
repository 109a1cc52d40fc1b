/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a datastore that fills up says so: two levels, and a way back that does not flutter. Pure. */
#pragma once

#include <stdint.h>

/*
 *           ≥ warning          ≥ critical
 *   CALM ─────────────► WARNING ─────────────► CRITICAL     (both at once, if it is so)
 *        ◄─────────────         ◄─────────────
 *      < warning − back        < critical − back
 */
enum level {
	LEVEL_CALM,
	LEVEL_WARNING,  /* an operator is told */
	LEVEL_CRITICAL, /* nothing new is placed here */
};

struct level_limits {
	uint8_t warning, critical; /* percent of the space in use */
	uint8_t back;              /* percent below a limit before it counts as left */
};

#define LEVEL_LIMITS_DEFAULT { .warning = 80, .critical = 92, .back = 3 }

/* PST_EINVAL unless 0 < warning < critical <= 100 and back < warning. */
int level_limits_check(const struct level_limits *limits);

/* The level after one measurement; total 0 (unknown) leaves it. used > total counts as full. */
enum level level_next(enum level now, const struct level_limits *limits, uint64_t used, uint64_t total);

const char *level_name(enum level level);
