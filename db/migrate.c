/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Brings the schema up to date: the number lives in the file's user_version, all
 * missing migrations run in one transaction, and a copy of the file is kept first.
 */
#include "db/db_priv.h"
#include "db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int db_schema_version(struct db *db)
{
	sqlite3_stmt *stmt;
	int version = -1;

	if (sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

static int migrate_newest(void)
{
	int newest = 0;

	for (const struct db_migration *m = db_migrations; m->number; m++)
		newest = m->number;
	return newest;
}

static int migrate_keep_copy(struct db *db, int target, struct pst_err *err)
{
	char *copy;
	int rc;

	if (!strcmp(db->path, ":memory:"))
		return 0;
	if (asprintf(&copy, "%s.before-%d", db->path, target) < 0)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	unlink(copy); /* of an attempt that was cut off */
	rc = db_backup(db, copy, err);
	free(copy);
	return rc;
}

static int migrate_run(struct db *db, int from, struct pst_err *err)
{
	char pragma[64];
	int rc = 0;

	for (const struct db_migration *m = db_migrations; m->number && rc == 0; m++) {
		if (m->number <= from)
			continue;
		rc = db_exec(db, m->sql, err);
		if (rc < 0)
			pst_err_wrap(err, "migration %s", m->name);
	}
	if (rc < 0)
		return rc;
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", migrate_newest());
	return db_exec(db, pragma, err);
}

static int migrate_check_references(struct db *db, struct pst_err *err)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	if (sqlite3_prepare_v2(db->handle, "PRAGMA foreign_key_check", -1, &stmt, NULL) != SQLITE_OK)
		return db_error(db, err, "cannot check the references");
	if (sqlite3_step(stmt) == SQLITE_ROW)
		rc = pst_err_set(err, PST_EINVAL, "%s: a row of %s names one of %s that is not there", db->path,
		                 sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 2));
	sqlite3_finalize(stmt);
	return rc;
}

static int migrate_commit(struct db *db, int from, struct pst_err *err)
{
	int rc = db_begin(db, err);

	if (rc < 0)
		return rc;
	rc = migrate_run(db, from, err);
	if (rc == 0)
		rc = migrate_check_references(db, err);
	if (rc == 0)
		return db_commit(db, err);
	db_rollback(db);
	return rc;
}

static int migrate_end(struct db *db, int rc, struct pst_err *err)
{
	struct pst_err second = PST_ERR_INIT;
	int on = db_exec(db, "PRAGMA foreign_keys=ON", rc < 0 ? &second : err);

	return rc < 0 ? rc : on;
}

int db_migrate(struct db *db, struct pst_err *err)
{
	int from = db_schema_version(db), newest = migrate_newest(), rc;

	if (from < 0)
		return db_error(db, err, "cannot read the schema's number");
	if (from > newest)
		return pst_err_set(err, PST_EUNSUPPORTED,
		                   "%s has schema %d, this program knows %d: install the newer Puesto or restore the backup "
		                   "of before the update",
		                   db->path, from, newest);
	if (from == newest)
		return 0;
	if (from > 0 && (rc = migrate_keep_copy(db, newest, err)) < 0)
		return rc;
	/* A table that is made anew is dropped under the references to it; the
	 * switch has no effect inside a transaction. */
	rc = db_exec(db, "PRAGMA foreign_keys=OFF", err);
	if (rc == 0)
		rc = migrate_commit(db, from, err);
	return migrate_end(db, rc, err);
}
