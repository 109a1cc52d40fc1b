/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of users' own disks.
 */
#include "db/personal.h"

#include "base/err.h"

#define SELECT \
	"SELECT p.user_id, p.pool_id, p.provider_id, coalesce(u.name, p.user_name), coalesce(o.name, p.pool_name)," \
	" coalesce(d.id, ''), coalesce(d.name, ''), p.error, max(p.size_mb, coalesce(o.personal_mb, 0)), p.keep_days, p.clean," \
	" p.removing, p.created, p.used FROM personal_disks p LEFT JOIN users u ON u.id = p.user_id" \
	" LEFT JOIN pools o ON o.id = p.pool_id LEFT JOIN desktops d ON d.personal_owner = p.user_id AND d.pool_id = p.pool_id" \
	" AND d.personal_held = 1 AND d.lifecycle <> 'deleted' "

static void personal_read(struct db_query *q, struct db_personal *row)
{
	db_col_text(q, row->user_id, sizeof(row->user_id));
	db_col_text(q, row->pool_id, sizeof(row->pool_id));
	db_col_text(q, row->provider_id, sizeof(row->provider_id));
	db_col_text(q, row->user_name, sizeof(row->user_name));
	db_col_text(q, row->pool_name, sizeof(row->pool_name));
	db_col_text(q, row->desktop_id, sizeof(row->desktop_id));
	db_col_text(q, row->desktop_name, sizeof(row->desktop_name));
	db_col_text(q, row->error, sizeof(row->error));
	row->size_mb = db_col_int(q);
	row->keep_days = (int)db_col_int(q);
	row->is_clean = db_col_bool(q);
	row->is_removing = db_col_bool(q);
	row->created = db_col_int(q);
	row->used = db_col_int(q);
}

/* Binds nothing more than the disk's key. */
static int key_run(struct db *db, const char *sql, const char *user_id, const char *pool_id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, sql, err);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	return db_query_run(&q);
}

int db_personal_settings(struct db *db, const char *pool_id, int *ret_mb, char ret_store[DB_WORD_SIZE], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT personal_mb, personal_store FROM pools WHERE id = ?", err);
	db_bind_text(&q, pool_id);
	bool found = db_query_step(&q);
	if (found) {
		*ret_mb = (int)db_col_int(&q);
		if (ret_store)
			db_col_text(&q, ret_store, DB_WORD_SIZE);
	}
	return db_query_end_one(&q, found, "pool", pool_id);
}

int db_personal_settings_set(struct db *db, const char *pool_id, int mb, const char *store, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET personal_mb = ?, personal_store = ? WHERE id = ?", err);
	db_bind_int(&q, mb);
	db_bind_text(&q, store);
	db_bind_text(&q, pool_id);
	return db_query_run_one(&q);
}

int db_personal_each_pool(struct db *db, int (*fn)(void *arg, const char *pool_id, int mb), void *arg, struct pst_err *err)
{
	char id[DB_ID_SIZE];
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT id, personal_mb FROM pools WHERE personal_mb > 0", err);
	while (!stop && db_query_step(&q)) {
		db_col_text(&q, id, sizeof(id));
		stop = fn(arg, id, (int)db_col_int(&q));
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_personal_use(struct db *db, const struct db_personal *row, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO personal_disks (user_id, pool_id, provider_id, user_name, pool_name, size_mb, clean, created, used)"
	               " VALUES (?1, ?2, ?3, ?4, coalesce((SELECT name FROM pools WHERE id = ?2), ''), 0, 0, ?5, ?5)"
	               " ON CONFLICT (user_id, pool_id) DO UPDATE SET provider_id = excluded.provider_id, user_name = excluded.user_name,"
	               " pool_name = excluded.pool_name, clean = 0, used = excluded.used",
	               err);
	db_bind_text(&q, row->user_id);
	db_bind_text(&q, row->pool_id);
	db_bind_text(&q, row->provider_id);
	db_bind_text(&q, row->user_name);
	db_bind_int(&q, now);
	return db_query_run(&q);
}

int db_personal_put_away(struct db *db, const char *user_id, const char *pool_id, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE personal_disks SET clean = 1, used = ? WHERE user_id = ? AND pool_id = ?", err);
	db_bind_int(&q, now);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	return db_query_run(&q);
}

int db_personal_get(struct db *db, const char *user_id, const char *pool_id, struct db_personal *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, SELECT "WHERE p.user_id = ? AND p.pool_id = ?", err);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	bool found = db_query_step(&q);
	if (found)
		personal_read(&q, ret);
	return db_query_end_one(&q, found, "personal disk", user_id);
}

