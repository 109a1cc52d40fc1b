/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening, transactions and errors of the database.
 */
#include "db/db_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DB_BUSY_MS 5000 /* a backup tool may hold the lock for a moment */

static const char db_pragmas[] = "PRAGMA journal_mode=WAL;"
				 "PRAGMA synchronous=FULL;"
				 "PRAGMA foreign_keys=ON;"
				 "PRAGMA journal_size_limit=16777216;"
				 "PRAGMA temp_store=MEMORY;";

int db_error(struct db *db, struct pst_err *err, const char *what)
{
	int rc = sqlite3_extended_errcode(db->handle);
	const char *text = sqlite3_errmsg(db->handle);

	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
			return pst_err_set(err, PST_ECONFLICT, "%s: it exists already (%s)", what, text);
		return pst_err_set(err, PST_EINVAL, "%s: %s", what, text);
	case SQLITE_FULL:
		return pst_err_set(err, PST_ENOSPC, "%s: the disk of the database is full: make room in %s", what,
		                   db->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return pst_err_set(err, PST_EBUSY, "%s: another program holds the database: try again", what);
	case SQLITE_NOMEM:
		return pst_err_set(err, PST_ENOMEM, "%s: out of memory", what);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return pst_err_set(err, PST_EIO, "%s: %s is damaged (%s): restore a backup", what, db->path, text);
	default:
		return pst_err_set(err, PST_EIO, "%s: %s", what, text);
	}
}

int db_exec(struct db *db, const char *sql, struct pst_err *err)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, err, "database");
	return 0;
}

/* SQLite makes files with the umask's mode; make ours first, so that it is 0600. */
static int db_make_file(const char *path, struct pst_err *err)
{
	int fd;

	if (!strcmp(path, ":memory:"))
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "cannot open the database %s", path);
	close(fd);
	return 0;
}

int db_open(const char *path, struct db **ret_db, struct pst_err *err)
{
	struct db *db = calloc(1, sizeof(*db));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int rc = db_make_file(path, err);

	if (!db || rc < 0) {
		free(db);
		return db ? rc : pst_err_set(err, PST_ENOMEM, "out of memory");
	}
	db->path = strdup(path);
	if (!db->path || sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
		rc = pst_err_set(err, PST_EIO, "cannot open the database %s: %s", path,
		                 db->handle ? sqlite3_errmsg(db->handle) : "out of memory");
		goto fail;
	}
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	rc = db_exec(db, db_pragmas, err);
	if (rc < 0)
		goto fail;
	*ret_db = db;
	return 0;
fail:
	db_close(db);
	return rc;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < DB_STATEMENTS_MAX; i++)
		sqlite3_finalize(db->cache[i].stmt);
	sqlite3_close_v2(db->handle);
	free(db->path);
	free(db);
}

int db_begin(struct db *db, struct pst_err *err)
{
	return db_exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct pst_err *err)
{
	int rc = db_exec(db, "COMMIT", err);

	if (rc < 0)
		db_rollback(db);
	return rc;
}

void db_rollback(struct db *db)
{
	/* A full disk may have rolled back already; that is what we want. */
	if (db_in_transaction(db))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

int db_backup(struct db *db, const char *path, struct pst_err *err)
{
	sqlite3 *copy = NULL;
	sqlite3_backup *job;
	int rc = db_make_file(path, err);

	if (rc < 0)
		return rc;
	if (sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		goto fail;
	job = sqlite3_backup_init(copy, "main", db->handle, "main");
	if (!job)
		goto fail;
	sqlite3_backup_step(job, -1);
	if (sqlite3_backup_finish(job) != SQLITE_OK)
		goto fail;
	sqlite3_close(copy);
	return 0;
fail:
	rc = pst_err_set(err, PST_EIO, "cannot copy the database to %s: %s", path,
	                 copy ? sqlite3_errmsg(copy) : "out of memory");
	sqlite3_close(copy);
	unlink(path);
	return rc;
}

int db_generation(struct db *db, int64_t *ret_generation, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT generation FROM meta", err);
	if (db_query_step(&q))
		*ret_generation = db_col_int(&q);
	return db_query_end(&q);
}

int db_generation_bump(struct db *db, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE meta SET generation = generation + 1", err);
	return db_query_run_one(&q);
}
