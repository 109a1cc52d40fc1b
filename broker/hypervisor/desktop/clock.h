/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock of a machine that was suspended: the hypervisor's hardware clock has gone on, the kernel's has not. */
#pragma once

#include <stdint.h>

struct clock_look {
	int64_t rtc_s;   /* since 1970, as the hardware clock has it */
	int64_t mono_ms; /* CLOCK_MONOTONIC: it stands still while the machine does */
	int64_t real_ms; /* CLOCK_REALTIME */
};

/* Negative: there is no hardware clock. */
int clock_look(struct clock_look *ret);
/*
 * What the time is, when the machine was away between both looks; 0: it was not, or somebody has set the clock already. As exact
 * as the hardware clock's second.
 */
int64_t clock_after_sleep(const struct clock_look *before, const struct clock_look *now);
/* Negative: it may not be set. */
int clock_set_ms(int64_t real_ms);
