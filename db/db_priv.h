/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The body of struct db, for the files of this folder.
 */
#pragma once

#include "base/err.h"
#include "db/db.h"

#include <sqlite3.h>

#define DB_STATEMENTS_MAX 512 /* literals in the source; a power of two */

struct db_cached {
	const char *sql; /* the literal's address is the key */
	sqlite3_stmt *stmt;
};

struct db {
	sqlite3 *handle;
	char *path;
	int statement_count;
	struct db_cached cache[DB_STATEMENTS_MAX];
};

/* Maps the handle's last error to a code and a sentence about what was tried. */
int db_error(struct db *db, struct pst_err *err, const char *what);
/* Runs constant SQL that gives no rows. */
int db_exec(struct db *db, const char *sql, struct pst_err *err);
