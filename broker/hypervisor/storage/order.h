/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the broker says of a desktop beside the command itself, for whoever places or removes its disk
 * while that command runs: whose it is, and how long its disk is kept afterwards. Any thread.
 */
#pragma once

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct order {
	char pool[65];        /* its name; "" when it is not said */
	char reason[120];     /* why it goes, for the recycle bin */
	int64_t keep_ms;      /* its disk goes into the recycle bin for that long; 0: it is removed */
	char image_sha256[PST_SHA256_HEX_SIZE]; /* of the version, wherever it lies; "" when it is not said */
	bool is_restore;      /* its disk comes out of the bin, as it was */
};

/* One for each desktop; a later one replaces it. Without memory nothing is known of it. */
void order_give(const char *desktop, const struct order *o);

/* Zeroed where nothing was said. */
void order_of(const char *desktop, struct order *ret);

void order_forget(const char *desktop);
