/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last fence of a desktop whose picture comes by RDP. No grant passes through this agent: Windows itself asks who comes in. What it has is the
 * broker's word that a user has the desktop (lease), and Windows' word who is in (seats). Pure; kept on disk as text.
 *
 *	free ──lease──► offered ──a remote log-on──► occupied: this account and no other ──log-off──► free
 *
 * A lower epoch than the highest that was seen is refused, and so is another user's lease before the present one has logged off. A remote
 * log-on that is nobody's is foreign: it is given FENCE_MS, for the broker's word may be on its way, and then ended.
 */
#pragma once

#include "agent/lease.h"
#include "agent/windows/seats.h"

#define HOLD_FENCE_MS 15000
#define HOLD_TEXT_MAX 4096

struct hold {
	struct lease lease;              /* user: the occupant's name at the broker, "" while nobody is in */
	char offered[LEASE_USER_MAX + 1]; /* who may come in; "" for nobody */
	char account[SEAT_ACCOUNT_SIZE]; /* the occupant's at Windows */
	char enrolled[PST_SHA256_HEX_SIZE]; /* hash of the token that was used */
};

/* 0: taken, *ret_changed says whether there is something to keep. PST_EDENIED: a lower epoch. PST_ECONFLICT: somebody else is in; the epoch is kept. */
int hold_lease(struct hold *h, const char *user, uint64_t epoch, bool *ret_changed, struct pst_err *err);

/* Somebody is logged on by RDP: may he be? The first one of an offered lease becomes its occupant (*ret_changed). */
bool hold_admit(struct hold *h, const struct seat *seat, bool *ret_changed);

/* A log-on ended. True when it was the occupant's: the desktop is free. */
bool hold_logoff(struct hold *h, const struct seat *seat);

/* Nobody is in, by order: true when somebody was. */
bool hold_clear(struct hold *h);

/* As text, for the disk: a secret. PST_EINVAL for one that is damaged, which is no fresh start: it would forget the highest epoch. */
struct pst_buf;
int hold_write(const struct hold *h, struct pst_buf *out);
int hold_read(const char *text, size_t len, struct hold *ret, struct pst_err *err);