int db_personal_list(struct db *db, const char *user_id, const char *pool_id, int64_t offset, int limit,
                     void (*fn)(const struct db_personal *row, void *arg), void *arg, struct pst_err *err)
{
	struct db_personal row;
	struct db_query q;

	db_query_begin(&q, db,
	               SELECT "WHERE (?1 = '' OR p.user_id = ?1) AND (?2 = '' OR p.pool_id = ?2) ORDER BY 4, 5, 1 LIMIT ?3 OFFSET ?4", err);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	db_bind_int(&q, limit);
	db_bind_int(&q, offset);
	while (db_query_step(&q)) {
		personal_read(&q, &row);
		fn(&row, arg);
	}
	return db_query_end(&q);
}

int db_personal_elsewhere(struct db *db, const char *pool_id, const char *provider_id, int64_t *ret_n, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT count(*) FROM personal_disks WHERE pool_id = ? AND provider_id <> ?", err);
	db_bind_text(&q, pool_id);
	db_bind_text(&q, provider_id);
	bool found = db_query_step(&q);
	if (found)
		*ret_n = db_col_int(&q);
	return db_query_end_one(&q, found, "pool", pool_id);
}

int db_personal_grow(struct db *db, const char *user_id, const char *pool_id, int64_t size_mb, struct pst_err *err)
{
	struct db_personal row;
	struct db_query q;
	int rc = db_personal_get(db, user_id, pool_id, &row, err);

	if (rc < 0)
		return rc;
	if (size_mb < row.size_mb)
		return pst_err_set(err, PST_EINVAL, "a disk of %lld MB cannot become one of %lld MB", (long long)row.size_mb, (long long)size_mb);
	db_query_begin(&q, db, "UPDATE personal_disks SET size_mb = ? WHERE user_id = ? AND pool_id = ?", err);
	db_bind_int(&q, size_mb);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	return db_query_run(&q);
}

int db_personal_remove(struct db *db, const char *user_id, const char *pool_id, int keep_days, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE personal_disks SET removing = 1, keep_days = ?, error = '' WHERE user_id = ? AND (?3 = '' OR pool_id = ?3)", err);
	db_bind_int(&q, keep_days);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	return db_query_run(&q);
}

int db_personal_next_removal(struct db *db, int64_t offset, struct db_personal *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, SELECT "WHERE p.removing = 1 AND d.id IS NULL ORDER BY p.user_id, p.pool_id LIMIT 1 OFFSET ?", err);
	db_bind_int(&q, offset);
	bool found = db_query_step(&q);
	if (found)
		personal_read(&q, ret);
	return db_query_end_one(&q, found, "removal of a personal disk", "");
}

int db_personal_removal_failed(struct db *db, const char *user_id, const char *pool_id, const char *error, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE personal_disks SET error = ? WHERE user_id = ? AND pool_id = ? AND removing = 1", err);
	db_bind_text(&q, error);
	db_bind_text(&q, user_id);
	db_bind_text(&q, pool_id);
	return db_query_run(&q);
}

int db_personal_gone(struct db *db, const char *user_id, const char *pool_id, struct pst_err *err)
{
	/* Its user may have come between question and answer: the disk that is with a desktop now is a new one. */
	int rc = key_run(db, "DELETE FROM personal_disks WHERE user_id = ?1 AND pool_id = ?2 AND removing = 1 AND NOT EXISTS (SELECT 1 FROM desktops"
		" WHERE personal_owner = ?1 AND desktops.pool_id = ?2 AND personal_held = 1 AND lifecycle <> 'deleted')", user_id, pool_id, err);

	return rc < 0 ? rc : key_run(db, "UPDATE personal_disks SET removing = 0, error = '' WHERE user_id = ? AND pool_id = ? AND removing = 1",
		user_id, pool_id, err);
}

int db_personal_restored(struct db *db, const struct db_personal *row, int64_t now, struct pst_err *err)
{
	struct db_query q;

	/* Its user may be faster than the answer: then the row is the one of this disk. */
	db_query_begin(&q, db,
	               "INSERT INTO personal_disks (user_id, pool_id, provider_id, user_name, pool_name, size_mb, clean, created, used)"
	               " VALUES (?1, ?2, ?3, ?4, coalesce((SELECT name FROM pools WHERE id = ?2), ''), 0, 1, ?5, ?5) ON CONFLICT (user_id, pool_id) DO NOTHING",
	               err);
	db_bind_text(&q, row->user_id);
	db_bind_text(&q, row->pool_id);
	db_bind_text(&q, row->provider_id);
	db_bind_text(&q, row->user_name);
	db_bind_int(&q, now);
	return db_query_run(&q);
}
