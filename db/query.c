/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queries: a cache of prepared statements, and binding and reading in order with
 * one sticky error.
 */
#include "db/db_priv.h"

#include <limits.h>
#include <string.h>

/* Each literal is prepared once; its address finds it again. */
static struct db_cached *query_slot(struct db *db, const char *sql)
{
	size_t i = ((uintptr_t)sql >> 3) * 2654435761u;

	for (int n = 0; n < DB_STATEMENTS_MAX; n++, i++) {
		struct db_cached *c = &db->cache[i & (DB_STATEMENTS_MAX - 1)];

		if (!c->sql || c->sql == sql)
			return c;
	}
	return NULL;
}

void db_query_begin(struct db_query *q, struct db *db, const char *sql, struct pst_err *err)
{
	struct db_cached *c = query_slot(db, sql);

	*q = (struct db_query){ .db = db, .err = err };
	if (!c) {
		q->rc = pst_err_set(err, PST_ELIMIT, "more than %d statements", DB_STATEMENTS_MAX);
		return;
	}
	if (!c->stmt && sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &c->stmt, NULL) != SQLITE_OK) {
		q->rc = db_error(db, err, "prepare");
		return;
	}
	c->sql = sql;
	PRE(!sqlite3_stmt_busy(c->stmt));
	q->stmt = c->stmt;
}

static void query_check(struct db_query *q, int sqlite_rc)
{
	if (sqlite_rc != SQLITE_OK)
		q->rc = db_error(q->db, q->err, "bind");
}

void db_bind_text(struct db_query *q, const char *text)
{
	if (q->rc < 0)
		return;
	if (text)
		query_check(q, sqlite3_bind_text(q->stmt, ++q->param, text, -1, SQLITE_TRANSIENT));
	else
		query_check(q, sqlite3_bind_null(q->stmt, ++q->param));
}

void db_bind_text_or_null(struct db_query *q, const char *text)
{
	db_bind_text(q, text && *text ? text : NULL);
}

void db_bind_int(struct db_query *q, int64_t value)
{
	if (q->rc >= 0)
		query_check(q, sqlite3_bind_int64(q->stmt, ++q->param, value));
}

void db_bind_blob(struct db_query *q, const void *data, size_t len)
{
	if (q->rc < 0)
		return;
	if (data && len <= INT_MAX)
		query_check(q, sqlite3_bind_blob(q->stmt, ++q->param, data, (int)len, SQLITE_TRANSIENT));
	else
		query_check(q, sqlite3_bind_null(q->stmt, ++q->param));
}

void db_bind_null(struct db_query *q)
{
	db_bind_text(q, NULL);
}

bool db_query_step(struct db_query *q)
{
	int rc;

	if (q->rc < 0)
		return false;
	q->column = 0;
	rc = sqlite3_step(q->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		q->rc = db_error(q->db, q->err, "database");
	return rc == SQLITE_ROW;
}

int db_query_end(struct db_query *q)
{
	if (q->stmt) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt);
	}
	q->stmt = NULL;
	return q->rc;
}

int db_query_run(struct db_query *q)
{
	while (db_query_step(q))
		;
	return db_query_end(q);
}

int db_query_end_one(struct db_query *q, bool found, const char *noun, const char *name)
{
	int rc = db_query_end(q);

	if (rc < 0 || found)
		return rc;
	return pst_err_set(q->err, PST_ENOTFOUND, "there is no %s '%s'", noun, name);
}

int db_query_run_one(struct db_query *q)
{
	int rc = db_query_run(q);

	if (rc == 0 && sqlite3_changes(q->db->handle) == 0)
		rc = pst_err_set(q->err, PST_ENOTFOUND, "there is no such object, or it has changed");
	return rc;
}

int64_t db_col_int(struct db_query *q)
{
	return q->stmt ? sqlite3_column_int64(q->stmt, q->column++) : 0;
}

bool db_col_bool(struct db_query *q)
{
	return db_col_int(q) != 0;
}

bool db_col_is_null(struct db_query *q)
{
	return !q->stmt || sqlite3_column_type(q->stmt, q->column) == SQLITE_NULL;
}

const char *db_col_str(struct db_query *q)
{
	const char *s = q->stmt ? (const char *)sqlite3_column_text(q->stmt, q->column++) : NULL;

	return s ? s : "";
}

void db_col_text(struct db_query *q, char *dst, size_t size)
{
	const char *s = db_col_str(q);
	size_t len = strlen(s);

	if (len >= size) {
		q->rc = pst_err_set(q->err, PST_ELIMIT, "the text in column %d has %zu bytes, at most %zu fit", q->column,
		                    len, size - 1);
		len = 0;
	}
	memcpy(dst, s, len);
	dst[len] = '\0';
}

bool db_col_blob(struct db_query *q, void *dst, size_t len)
{
	const void *data;
	size_t have;

	if (db_col_is_null(q)) {
		q->column++;
		return false;
	}
	data = sqlite3_column_blob(q->stmt, q->column);
	have = (size_t)sqlite3_column_bytes(q->stmt, q->column++);
	if (have != len) {
		q->rc = pst_err_set(q->err, PST_EINVAL, "the blob in column %d has %zu bytes, not %zu", q->column, have, len);
		return false;
	}
	if (len)
		memcpy(dst, data, len);
	return true;
}
