/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the library may be handed of the client's channel data: it keeps the parts of a message until the last one, and reserves
 * what a dynamic channel's first part announces ([MS-RDPEDYC] 2.2.3.1, up to 4 GB), so both are bounded here, before it. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_MESSAGE_MAX (4u * 1024 * 1024) /* a clipboard text in UTF-16 and its header fit */

enum guard_verdict { GUARD_TAKE, GUARD_DROP, GUARD_END };

/* One of each static channel that the front reads. */
struct guard {
	size_t held; /* bytes of a message whose last part has not come */
	bool is_dropping;
};

/*
 * One part of a static channel's message of total bytes; flags are CHANNEL_FLAG_FIRST and CHANNEL_FLAG_LAST. A message that says
 * from the first that it is too long, a clipboard of many megabytes, is left out; one that turns out longer than it may be ends all.
 */
enum guard_verdict guard_static(struct guard *g, size_t size, uint32_t flags, size_t total);

/* A message of drdynvc. It comes whole, in one part, from every client that keeps to its channel's size. */
bool guard_dynamic(const uint8_t *data, size_t size, uint32_t flags);
