/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work on versions and their files: typed queries. */
#include "db/image_job.h"

#include "base/err.h"
#include "base/text.h"
#include "db/db.h"
#include "db/image.h"

#include <string.h>

#define TEXT(row, field) db_col_text(q, (row)->field, sizeof((row)->field))

/* --- jobs ------------------------------------------------------------------------- */

#define JOBS \
	"SELECT j.id, j.version_id, j.kind, j.datastore, j.source, j.format, j.base, j.state, j.error_code, j.error, j.created, j.updated, " \
	"v.image_id, i.name, v.version FROM image_jobs j JOIN image_versions v ON v.id = j.version_id JOIN images i ON i.id = v.image_id "

static void read_job(struct db_query *q, struct image_job_row *j)
{
	memset(j, 0, sizeof(*j));
	TEXT(j, id);
	TEXT(j, version_id);
	TEXT(j, kind);
	TEXT(j, datastore);
	TEXT(j, source);
	TEXT(j, format);
	TEXT(j, base);
	TEXT(j, state);
	TEXT(j, error_code);
	TEXT(j, error);
	j->created = db_col_int(q);
	j->updated = db_col_int(q);
	TEXT(j, image_id);
	TEXT(j, image);
	TEXT(j, version);
}

int db_image_job_put(struct db *db, const struct image_job_row *j, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT OR REPLACE INTO image_jobs (id, version_id, kind, datastore, source, format, base, created, updated) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, j->id);
	db_bind_text(&q, j->version_id);
	db_bind_text(&q, j->kind);
	db_bind_text(&q, j->datastore);
	db_bind_text(&q, j->source);
	db_bind_text(&q, j->format);
	db_bind_text(&q, j->base);
	db_bind_int(&q, j->created);
	db_bind_int(&q, j->updated);
	return db_query_run(&q);
}

static int one_job(struct db_query *q, const char *key, struct image_job_row *ret)
{
	db_bind_text(q, key);
	bool found = db_query_step(q);
	if (found)
		read_job(q, ret);
	return db_query_end_one(q, found, "job", key);
}

int db_image_job_get(struct db *db, const char *id, struct image_job_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, JOBS "WHERE j.id = ?", err);
	return one_job(&q, id, ret);
}

int db_image_job_of(struct db *db, const char *version_id, struct image_job_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, JOBS "WHERE j.version_id = ?", err);
	return one_job(&q, version_id, ret);
}

int db_image_job_end(struct db *db, const struct image_job_row *j, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE image_jobs SET state = ?, error_code = ?, error = ?, updated = ? WHERE id = ?", err);
	db_bind_text(&q, j->state);
	db_bind_text(&q, j->error_code);
	db_bind_text(&q, j->error);
	db_bind_int(&q, j->updated);
	db_bind_text(&q, j->id);
	return db_query_run_one(&q);
}

int db_image_job_each(struct db *db, db_image_job_visit visit, void *arg, struct pst_err *err)
{
	struct image_job_row row;
	struct db_query q;

	db_query_begin(&q, db, JOBS "WHERE j.state = 'running' ORDER BY j.created, j.id", err);
	while (db_query_step(&q)) {
		read_job(&q, &row);
		visit(&row, arg);
	}
	return db_query_end(&q);
}

/* --- files ------------------------------------------------------------------------ */

int db_version_files_put(struct db *db, const struct version_files_row *f, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT OR REPLACE INTO version_files (version_id, datastore, size, file_size, sha256) VALUES (?, ?, ?, ?, ?)", err);
	db_bind_text(&q, f->version_id);
	db_bind_text(&q, f->datastore);
	db_bind_int(&q, f->size);
	db_bind_int(&q, f->file_size);
	db_bind_text(&q, f->sha256);
	return db_query_run(&q);
}

int db_version_files_get(struct db *db, const char *version_id, struct version_files_row *ret, struct pst_err *err)
{
	struct db_query query, *q = &query;

	db_query_begin(q, db, "SELECT version_id, datastore, size, file_size, sha256 FROM version_files WHERE version_id = ?", err);
	db_bind_text(q, version_id);
	bool found = db_query_step(q);
	if (found) {
		TEXT(ret, version_id);
		TEXT(ret, datastore);
		ret->size = db_col_int(q);
		ret->file_size = db_col_int(q);
		TEXT(ret, sha256);
	}
	return db_query_end_one(q, found, "files of version", version_id);
}

