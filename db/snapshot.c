/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of snapshots.
 */
#include "db/snapshot.h"

int db_snapshot_put(struct db *db, const struct db_snapshot *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO snapshots (desktop_id, name, by_name, created) VALUES (?, ?, ?, ?)"
	               " ON CONFLICT (desktop_id, name) DO NOTHING",
	               err);
	db_bind_text(&q, row->desktop_id);
	db_bind_text(&q, row->name);
	db_bind_text(&q, row->by);
	db_bind_int(&q, row->created);
	return db_query_run(&q);
}

int db_snapshot_delete(struct db *db, const char *desktop_id, const char *name, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM snapshots WHERE desktop_id = ?1 AND (?2 = '' OR name = ?2)", err);
	db_bind_text(&q, desktop_id);
	db_bind_text(&q, name);
	return db_query_run(&q);
}

int db_snapshot_each(struct db *db, const char *desktop_id, void (*fn)(const struct db_snapshot *row, void *arg), void *arg,
                     struct pst_err *err)
{
	struct db_snapshot row;
	struct db_query q;

	db_query_begin(&q, db,
	               "SELECT desktop_id, name, by_name, created FROM snapshots WHERE desktop_id = ? ORDER BY created, name LIMIT ?",
	               err);
	db_bind_text(&q, desktop_id);
	db_bind_int(&q, DB_SNAPSHOTS_MAX);
	while (db_query_step(&q)) {
		db_col_text(&q, row.desktop_id, sizeof(row.desktop_id));
		db_col_text(&q, row.name, sizeof(row.name));
		db_col_text(&q, row.by, sizeof(row.by));
		row.created = db_col_int(&q);
		fn(&row, arg);
	}
	return db_query_end(&q);
}
