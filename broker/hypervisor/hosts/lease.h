/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who has which seat: a file for each that is not free, FOLDER/SEAT.seat, which comes to be by one system call (link), whole and
 * on disk, or not at all. Two can never take the same seat, and a crash leaves none half taken.
 *
 *	(none) --take--> taking --> lent <--> stopped
 *	   ^                |         |          |
 *	   '---(cleaned)----+--- returning <-----'
 *	   |                          |
 *	   '---(cleaned at its next loan)-- dirty
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/machine.h"

#include <stdbool.h>
#include <stddef.h>

#define LEASE_MAX (16u << 10) /* bytes of a file */

enum lease_phase {
	LEASE_TAKING,
	LEASE_LENT,
	LEASE_STOPPED,   /* lent, and switched off by us */
	LEASE_RETURNING,
	LEASE_DIRTY,     /* nobody's, and not cleaned yet */
};

struct lease {
	enum lease_phase phase;
	char seat[MACHINE_NAME_SIZE];
	struct machine_request request; /* its token is never written; of the last desktop when dirty */
};

/* PST_ECONFLICT when somebody has it. */
int lease_take(const char *folder, const struct lease *l, struct pst_err *err);
/* Puts another in its place. */
int lease_save(const char *folder, const struct lease *l, struct pst_err *err);
/* 0 when there was none. */
int lease_drop(const char *folder, const char *seat, struct pst_err *err);
/* PST_ENOTFOUND when the seat is free. */
int lease_load(const char *folder, const char *seat, struct lease *ret, struct pst_err *err);

struct leases {
	struct lease *list; /* owned */
	size_t n, size;
};

/* All. A file that cannot be read is an error: nobody may take it for a free seat. leases_finish follows in any case. */
int leases_load(const char *folder, struct leases *ret, struct pst_err *err);
void leases_finish(struct leases *all);
/* Of that desktop, which is not dirty; NULL when there is none. */
struct lease *leases_of(const struct leases *all, const char *desktop);
struct lease *leases_seat(const struct leases *all, const char *seat);
