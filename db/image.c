/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of images and of their versions.
 */
#include "db/image.h"

#include "base/err.h"

#define COLUMNS "id, name, display_name, description, os, published, rev, created, updated"
#define VERSION_COLUMNS "id, image_id, version, base, path, state, notes, created, updated"

static void image_read(struct db_query *q, struct db_image *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->name, sizeof(row->name));
	db_col_text(q, row->display_name, sizeof(row->display_name));
	db_col_text(q, row->description, sizeof(row->description));
	db_col_text(q, row->os, sizeof(row->os));
	db_col_text(q, row->published, sizeof(row->published));
	row->rev = db_col_int(q);
	row->created = db_col_int(q);
	row->updated = db_col_int(q);
}

static void version_read(struct db_query *q, struct db_image_version *row)
{
	db_col_text(q, row->id, sizeof(row->id));
	db_col_text(q, row->image_id, sizeof(row->image_id));
	db_col_text(q, row->version, sizeof(row->version));
	db_col_text(q, row->base, sizeof(row->base));
	db_col_text(q, row->path, sizeof(row->path));
	db_col_text(q, row->state, sizeof(row->state));
	db_col_text(q, row->notes, sizeof(row->notes));
	row->created = db_col_int(q);
	row->updated = db_col_int(q);
}

int db_image_insert(struct db *db, const struct db_image *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO images (id, name, display_name, description, os, published, created, updated)"
	               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	               err);
	db_bind_text(&q, row->id);
	db_bind_text(&q, row->name);
	db_bind_text(&q, row->display_name);
	db_bind_text(&q, row->description);
	db_bind_text(&q, row->os[0] ? row->os : "linux");
	db_bind_text_or_null(&q, row->published);
	db_bind_int(&q, row->created);
	db_bind_int(&q, row->updated);
	return db_query_run(&q);
}

int db_image_update(struct db *db, const struct db_image *row, int64_t rev, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE images SET name = ?1, display_name = ?2, description = ?3, os = ?4, updated = ?5,"
	               " rev = rev + 1 WHERE id = ?6 AND (?7 = 0 OR rev = ?7)",
	               err);
	db_bind_text(&q, row->name);
	db_bind_text(&q, row->display_name);
	db_bind_text(&q, row->description);
	db_bind_text(&q, row->os);
	db_bind_int(&q, row->updated);
	db_bind_text(&q, row->id);
	db_bind_int(&q, rev);
	return db_query_run_one(&q);
}

int db_image_publish(struct db *db, const char *id, const char *version, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE images SET published = ?1, updated = ?2, rev = rev + 1 WHERE id = ?3 AND EXISTS"
	               " (SELECT 1 FROM image_versions WHERE image_id = ?3 AND version = ?1 AND state = 'ready')",
	               err);
	db_bind_text(&q, version);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_image_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM images WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

static int image_one(struct db_query *q, struct db_image *ret)
{
	bool found = db_query_step(q);
	int rc;

	if (found)
		image_read(q, ret);
	rc = db_query_end(q);
	if (rc == 0 && !found)
		rc = pst_err_set(q->err, PST_ENOTFOUND, "there is no such image");
	return rc;
}

int db_image_get(struct db *db, const char *id, struct db_image *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM images WHERE id = ?", err);
	db_bind_text(&q, id);
	return image_one(&q, ret);
}

int db_image_by_name(struct db *db, const char *name, struct db_image *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM images WHERE name = ?", err);
	db_bind_text(&q, name);
	return image_one(&q, ret);
}

int db_image_each(struct db *db, int (*fn)(void *arg, const struct db_image *row), void *arg, struct pst_err *err)
{
	struct db_image row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM images ORDER BY name", err);
	while (!stop && db_query_step(&q)) {
		image_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_image_version_insert(struct db *db, const struct db_image_version *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO image_versions (" VERSION_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, row->id);
	db_bind_text(&q, row->image_id);
	db_bind_text(&q, row->version);
	db_bind_text(&q, row->base[0] ? row->base : "host");
	db_bind_text(&q, row->path);
	db_bind_text(&q, row->state[0] ? row->state : "ready");
	db_bind_text(&q, row->notes);
	db_bind_int(&q, row->created);
	db_bind_int(&q, row->updated);
	return db_query_run(&q);
}

int db_image_version_get(struct db *db, const char *image_id, const char *version, struct db_image_version *ret,
                         struct pst_err *err)
{
	struct db_query q;
	bool found;
	int rc;

	db_query_begin(&q, db, "SELECT " VERSION_COLUMNS " FROM image_versions WHERE image_id = ? AND version = ?", err);
	db_bind_text(&q, image_id);
	db_bind_text(&q, version);
	found = db_query_step(&q);
	if (found)
		version_read(&q, ret);
	rc = db_query_end(&q);
	if (rc == 0 && !found)
		rc = pst_err_set(err, PST_ENOTFOUND, "the image has no version %s", version);
	return rc;
}

int db_image_version_each(struct db *db, const char *image_id,
                          int (*fn)(void *arg, const struct db_image_version *row), void *arg, struct pst_err *err)
{
	struct db_image_version row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db,
	               "SELECT " VERSION_COLUMNS " FROM image_versions WHERE image_id = ? ORDER BY created DESC, version DESC",
	               err);
	db_bind_text(&q, image_id);
	while (!stop && db_query_step(&q)) {
		version_read(&q, &row);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
