/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users: typed queries. */
#include "db/user.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define COLUMNS \
	"id, name, display_name, role, enabled, password_hash, locale, failures, " \
	"last_login, last_remote, rev, created, updated"

static void read_row(struct db_query *q, struct user_row *u)
{
	memset(u, 0, sizeof(*u));
	db_col_text(q, u->id, sizeof(u->id));
	db_col_text(q, u->name, sizeof(u->name));
	db_col_text(q, u->display_name, sizeof(u->display_name));
	u->is_admin = strcmp(db_col_str(q), "admin") == 0;
	u->enabled = db_col_bool(q);
	db_col_text(q, u->password_hash, sizeof(u->password_hash));
	db_col_text(q, u->locale, sizeof(u->locale));
	u->failures = (int)db_col_int(q);
	u->last_login = db_col_int(q);
	db_col_text(q, u->last_remote, sizeof(u->last_remote));
	u->rev = db_col_int(q);
	u->created = db_col_int(q);
	u->updated = db_col_int(q);
}

static int read_one(struct db_query *q, struct user_row *ret, const char *name)
{
	bool found = db_query_step(q);

	if (found)
		read_row(q, ret);
	return db_query_end_one(q, found, "user", name);
}

int db_user_get(struct db *db, const char *id_or_name, struct user_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM users WHERE id = ?1 OR name = ?1 "
		"ORDER BY id = ?1 DESC LIMIT 1", err);
	db_bind_text(&q, id_or_name);
	return read_one(&q, ret, id_or_name);
}

int db_user_by_name(struct db *db, const char *name, struct user_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM users WHERE name = ?", err);
	db_bind_text(&q, name);
	return read_one(&q, ret, name);
}

int db_user_insert(struct db *db, const struct user_row *u, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO users (id, name, display_name, role, enabled, password_hash, "
		"locale, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_text(&q, u->id);
	db_bind_text(&q, u->name);
	db_bind_text(&q, u->display_name);
	db_bind_text(&q, u->is_admin ? "admin" : "user");
	db_bind_int(&q, u->enabled);
	db_bind_text_or_null(&q, u->password_hash);
	db_bind_text(&q, u->locale);
	db_bind_int(&q, u->created);
	db_bind_int(&q, u->updated);
	return db_query_run(&q);
}

int db_user_update(struct db *db, const struct user_row *u, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE users SET name = ?, display_name = ?, role = ?, locale = ?, "
		"enabled = ?, updated = ?, rev = rev + 1 WHERE id = ?", err);
	db_bind_text(&q, u->name);
	db_bind_text(&q, u->display_name);
	db_bind_text(&q, u->is_admin ? "admin" : "user");
	db_bind_text(&q, u->locale);
	db_bind_int(&q, u->enabled);
	db_bind_int(&q, u->updated);
	db_bind_text(&q, u->id);
	return db_query_run_one(&q);
}

int db_user_set_password(struct db *db, const char *id, const char *hash, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE users SET password_hash = ?, failures = 0, "
		"updated = ?, rev = rev + 1 WHERE id = ?", err);
	db_bind_text_or_null(&q, hash);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_user_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM users WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_user_login_ok(struct db *db, const char *id, const char *remote, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE users SET failures = 0, last_login = ?, "
		"last_remote = ? WHERE id = ?", err);
	db_bind_int(&q, now);
	db_bind_text(&q, remote);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_user_login_failed(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE users SET failures = failures + 1 WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_user_list(struct db *db, const char *after, const char *part, int limit, db_user_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct user_row u;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM users WHERE name > ? AND "
		"instr(lower(name || char(10) || display_name), lower(?)) > 0 ORDER BY name LIMIT ?", err);
	db_bind_text(&q, after);
	db_bind_text(&q, part);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &u);
		visit(&u, arg);
	}
	return db_query_end(&q);
}

static int read_count(struct db_query *q, int64_t *ret)
{
	int64_t n = db_query_step(q) ? db_col_int(q) : 0;
	int rc = db_query_end(q);

	if (rc == 0)
		*ret = n;
	return rc;
}

int db_user_count(struct db *db, int64_t *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT count(*) FROM users", err);
	return read_count(&q, ret);
}

int db_user_other_admins(struct db *db, const char *id, int64_t *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT count(*) FROM users WHERE role = 'admin' AND enabled = 1 AND id <> ? AND "
		"(password_hash IS NOT NULL OR id IN (SELECT user_id FROM api_tokens))", err);
	db_bind_text(&q, id);
	return read_count(&q, ret);
}
