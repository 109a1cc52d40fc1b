/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who sits in a desktop that is not his, and for how long already. Pure. */
#pragma once

#include "agent/windows/hold.h"

struct guard {
	struct {
		uint32_t id;
		uint64_t since_ms;
	} list[SEATS_MAX];
	size_t n;
};

/*
 * Looks at all remote log-ons. The first one under an offered lease becomes the occupant (*ret_changed). may_end: the broker can be heard, so a
 * lease would have come. Writes the numbers of those whose time is over, each once per HOLD_FENCE_MS, at most SEATS_MAX; returns how many.
 */
size_t guard_look(struct guard *g, struct hold *h, const struct seats *seats, bool may_end, uint64_t now_ms, uint32_t out[SEATS_MAX], bool *ret_changed);

/* When the next one's time is over, UINT64_MAX for never. */
uint64_t guard_next_ms(const struct guard *g);
