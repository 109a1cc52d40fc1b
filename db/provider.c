/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of providers.
 */
#include "db/provider.h"

#include "base/err.h"

#define COLUMNS                                                                            \
	"id, name, kind, config, capacity, max_creates, enabled, healthy, reason_code, "   \
	"reason_en, reason_es, rev, created, updated"

static void provider_read(struct db_query *q, struct db_provider *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->name, sizeof(row->name));
	db_col_text(q, row->kind, sizeof(row->kind));
	db_col_text(q, row->config, sizeof(row->config));
	row->capacity = db_col_int(q);
	row->max_creates = db_col_int(q);
	row->enabled = db_col_bool(q);
	row->healthy = db_col_bool(q);
	db_col_text(q, row->reason.code, sizeof(row->reason.code));
	db_col_text(q, row->reason.en, sizeof(row->reason.en));
	db_col_text(q, row->reason.es, sizeof(row->reason.es));
	row->rev = db_col_int(q);
	row->created = db_col_int(q);
	row->updated = db_col_int(q);
}

int db_provider_insert(struct db *db, const struct db_provider *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO providers (id, name, kind, config, capacity, max_creates, enabled, created, updated)"
	               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	               err);
	db_bind_text(&q, row->id);
	db_bind_text(&q, row->name);
	db_bind_text(&q, row->kind);
	db_bind_text(&q, row->config[0] ? row->config : "{}");
	db_bind_int(&q, row->capacity);
	db_bind_int(&q, row->max_creates);
	db_bind_int(&q, row->enabled);
	db_bind_int(&q, row->created);
	db_bind_int(&q, row->updated);
	return db_query_run(&q);
}

int db_provider_update(struct db *db, const struct db_provider *row, int64_t rev, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE providers SET name = ?1, config = ?2, capacity = ?3, max_creates = ?4, enabled = ?5,"
	               " updated = ?6, rev = rev + 1 WHERE id = ?7 AND (?8 = 0 OR rev = ?8)",
	               err);
	db_bind_text(&q, row->name);
	db_bind_text(&q, row->config[0] ? row->config : "{}");
	db_bind_int(&q, row->capacity);
	db_bind_int(&q, row->max_creates);
	db_bind_int(&q, row->enabled);
	db_bind_int(&q, row->updated);
	db_bind_text(&q, row->id);
	db_bind_int(&q, rev);
	return db_query_run_one(&q);
}

int db_provider_health(struct db *db, const struct db_provider *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE providers SET healthy = ?, reason_code = ?, reason_en = ?, reason_es = ?, seen = ?"
	               " WHERE id = ?",
	               err);
	db_bind_int(&q, row->healthy);
	db_bind_text(&q, row->reason.code);
	db_bind_text(&q, row->reason.en);
	db_bind_text(&q, row->reason.es);
	db_bind_int(&q, row->updated);
	db_bind_text(&q, row->id);
	return db_query_run(&q);
}

int db_provider_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM providers WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

static int provider_one(struct db_query *q, struct db_provider *ret)
{
	bool found = db_query_step(q);
	int rc;

	if (found)
		provider_read(q, ret);
	rc = db_query_end(q);
	if (rc == 0 && !found)
		rc = pst_err_set(q->err, PST_ENOTFOUND, "there is no such provider");
	return rc;
}

int db_provider_get(struct db *db, const char *id, struct db_provider *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM providers WHERE id = ?", err);
	db_bind_text(&q, id);
	return provider_one(&q, ret);
}

int db_provider_by_name(struct db *db, const char *name, struct db_provider *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM providers WHERE name = ?", err);
	db_bind_text(&q, name);
	return provider_one(&q, ret);
}

int db_provider_each(struct db *db, int (*fn)(void *arg, const struct db_provider *row), void *arg,
                     struct pst_err *err)
{
	struct db_provider row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM providers ORDER BY name", err);
	while (!stop && db_query_step(&q)) {
		provider_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
