/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of snapshots: which the provider has of a desktop's present disk.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

#define DB_SNAPSHOTS_MAX 256 /* of one desktop; more are not listed */

struct db_snapshot {
	char desktop_id[DB_ID_SIZE], name[DB_WORD_SIZE], by[DB_NAME_SIZE];
	int64_t created; /* wall milliseconds */
};

/* New, or the same name taken again. */
int db_snapshot_put(struct db *db, const struct db_snapshot *row, struct pst_err *err);
/* name "": all of the desktop. 0 also when there was none. */
int db_snapshot_delete(struct db *db, const char *desktop_id, const char *name, struct pst_err *err);
/* In the order of their making. row is borrowed for the call. */
int db_snapshot_each(struct db *db, const char *desktop_id, void (*fn)(const struct db_snapshot *row, void *arg), void *arg,
                     struct pst_err *err);
