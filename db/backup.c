/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back-ups: typed queries. */
#include "db/backup.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define TEXT(row, field) db_col_text(q, (row)->field, sizeof((row)->field))

#define COLUMNS \
	"id, file, parent, desktop_id, desktop, pool_id, pool, user_id, user, provider_id, provider, image_id, image, version, epoch, datastore, kind, " \
	"reason, state, by_hand, bytes, disk_size, made, job_id, job_kind, job_state, job_by, error_code, error, created, updated "

static void names_read(struct db_query *q, struct backup_row *b)
{
	TEXT(b, desktop_id);
	TEXT(b, desktop);
	TEXT(b, pool_id);
	TEXT(b, pool);
	TEXT(b, user_id);
	TEXT(b, user);
	TEXT(b, provider_id);
	TEXT(b, provider);
	TEXT(b, image_id);
	TEXT(b, image);
	TEXT(b, version);
	b->epoch = db_col_int(q);
}

static void row_read(struct db_query *q, struct backup_row *b)
{
	memset(b, 0, sizeof(*b));
	TEXT(b, id);
	TEXT(b, file);
	TEXT(b, parent);
	names_read(q, b);
	TEXT(b, datastore);
	TEXT(b, kind);
	TEXT(b, reason);
	TEXT(b, state);
	b->by_hand = db_col_bool(q);
	b->bytes = db_col_int(q);
	b->disk_size = db_col_int(q);
	b->made = db_col_int(q);
	TEXT(b, job_id);
	TEXT(b, job_kind);
	TEXT(b, job_state);
	TEXT(b, job_by);
	TEXT(b, error_code);
	TEXT(b, error);
	b->created = db_col_int(q);
	b->updated = db_col_int(q);
}

static void names_bind(struct db_query *q, const struct backup_row *b)
{
	db_bind_text(q, b->desktop_id);
	db_bind_text(q, b->desktop);
	db_bind_text(q, b->pool_id);
	db_bind_text(q, b->pool);
	db_bind_text(q, b->user_id);
	db_bind_text(q, b->user);
	db_bind_text(q, b->provider_id);
	db_bind_text(q, b->provider);
	db_bind_text(q, b->image_id);
	db_bind_text(q, b->image);
	db_bind_text(q, b->version);
	db_bind_int(q, b->epoch);
}

int db_backup_put(struct db *db, const struct backup_row *b, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT OR REPLACE INTO backups (" COLUMNS ") VALUES "
		"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, b->id);
	db_bind_text(&q, b->file);
	db_bind_text(&q, b->parent);
	names_bind(&q, b);
	db_bind_text(&q, b->datastore);
	db_bind_text(&q, b->kind);
	db_bind_text(&q, b->reason);
	db_bind_text(&q, b->state);
	db_bind_int(&q, b->by_hand);
	db_bind_int(&q, b->bytes);
	db_bind_int(&q, b->disk_size);
	if (b->made)
		db_bind_int(&q, b->made);
	else
		db_bind_null(&q);
	db_bind_text(&q, b->job_id);
	db_bind_text(&q, b->job_kind);
	db_bind_text(&q, b->job_state);
	db_bind_text(&q, b->job_by);
	db_bind_text(&q, b->error_code);
	db_bind_text(&q, b->error);
	db_bind_int(&q, b->created);
	db_bind_int(&q, b->updated);
	return db_query_run(&q);
}

int db_backup_get(struct db *db, const char *id, struct backup_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM backups WHERE id = ?", err);
	db_bind_text(&q, id);
	bool found = db_query_step(&q);
	if (found)
		row_read(&q, ret);
	return db_query_end_one(&q, found, "back-up", id);
}

int db_backup_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM backups WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_backup_delete_file(struct db *db, const char *desktop_id, const char *file, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM backups WHERE desktop_id = ? AND file = ?", err);
	db_bind_text(&q, desktop_id);
	db_bind_text(&q, file);
	return db_query_run(&q);
}

int db_backup_delete_failed(struct db *db, const char *desktop_id, const char *but_id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM backups WHERE desktop_id = ? AND state = 'failed' AND id <> ?", err);
	db_bind_text(&q, desktop_id);
	db_bind_text(&q, but_id);
	return db_query_run(&q);
}

static int rows_visit(struct db_query *q, db_backup_visit visit, void *arg)
{
	struct backup_row b;

	while (db_query_step(q)) {
		row_read(q, &b);
		visit(&b, arg);
	}
	return db_query_end(q);
}

int db_backup_list(struct db *db, const char *desktop_id, const char *part, int limit, db_backup_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM backups WHERE (?1 = '' OR desktop_id = ?1) AND (?2 = '' OR instr(desktop, ?2) > 0 OR "
		"instr(user, ?2) > 0) ORDER BY created DESC, id LIMIT ?3", err);
	db_bind_text(&q, desktop_id);
	db_bind_text(&q, part);
	db_bind_int(&q, limit);
	return rows_visit(&q, visit, arg);
}