int db_version_copy_put(struct db *db, const char *version_id, const char *datastore, int64_t now_ms, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT OR IGNORE INTO version_copies (version_id, datastore, created) VALUES (?, ?, ?)", err);
	db_bind_text(&q, version_id);
	db_bind_text(&q, datastore);
	db_bind_int(&q, now_ms);
	return db_query_run(&q);
}

int db_version_copy_remove(struct db *db, const char *version_id, const char *datastore, bool *ret_was, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM version_copies WHERE version_id = ? AND datastore = ? RETURNING 1", err);
	db_bind_text(&q, version_id);
	db_bind_text(&q, datastore);
	*ret_was = db_query_step(&q);
	return db_query_end(&q);
}

int db_version_copy_each(struct db *db, const char *version_id, db_version_copy_visit visit, void *arg, struct pst_err *err)
{
	char datastore[DB_WORD_SIZE];
	struct db_query q;

	db_query_begin(&q, db, "SELECT datastore FROM version_copies WHERE version_id = ? ORDER BY datastore", err);
	db_bind_text(&q, version_id);
	while (db_query_step(&q)) {
		db_col_text(&q, datastore, sizeof(datastore));
		visit(datastore, arg);
	}
	return db_query_end(&q);
}

/* The one column of the one row. */
static int words_read(struct db_query *q, char *ret, size_t size)
{
	ret[0] = '\0';
	if (db_query_step(q))
		pst_strlcpy(ret, size, db_col_str(q));
	return db_query_end(q);
}

int db_version_files_of_image(struct db *db, const char *image_id, char *ret, size_t size, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT group_concat(version, ', ') FROM (SELECT v.version FROM image_versions v WHERE v.image_id = ? AND "
		"(EXISTS (SELECT 1 FROM version_files f WHERE f.version_id = v.id) OR "
		"EXISTS (SELECT 1 FROM image_jobs j WHERE j.version_id = v.id AND j.state = 'running')) ORDER BY v.created LIMIT 5)", err);
	db_bind_text(&q, image_id);
	return words_read(&q, ret, size);
}

/* --- versions ----------------------------------------------------------------------- */

int db_version_update(struct db *db, const struct version_row *v, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE image_versions SET base = ?, path = ?, state = ?, updated = ? WHERE id = ?", err);
	db_bind_text(&q, v->base);
	db_bind_text(&q, v->path);
	db_bind_text(&q, v->state);
	db_bind_int(&q, v->updated);
	db_bind_text(&q, v->id);
	return db_query_run_one(&q);
}

#define NEEDS \
	"SELECT 'image ' || i.name AS name FROM images i WHERE i.id = v.image_id AND i.published = v.version " \
	"UNION ALL SELECT 'pool ' || p.name FROM pools p WHERE p.image_id = v.image_id AND p.image_version = v.version " \
	"UNION ALL SELECT 'desktop ' || d.name FROM desktops d WHERE d.image_id = v.image_id AND d.image_version = v.version " \
	"AND d.lifecycle <> 'deleted' " \
	"UNION ALL SELECT 'back-up of ' || b.desktop FROM backups b WHERE b.image_id = v.image_id AND b.version = v.version AND b.state = 'ready' "

int db_version_removable(struct db *db, int64_t tried_before, struct version_row *ret, struct pst_err *err)
{
	struct db_query query, *q = &query;

	db_query_begin(q, db, "SELECT v.id, v.image_id, v.version FROM image_versions v JOIN version_files f ON f.version_id = v.id "
		"LEFT JOIN image_jobs j ON j.version_id = v.id WHERE v.state = 'retired' AND "
		"(j.id IS NULL OR j.kind <> 'remove' AND j.state <> 'running' OR j.state = 'done' OR j.state = 'failed' AND j.updated < ?) AND NOT EXISTS (" NEEDS
		") ORDER BY v.updated LIMIT 1", err);
	db_bind_int(q, tried_before);
	bool found = db_query_step(q);
	if (found) {
		memset(ret, 0, sizeof(*ret));
		TEXT(ret, id);
		TEXT(ret, image_id);
		TEXT(ret, version);
	}
	return db_query_end_one(q, found, "version", "to remove");
}
