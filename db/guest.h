/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of guest tickets. The caller hashes; this file never sees a ticket's text.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_guest {
	uint8_t hash[32];
	char session_id[DB_ID_SIZE], user_id[DB_ID_SIZE], name[DB_NAME_SIZE], boot[DB_ID_SIZE];
	bool can_input;
	int64_t expires_mono, created;
};

int db_guest_insert(struct db *db, const struct db_guest *row, struct pst_err *err);
/* Removes and returns it in one statement; PST_ENOTFOUND: there is none. The caller checks boot and deadline. */
int db_guest_take(struct db *db, const uint8_t hash[32], struct db_guest *ret, struct pst_err *err);
/* Removes those that are late, or of another boot. */
int db_guest_prune(struct db *db, const char *boot, int64_t now_mono, struct pst_err *err);
