/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of assignments.
 */
#include "db/assignment.h"

#define COLUMNS "id, desktop_id, pool_id, user_id, user_name, kind, epoch, created"

int db_assignment_insert(struct db *db, const struct db_assignment *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO assignments (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, row->id);
	db_bind_text(&q, row->desktop_id);
	db_bind_text_or_null(&q, row->pool_id);
	db_bind_text_or_null(&q, row->user_id);
	db_bind_text(&q, row->user_name);
	db_bind_text(&q, row->kind);
	db_bind_int(&q, row->epoch);
	db_bind_int(&q, row->created);
	return db_query_run(&q);
}

int db_assignment_end(struct db *db, const char *id, int64_t now, const char *reason, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE assignments SET state = 'ended', ended = ?, reason = ? WHERE id = ? AND state = 'live'", err);
	db_bind_int(&q, now);
	db_bind_text(&q, reason);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_assignment_each_live(struct db *db, int (*fn)(void *arg, const struct db_assignment *row), void *arg,
                            struct pst_err *err)
{
	struct db_assignment row = { 0 };
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM assignments WHERE state = 'live' ORDER BY created, id", err);
	while (!stop && db_query_step(&q)) {
		db_col_text(&q, row.id, sizeof(row.id));
		db_col_text(&q, row.desktop_id, sizeof(row.desktop_id));
		db_col_text(&q, row.pool_id, sizeof(row.pool_id));
		db_col_text(&q, row.user_id, sizeof(row.user_id));
		db_col_text(&q, row.user_name, sizeof(row.user_name));
		db_col_text(&q, row.kind, sizeof(row.kind));
		row.epoch = db_col_int(&q);
		row.created = db_col_int(&q);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
