/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datastores: typed queries. */
#include "db/datastore.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define COLUMNS "id, name, maintenance, warning, critical, told, seen, rev, created, updated, filling "
#define TEXT(field) db_col_text(q, d->field, sizeof(d->field))

static void read_row(struct db_query *q, struct datastore_row *d)
{
	memset(d, 0, sizeof(*d));
	TEXT(id);
	TEXT(name);
	d->maintenance = db_col_bool(q);
	d->warning = (int)db_col_int(q);
	d->critical = (int)db_col_int(q);
	TEXT(told);
	d->seen = db_col_int(q);
	d->rev = db_col_int(q);
	d->created = db_col_int(q);
	d->updated = db_col_int(q);
	d->filling = db_col_bool(q);
}

int db_datastore_get(struct db *db, const char *id_or_name, struct datastore_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM datastores WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1", err);
	db_bind_text(&q, id_or_name);
	bool found = db_query_step(&q);
	if (found)
		read_row(&q, ret);
	return db_query_end_one(&q, found, "datastore", id_or_name);
}

int db_datastore_insert(struct db *db, const struct datastore_row *d, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO datastores (id, name, told, seen, created, updated) VALUES (?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, d->id);
	db_bind_text(&q, d->name);
	db_bind_text(&q, d->told);
	db_bind_int(&q, d->seen);
	db_bind_int(&q, d->created);
	db_bind_int(&q, d->updated);
	return db_query_run(&q);
}

int db_datastore_update(struct db *db, const struct datastore_row *d, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE datastores SET maintenance = ?, warning = ?, critical = ?, updated = ?, rev = rev + 1 WHERE id = ?", err);
	db_bind_int(&q, d->maintenance);
	db_bind_int(&q, d->warning);
	db_bind_int(&q, d->critical);
	db_bind_int(&q, d->updated);
	db_bind_text(&q, d->id);
	return db_query_run_one(&q);
}

int db_datastore_tell(struct db *db, const struct datastore_row *d, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE datastores SET told = ?, seen = ?, filling = ? WHERE id = ?", err);
	db_bind_text(&q, d->told);
	db_bind_int(&q, d->seen);
	db_bind_int(&q, d->filling);
	db_bind_text(&q, d->id);
	return db_query_run_one(&q);
}

int db_datastore_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM datastores WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_datastore_sample_add(struct db *db, const char *id, int64_t at, int64_t used, int64_t since, struct pst_err *err)
{
	struct db_query q;
	int rc;

	db_query_begin(&q, db, "DELETE FROM datastore_samples WHERE datastore_id = ? AND (at < ? OR at > ?)", err);
	db_bind_text(&q, id);
	db_bind_int(&q, since);
	db_bind_int(&q, at);
	rc = db_query_run(&q);
	if (rc < 0)
		return rc;
	db_query_begin(&q, db, "INSERT OR REPLACE INTO datastore_samples (datastore_id, at, used) VALUES (?, ?, ?)", err);
	db_bind_text(&q, id);
	db_bind_int(&q, at);
	db_bind_int(&q, used);
	return db_query_run(&q);
}

int db_datastore_sample_each(struct db *db, const char *id, db_datastore_sample_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT at, used FROM datastore_samples WHERE datastore_id = ? ORDER BY at", err);
	db_bind_text(&q, id);
	while (db_query_step(&q)) {
		int64_t at = db_col_int(&q);

		visit(at, db_col_int(&q), arg);
	}
	return db_query_end(&q);
}

int db_datastore_each(struct db *db, db_datastore_visit visit, void *arg, struct pst_err *err)
{
	struct datastore_row row;
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM datastores ORDER BY name", err);
	while (db_query_step(&q)) {
		read_row(&q, &row);
		visit(&row, arg);
	}
	return db_query_end(&q);
}
