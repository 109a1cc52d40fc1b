/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of tickets. The caller hashes; this file never sees a ticket's text.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_ticket {
	uint8_t hash[32];
	char user_id[DB_ID_SIZE], desktop_id[DB_ID_SIZE], pool_id[DB_ID_SIZE], login_id[DB_WORD_SIZE];
	char protocol[DB_WORD_SIZE], boot[DB_ID_SIZE];
	int64_t epoch, expires_mono, created;
};

int db_ticket_insert(struct db *db, const struct db_ticket *row, struct pst_err *err);
/* Removes and returns it in one statement; PST_ENOTFOUND: there is none. The
 * caller checks protocol, boot and deadline of what it got. */
int db_ticket_take(struct db *db, const uint8_t hash[32], struct db_ticket *ret, struct pst_err *err);
/* Removes those that are late, or of another boot. */
int db_ticket_prune(struct db *db, const char *boot, int64_t now_mono, struct pst_err *err);
