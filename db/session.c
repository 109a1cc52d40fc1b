/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of display sessions.
 */
#include "db/session.h"

#define COLUMNS                                                                            \
	"id, assignment_id, desktop_id, pool_id, user_id, login_id, protocol, state, "     \
	"remote, gateway, epoch, granted, started, ended, end_code, end_reason, stats"

int db_session_insert(struct db *db, const struct db_session *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO sessions (id, assignment_id, desktop_id, pool_id, user_id, login_id, protocol, remote,"
	               " gateway, epoch, granted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	               err);
	db_bind_text(&q, row->id);
	db_bind_text(&q, row->assignment_id);
	db_bind_text(&q, row->desktop_id);
	db_bind_text_or_null(&q, row->pool_id);
	db_bind_text_or_null(&q, row->user_id);
	db_bind_text_or_null(&q, row->login_id);
	db_bind_text(&q, row->protocol);
	db_bind_text(&q, row->remote);
	db_bind_text(&q, row->gateway);
	db_bind_int(&q, row->epoch);
	db_bind_int(&q, row->granted);
	return db_query_run(&q);
}

int db_session_start(struct db *db, const char *id, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE sessions SET state = 'active', started = ? WHERE id = ? AND state = 'granted'", err);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_session_end(struct db *db, const char *id, int64_t now, const char *code, const char *reason,
                   const char *reason_es, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE sessions SET state = 'ended', ended = ?, end_code = ?, end_reason = ?, end_reason_es = ?"
	               " WHERE id = ? AND state <> 'ended'",
	               err);
	db_bind_int(&q, now);
	db_bind_text(&q, code);
	db_bind_text(&q, reason);
	db_bind_text(&q, reason_es);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_session_stats(struct db *db, const char *id, const char *stats, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE sessions SET stats = ? WHERE id = ?", err);
	db_bind_text(&q, stats);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

static void session_read(struct db_query *q, struct db_session *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->assignment_id, sizeof(row->assignment_id));
	db_col_text(q, row->desktop_id, sizeof(row->desktop_id));
	db_col_text(q, row->pool_id, sizeof(row->pool_id));
	db_col_text(q, row->user_id, sizeof(row->user_id));
	db_col_text(q, row->login_id, sizeof(row->login_id));
	db_col_text(q, row->protocol, sizeof(row->protocol));
	db_col_text(q, row->state, sizeof(row->state));
	db_col_text(q, row->remote, sizeof(row->remote));
	db_col_text(q, row->gateway, sizeof(row->gateway));
	row->epoch = db_col_int(q);
	row->granted = db_col_int(q);
	row->started = db_col_int(q);
	row->ended = db_col_int(q);
	db_col_text(q, row->end_code, sizeof(row->end_code));
	db_col_text(q, row->end_reason, sizeof(row->end_reason));
	db_col_text(q, row->stats, sizeof(row->stats));
}

int db_session_each_live(struct db *db, int (*fn)(void *arg, const struct db_session *row), void *arg,
                         struct pst_err *err)
{
	struct db_session row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM sessions WHERE state <> 'ended' ORDER BY granted, id", err);
	while (!stop && db_query_step(&q)) {
		session_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
