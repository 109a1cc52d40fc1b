/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of assignments: who has, or had, which desktop.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_assignment {
	char id[DB_ID_SIZE], desktop_id[DB_ID_SIZE], pool_id[DB_ID_SIZE], user_id[DB_ID_SIZE];
	char user_name[DB_NAME_SIZE], kind[DB_WORD_SIZE];
	int64_t epoch, created, ended; /* ended 0: live */
	char reason[DB_WORD_SIZE];
};

/* PST_ECONFLICT: the desktop has an owner, the user has a desktop there, or the epoch is used. */
int db_assignment_insert(struct db *db, const struct db_assignment *row, struct pst_err *err);
int db_assignment_end(struct db *db, const char *id, int64_t now, const char *reason, struct pst_err *err);
int db_assignment_each_live(struct db *db, int (*fn)(void *arg, const struct db_assignment *row), void *arg,
                            struct pst_err *err);