int db_backup_running(struct db *db, db_backup_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM backups WHERE job_state = 'running' ORDER BY updated, id", err);
	return rows_visit(&q, visit, arg);
}

int db_backup_of_version(struct db *db, const char *image_id, const char *version, int *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT count(*) FROM backups WHERE image_id = ? AND version = ? AND state = 'ready'", err);
	db_bind_text(&q, image_id);
	db_bind_text(&q, version);
	*ret = db_query_step(&q) ? (int)db_col_int(&q) : 0;
	return db_query_end(&q);
}

int db_backup_busy(struct db *db, const char *desktop_id, int *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT count(*) FROM backups WHERE desktop_id = ? AND job_state = 'running'", err);
	db_bind_text(&q, desktop_id);
	*ret = db_query_step(&q) ? (int)db_col_int(&q) : 0;
	return db_query_end(&q);
}

int db_backup_failures(struct db *db, db_backup_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM backups b WHERE state = 'failed' AND NOT EXISTS (SELECT 1 FROM backups n "
		"WHERE n.desktop_id = b.desktop_id AND n.state = 'ready' AND n.created > b.created) AND EXISTS (SELECT 1 FROM desktops d "
		"WHERE d.id = b.desktop_id AND d.lifecycle <> 'deleted') ORDER BY desktop LIMIT 100", err);
	return rows_visit(&q, visit, arg);
}

/* --- wishes ----------------------------------------------------------------------------- */

int db_backup_wish_get(struct db *db, const char *pool_id, struct backup_wish *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT backup_every_h, backup_full_every_d, backup_keep_d, backup_chain FROM pools WHERE id = ?", err);
	db_bind_text(&q, pool_id);
	bool found = db_query_step(&q);
	if (found) {
		ret->every_h = (int)db_col_int(&q);
		ret->full_every_d = (int)db_col_int(&q);
		ret->keep_d = (int)db_col_int(&q);
		ret->chain = (int)db_col_int(&q);
	}
	return db_query_end_one(&q, found, "pool", pool_id);
}

int db_backup_wish_set(struct db *db, const char *pool_id, const struct backup_wish *w, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET backup_every_h = ?, backup_full_every_d = ?, backup_keep_d = ?, backup_chain = ? WHERE id = ?", err);
	db_bind_int(&q, w->every_h);
	db_bind_int(&q, w->full_every_d);
	db_bind_int(&q, w->keep_d);
	db_bind_int(&q, w->chain);
	db_bind_text(&q, pool_id);
	return db_query_run_one(&q);
}

int db_backup_due(struct db *db, int64_t now, int limit, void (*visit)(const char *desktop_id, void *arg), void *arg, struct pst_err *err)
{
	struct db_query q;
	char id[DB_ID_SIZE];

	/* What gave way to a command, or met an offline datastore, is tried again soon; the rest in an hour. */
	db_query_begin(&q, db, "SELECT d.id FROM desktops d JOIN pools p ON p.id = d.pool_id JOIN assignments a ON a.desktop_id = d.id AND a.state = 'live' "
		"WHERE p.backup_every_h > 0 AND p.kind = 'dedicated' AND p.deleting = 0 AND p.maintenance = 0 AND d.lifecycle = 'live' AND d.hygiene = 'dirty' AND NOT EXISTS "
		"(SELECT 1 FROM backups b WHERE b.desktop_id = d.id AND (b.job_state = 'running' OR "
		"b.state = 'ready' AND b.made > ?1 - p.backup_every_h * 3600000 OR "
		"b.state = 'failed' AND b.updated > ?1 - iif(b.error_code IN ('busy', 'timeout', 'closed'), 600000, 3600000))) "
		"ORDER BY (SELECT max(b.made) FROM backups b WHERE b.desktop_id = d.id AND b.state = 'ready') LIMIT ?2", err);
	db_bind_int(&q, now);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		db_col_text(&q, id, sizeof(id));
		visit(id, arg);
	}
	return db_query_end(&q);
}

int db_backup_of_desktop(struct db *db, const char *desktop_id, struct backup_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT d.id, d.name, d.pool_id, p.name, a.user_id, a.user_name, d.provider_id, v.name, d.image_id, i.name, d.image_version, "
		"d.epoch FROM desktops d JOIN pools p ON p.id = d.pool_id JOIN providers v ON v.id = d.provider_id JOIN images i ON i.id = d.image_id "
		"LEFT JOIN assignments a ON a.desktop_id = d.id AND a.state = 'live' WHERE d.id = ? AND d.lifecycle = 'live'", err);
	db_bind_text(&q, desktop_id);
	bool found = db_query_step(&q);
	if (found) {
		memset(ret, 0, sizeof(*ret));
		names_read(&q, ret);
	}
	return db_query_end_one(&q, found, "desktop that can be backed up", desktop_id);
}
