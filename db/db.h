/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The database: one SQLite connection, owned by the loop thread. Opened in WAL
 * mode with synchronous=FULL: what db_commit() accepted survives a power cut.
 *
 * A query is a small struct on the caller's stack with a sticky error: bind in
 * order, step, read columns in order, end; only the end needs a check.
 *
 *	struct db_query q;
 *	db_query_begin(&q, db, "SELECT name, rev FROM pools WHERE id = ?", err);
 *	db_bind_text(&q, id);
 *	while (db_query_step(&q)) {
 *		db_col_text(&q, pool->name, sizeof(pool->name));
 *		pool->rev = db_col_int(&q);
 *	}
 *	return db_query_end(&q);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct pst_err;
struct sqlite3_stmt;

/* Opens or makes the file (0600); ":memory:" serves tests. Returns owned. */
int db_open(const char *path, struct db **ret_db, struct pst_err *err);
void db_close(struct db *db);

/* Brings the schema up to this program's number in one transaction, after a copy
 * of the file to PATH.before-N. A newer schema than ours is an error. */
int db_migrate(struct db *db, struct pst_err *err);
int db_schema_version(struct db *db);

/* BEGIN IMMEDIATE. They do not nest; db_rollback() without a transaction is harmless. */
int db_begin(struct db *db, struct pst_err *err);
int db_commit(struct db *db, struct pst_err *err);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* A consistent copy of the live database to a new file. */
int db_backup(struct db *db, const char *path, struct pst_err *err);

/* The high half of every epoch; bumped after a restore so that epochs rise (R7). */
int db_generation(struct db *db, int64_t *ret_generation, struct pst_err *err);
int db_generation_bump(struct db *db, struct pst_err *err);

struct db_query {
	struct db *db;
	struct sqlite3_stmt *stmt;
	struct pst_err *err;
	int param, column, rc;
};

/* The text must be a literal (its address is the key of the statement cache).
 * One statement must not be used by two queries at the same time. */
void db_query_begin(struct db_query *q, struct db *db, const char *sql, struct pst_err *err);
bool db_query_step(struct db_query *q); /* true: a row is there */
/* 0, or the first error: PST_ECONFLICT for a broken unique rule, PST_EINVAL for any
 * other broken constraint, PST_ENOSPC when the disk is full, PST_EBUSY while another program holds the file, PST_EIO else. */
int db_query_end(struct db_query *q);
/* The same, after a look for one row: PST_ENOTFOUND in words when there was none. */
int db_query_end_one(struct db_query *q, bool found, const char *noun, const char *name);
/* Steps to the end and ends: for INSERT, UPDATE, DELETE. */
int db_query_run(struct db_query *q);
/* The same, and a statement that touched no row is PST_ENOTFOUND. */
int db_query_run_one(struct db_query *q);

void db_bind_text(struct db_query *q, const char *text); /* NULL binds NULL; copied */
void db_bind_text_or_null(struct db_query *q, const char *text); /* "" binds NULL too */
void db_bind_int(struct db_query *q, int64_t value);
void db_bind_blob(struct db_query *q, const void *data, size_t len);
void db_bind_null(struct db_query *q);

int64_t db_col_int(struct db_query *q); /* NULL reads as 0 */
bool db_col_bool(struct db_query *q);
bool db_col_is_null(struct db_query *q); /* looks at the next column, does not move */
/* Copies with a terminator; text that does not fit is a sticky error. */
void db_col_text(struct db_query *q, char *dst, size_t size);
/* Borrowed until the next step. NULL reads as "". */
const char *db_col_str(struct db_query *q);
/* Copies exactly len bytes; returns false for NULL; another length is a sticky error. */
bool db_col_blob(struct db_query *q, void *dst, size_t len);
