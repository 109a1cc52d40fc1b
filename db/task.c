/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of tasks.
 */
#include "db/task.h"

#define COLUMNS "id, desktop_id, kind, state, attempts, error_code, error, created, updated, arg"

int db_task_put(struct db *db, const struct db_task *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO tasks (" COLUMNS ", finished) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
	               " iif(?4 IN ('done', 'failed'), ?9, NULL))"
	               " ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,"
	               " error_code = excluded.error_code, error = excluded.error, arg = excluded.arg, updated = excluded.updated,"
	               " finished = excluded.finished",
	               err);
	db_bind_text(&q, row->id);
	db_bind_text(&q, row->desktop_id);
	db_bind_text(&q, row->kind);
	db_bind_text(&q, row->state);
	db_bind_int(&q, row->attempts);
	db_bind_text(&q, row->error_code);
	db_bind_text(&q, row->error);
	db_bind_int(&q, row->created);
	db_bind_int(&q, row->updated);
	db_bind_text(&q, row->arg);
	return db_query_run(&q);
}

int db_task_each_unfinished(struct db *db, int (*fn)(void *arg, const struct db_task *row), void *arg,
                            struct pst_err *err)
{
	struct db_task row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db,
	               "SELECT " COLUMNS " FROM tasks WHERE state IN ('pending', 'sent') ORDER BY created, id", err);
	while (!stop && db_query_step(&q)) {
		db_col_text(&q, row.id, sizeof(row.id));
		db_col_text(&q, row.desktop_id, sizeof(row.desktop_id));
		db_col_text(&q, row.kind, sizeof(row.kind));
		db_col_text(&q, row.state, sizeof(row.state));
		row.attempts = db_col_int(&q);
		db_col_text(&q, row.error_code, sizeof(row.error_code));
		db_col_text(&q, row.error, sizeof(row.error));
		row.created = db_col_int(&q);
		row.updated = db_col_int(&q);
		db_col_text(&q, row.arg, sizeof(row.arg));
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
