/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of pools.
 */
#include "db/pool.h"

#include "base/err.h"

/* What an admin writes, in the order of pool_bind() and pool_read(). */
#define EDITABLE                                                                           \
	"name, display_name, description, kind, provider_id, image_id, image_version, "    \
	"on_logoff, min_size, max_size, spare, idle_disconnect_s, "                        \
	"logoff_after_disconnect_s, memory_mb, cpus, pids, max_width, max_height, "        \
	"network, locale, layout, clipboard_in, clipboard_out, enabled, drain, maintenance"
#define COLUMNS "id, " EDITABLE ", deleting, next_number, rev, created, updated"

static void pool_read(struct db_query *q, struct db_pool *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->name, sizeof(row->name));
	db_col_text(q, row->display_name, sizeof(row->display_name));
	db_col_text(q, row->description, sizeof(row->description));
	db_col_text(q, row->kind, sizeof(row->kind));
	db_col_text(q, row->provider_id, sizeof(row->provider_id));
	db_col_text(q, row->image_id, sizeof(row->image_id));
	db_col_text(q, row->image_version, sizeof(row->image_version));
	db_col_text(q, row->on_logoff, sizeof(row->on_logoff));
	row->min = db_col_int(q);
	row->max = db_col_int(q);
	row->spare = db_col_int(q);
	row->idle_disconnect_s = db_col_int(q);
	row->logoff_after_disconnect_s = db_col_int(q);
	row->spec.memory_mb = db_col_int(q);
	row->spec.cpus = db_col_int(q);
	row->spec.pids = db_col_int(q);
	row->spec.max_width = db_col_int(q);
	row->spec.max_height = db_col_int(q);
	db_col_text(q, row->spec.network, sizeof(row->spec.network));
	db_col_text(q, row->spec.locale, sizeof(row->spec.locale));
	db_col_text(q, row->spec.layout, sizeof(row->spec.layout));
	row->clipboard_in = db_col_bool(q);
	row->clipboard_out = db_col_bool(q);
	row->enabled = db_col_bool(q);
	row->drain = db_col_bool(q);
	row->maintenance = db_col_bool(q);
	row->deleting = db_col_bool(q);
	row->next_number = db_col_int(q);
	row->rev = db_col_int(q);
	row->created = db_col_int(q);
	row->updated = db_col_int(q);
}

static void pool_bind(struct db_query *q, const struct db_pool *row)
{
	db_bind_text(q, row->name);
	db_bind_text(q, row->display_name);
	db_bind_text(q, row->description);
	db_bind_text(q, row->kind);
	db_bind_text(q, row->provider_id);
	db_bind_text(q, row->image_id);
	db_bind_text(q, row->image_version[0] ? row->image_version : "latest");
	db_bind_text(q, row->on_logoff);
	db_bind_int(q, row->min);
	db_bind_int(q, row->max);
	db_bind_int(q, row->spare);
	db_bind_int(q, row->idle_disconnect_s);
	db_bind_int(q, row->logoff_after_disconnect_s);
	db_bind_int(q, row->spec.memory_mb);
	db_bind_int(q, row->spec.cpus);
	db_bind_int(q, row->spec.pids);
	db_bind_int(q, row->spec.max_width ? row->spec.max_width : 3840);
	db_bind_int(q, row->spec.max_height ? row->spec.max_height : 2160);
	db_bind_text(q, row->spec.network[0] ? row->spec.network : "host");
	db_bind_text(q, row->spec.locale);
	db_bind_text(q, row->spec.layout);
	db_bind_int(q, row->clipboard_in);
	db_bind_int(q, row->clipboard_out);
	db_bind_int(q, row->enabled);
	db_bind_int(q, row->drain);
	db_bind_int(q, row->maintenance);
}

int db_pool_insert(struct db *db, const struct db_pool *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO pools (" EDITABLE ", id, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	               " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	               err);
	pool_bind(&q, row);
	db_bind_text(&q, row->id);
	db_bind_int(&q, row->created);
	db_bind_int(&q, row->updated);
	return db_query_run(&q);
}

int db_pool_update(struct db *db, const struct db_pool *row, int64_t rev, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE pools SET (" EDITABLE ", updated, rev) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	               " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, rev + 1)"
	               " WHERE id = ?28 AND (?29 = 0 OR rev = ?29)",
	               err);
	pool_bind(&q, row);
	db_bind_int(&q, row->updated);
	db_bind_text(&q, row->id);
	db_bind_int(&q, rev);
	return db_query_run_one(&q);
}

int db_pool_set_deleting(struct db *db, const char *id, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET deleting = 1, updated = ?, rev = rev + 1 WHERE id = ?", err);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_pool_set_next_number(struct db *db, const char *id, int64_t number, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET next_number = ? WHERE id = ?", err);
	db_bind_int(&q, number);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_pool_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM pools WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

static int pool_one(struct db_query *q, struct db_pool *ret)
{
	bool found = db_query_step(q);
	int rc;

	if (found)
		pool_read(q, ret);
	rc = db_query_end(q);
	if (rc == 0 && !found)
		rc = pst_err_set(q->err, PST_ENOTFOUND, "there is no such pool");
	return rc;
}

int db_pool_get(struct db *db, const char *id, struct db_pool *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM pools WHERE id = ?", err);
	db_bind_text(&q, id);
	return pool_one(&q, ret);
}

int db_pool_by_name(struct db *db, const char *name, struct db_pool *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM pools WHERE name = ?", err);
	db_bind_text(&q, name);
	return pool_one(&q, ret);
}

int db_pool_each(struct db *db, int (*fn)(void *arg, const struct db_pool *row), void *arg, struct pst_err *err)
{
	struct db_pool row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM pools ORDER BY name", err);
	while (!stop && db_query_step(&q)) {
		pool_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
