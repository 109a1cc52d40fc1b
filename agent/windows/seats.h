/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log-ons of a machine with Windows, as pictures that are compared: whatever notification came, was lost or came twice, the difference of
 * two looks is what happened. Pure.
 *
 *	(none) ──logon──► active ◄──connected── disconnected
 *	                    │  └──disconnected──────▲  │
 *	                    └──────── logoff ◄─────────┘        locked, unlocked: beside it
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEATS_MAX 32
#define SEAT_ACCOUNT_SIZE 260 /* DOMAIN\name in UTF-8 */

struct seat {
	uint32_t id; /* Windows' own number of the session */
	char account[SEAT_ACCOUNT_SIZE];
	bool is_active; /* somebody sees it: connected, not disconnected */
	bool is_remote; /* by RDP; else at the machine's own console */
	bool is_locked;
};

enum seat_event {
	SEAT_LOGON,
	SEAT_CONNECTED,
	SEAT_DISCONNECTED,
	SEAT_LOCKED,
	SEAT_UNLOCKED,
	SEAT_LOGOFF,
};

struct seat_change {
	enum seat_event event;
	struct seat seat; /* as it is now; of SEAT_LOGOFF: as it was */
};

struct seats {
	struct seat list[SEATS_MAX];
	size_t n;
};

const char *seat_event_text(enum seat_event event);

/*
 * Takes the new picture (at most SEATS_MAX; further ones are left out) and writes what has changed, log-offs first, at most max; what does
 * not fit is found by the next look. Returns how many.
 */
size_t seats_look(struct seats *s, const struct seat *seen, size_t n, struct seat_change *out, size_t max);

/* The one who sits there now, or NULL. */
const struct seat *seats_find(const struct seats *s, uint32_t id);
/* Is this account logged on somewhere? */
const struct seat *seats_of(const struct seats *s, const char *account);
