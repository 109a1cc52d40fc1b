/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images and their versions: typed queries. */
#include "db/image.h"

#include "base/err.h"
#include "db/db.h"
#include "db/users.h"

#include <string.h>

#define TEXT(row, field) db_col_text(q, (row)->field, sizeof((row)->field))

/* --- images ------------------------------------------------------------------- */

#define IMAGE "id, name, display_name, description, os, published, rev, created, updated "

static void read_image(struct db_query *q, struct image_row *i)
{
	memset(i, 0, sizeof(*i));
	TEXT(i, id);
	TEXT(i, name);
	TEXT(i, display_name);
	TEXT(i, description);
	TEXT(i, os);
	TEXT(i, published);
	i->rev = db_col_int(q);
	i->created = db_col_int(q);
	i->updated = db_col_int(q);
}

int db_image_get(struct db *db, const char *id_or_name, struct image_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " IMAGE "FROM images WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1",
		err);
	db_bind_text(&q, id_or_name);
	bool found = db_query_step(&q);
	if (found)
		read_image(&q, ret);
	return db_query_end_one(&q, found, "image", id_or_name);
}

static void bind_image(struct db_query *q, const struct image_row *i)
{
	db_bind_text(q, i->name);
	db_bind_text(q, i->display_name);
	db_bind_text(q, i->description);
	db_bind_text(q, i->os[0] ? i->os : "linux");
	db_bind_text_or_null(q, i->published);
	db_bind_int(q, i->updated);
	db_bind_text(q, i->id);
}

int db_image_insert(struct db *db, const struct image_row *i, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO images (name, display_name, description, os, published, updated, id, created) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?)", err);
	bind_image(&q, i);
	db_bind_int(&q, i->created);
	return db_query_run(&q);
}

int db_image_update(struct db *db, const struct image_row *i, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE images SET name = ?, display_name = ?, description = ?, os = ?, published = ?, "
		"updated = ?, rev = rev + 1 WHERE id = ?", err);
	bind_image(&q, i);
	return db_query_run_one(&q);
}

int db_image_set_published(struct db *db, const char *id, const char *version, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE images SET published = ?, updated = ?, rev = rev + 1 WHERE id = ?", err);
	db_bind_text_or_null(&q, version);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_image_list(struct db *db, const char *after, const char *part, int limit, db_image_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct image_row i;

	db_query_begin(&q, db, "SELECT " IMAGE "FROM images WHERE name > ? AND "
		"instr(lower(name || char(10) || display_name), lower(?)) > 0 ORDER BY name LIMIT ?", err);
	db_bind_text(&q, after);
	db_bind_text(&q, part);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_image(&q, &i);
		visit(&i, arg);
	}
	return db_query_end(&q);
}

int db_image_each(struct db *db, int (*fn)(void *arg, const struct image_row *i), void *arg, struct pst_err *err)
{
	struct db_query q;
	struct image_row i;
	int stop = 0;

	db_query_begin(&q, db, "SELECT " IMAGE "FROM images ORDER BY name", err);
	while (!stop && db_query_step(&q)) {
		read_image(&q, &i);
		stop = fn(arg, &i);
	}
	int rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_image_users(struct db *db, const char *id, struct db_users *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, DB_USERS_SQL("image_id"), err);
	db_bind_text(&q, id);
	return db_users_read(&q, ret);
}

int db_image_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM images WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

/* --- versions ----------------------------------------------------------------- */

#define VERSION_COLUMNS "id, image_id, version, base, path, state, notes, created, updated, verified "

static void read_version(struct db_query *q, struct version_row *v)
{
	memset(v, 0, sizeof(*v));
	TEXT(v, id);
	TEXT(v, image_id);
	TEXT(v, version);
	TEXT(v, base);
	TEXT(v, path);
	TEXT(v, state);
	TEXT(v, notes);
	v->created = db_col_int(q);
	v->updated = db_col_int(q);
	v->verified = db_col_int(q);
}

int db_version_insert(struct db *db, const struct version_row *v, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO image_versions (id, image_id, version, base, path, state, notes, created, "
		"updated, verified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, v->id);
	db_bind_text(&q, v->image_id);
	db_bind_text(&q, v->version);
	db_bind_text(&q, v->base[0] ? v->base : "host");
	db_bind_text(&q, v->path);
	db_bind_text(&q, v->state[0] ? v->state : "ready");
	db_bind_text(&q, v->notes);
	db_bind_int(&q, v->created);
	db_bind_int(&q, v->updated);
	db_bind_int(&q, v->verified);
	return db_query_run(&q);
}

int db_version_list(struct db *db, const char *image_id, int limit, db_version_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct version_row v;

	db_query_begin(&q, db, "SELECT " VERSION_COLUMNS "FROM image_versions WHERE image_id = ? ORDER BY created DESC, version "
		"LIMIT ?", err);
	db_bind_text(&q, image_id);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_version(&q, &v);
		visit(&v, arg);
	}
	return db_query_end(&q);
}

int db_version_get(struct db *db, const char *image_id, const char *version, struct version_row *ret,
	struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " VERSION_COLUMNS "FROM image_versions WHERE image_id = ? AND version = ?", err);
	db_bind_text(&q, image_id);
	db_bind_text(&q, version);
	bool found = db_query_step(&q);
	if (found)
		read_version(&q, ret);
	return db_query_end_one(&q, found, "image version", version);
}

int db_version_set_state(struct db *db, const char *image_id, const char *version, const char *state, int64_t verified, int64_t now,
	struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE image_versions SET state = ?3, verified = iif(?4, ?4, verified), updated = ?5 "
		"WHERE image_id = ?1 AND version = ?2", err);
	db_bind_text(&q, image_id);
	db_bind_text(&q, version);
	db_bind_text(&q, state);
	db_bind_int(&q, verified);
	db_bind_int(&q, now);
	return db_query_run_one(&q);
}

int db_version_users(struct db *db, const char *image_id, const char *version, struct db_users *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, DB_USERS_SQL("image_version = ?2 AND image_id"), err);
	db_bind_text(&q, image_id);
	db_bind_text(&q, version);
	return db_users_read(&q, ret);
}

int db_version_delete(struct db *db, const char *image_id, const char *version, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM image_versions WHERE image_id = ? AND version = ?", err);
	db_bind_text(&q, image_id);
	db_bind_text(&q, version);
	return db_query_run_one(&q);
}
