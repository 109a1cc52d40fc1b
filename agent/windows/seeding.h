/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the seed that was put beside this machine, and applies it once: name, authority, broker, enrolment. */
#pragma once

#include "agent/windows/birth.h"
#include "agent/windows/disk.h"

#define SEEDING_FILE "seed.json" /* in the agent's folder: a copy that somebody put there; removed once it was applied */

/* What the agent needs to know of the last seed. */
struct place {
	char desktop[PST_UUID_SIZE];
	char broker[80];
};

/*
 * path: a file, or NULL: SEEDING_FILE, then puesto.json on a drive called CIDATA, then what VMware or Hyper-V gives. Applies what is new, and takes it
 * away where it can be. PST_ENOTFOUND: there is none.
 * *ret_renamed: the computer has another name now, from its next start on.
 */
int seeding_run(const struct disk *d, const char *path, bool *ret_renamed, struct pst_err *err);

/* PST_ENOTFOUND: this machine was never seeded. */
int seeding_place(const struct disk *d, struct place *ret, struct pst_err *err);

/* The token that waits to be used, with its hash; PST_ENOTFOUND. */
struct pending {
	char desktop[PST_UUID_SIZE];
	char token[257];
	char hash[PST_SHA256_HEX_SIZE];
};
int seeding_pending(const struct disk *d, struct pending *ret, struct pst_err *err);
void seeding_used(const struct disk *d);

/* Before a capture: everything that is this machine's and no other's. */
void seeding_forget(const struct disk *d);
