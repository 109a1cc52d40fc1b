/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of providers: connections to what makes machines.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_provider {
	char id[DB_ID_SIZE], name[DB_WORD_SIZE], kind[DB_WORD_SIZE];
	char config[DB_JSON_SIZE];
	int64_t capacity, max_creates;
	bool enabled, healthy;
	struct db_reason reason;
	int64_t rev, created, updated;
};

/* Inserts; created and updated are the caller's. */
int db_provider_insert(struct db *db, const struct db_provider *row, struct pst_err *err);
/* Writes what an admin may change (name, config, capacity, max_creates, enabled). rev 0: whatever it is;
 * another rev than the row's is PST_ENOTFOUND. */
int db_provider_update(struct db *db, const struct db_provider *row, int64_t rev, struct pst_err *err);
int db_provider_health(struct db *db, const struct db_provider *row, struct pst_err *err);
int db_provider_delete(struct db *db, const char *id, struct pst_err *err);
int db_provider_get(struct db *db, const char *id, struct db_provider *ret, struct pst_err *err);
int db_provider_by_name(struct db *db, const char *name, struct db_provider *ret, struct pst_err *err);
/* Calls fn for each by name; it stops at fn's first non-zero result and returns that. */
int db_provider_each(struct db *db, int (*fn)(void *arg, const struct db_provider *row), void *arg,
                     struct pst_err *err);
