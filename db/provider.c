/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Providers: typed queries. */
#include "db/provider.h"

#include "base/err.h"
#include "db/db.h"
#include "db/users.h"

#include <string.h>

#define TEXT(field) db_col_text(q, p->field, sizeof(p->field))

#define COLUMNS \
	"id, name, kind, config, capacity, max_creates, enabled, healthy, reason_code, reason_en, reason_es, seen, rev, " \
	"created, updated "

static void read_row(struct db_query *q, struct provider_row *p)
{
	memset(p, 0, sizeof(*p));
	TEXT(id);
	TEXT(name);
	TEXT(kind);
	TEXT(config);
	p->capacity = (int)db_col_int(q);
	p->max_creates = (int)db_col_int(q);
	p->enabled = db_col_bool(q);
	p->healthy = db_col_bool(q);
	TEXT(reason.code);
	TEXT(reason.en);
	TEXT(reason.es);
	p->seen = db_col_int(q);
	p->rev = db_col_int(q);
	p->created = db_col_int(q);
	p->updated = db_col_int(q);
}

int db_provider_get(struct db *db, const char *id_or_name, struct provider_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM providers WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC "
		"LIMIT 1", err);
	db_bind_text(&q, id_or_name);
	bool found = db_query_step(&q);
	if (found)
		read_row(&q, ret);
	return db_query_end_one(&q, found, "provider", id_or_name);
}

static void bind_row(struct db_query *q, const struct provider_row *p)
{
	db_bind_text(q, p->name);
	db_bind_text(q, p->kind);
	db_bind_text(q, p->config[0] ? p->config : "{}");
	db_bind_int(q, p->capacity);
	db_bind_int(q, p->max_creates);
	db_bind_int(q, p->enabled);
	db_bind_int(q, p->updated);
	db_bind_text(q, p->id);
}

int db_provider_insert(struct db *db, const struct provider_row *p, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO providers (name, kind, config, capacity, max_creates, enabled, updated, id, "
		"created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	bind_row(&q, p);
	db_bind_int(&q, p->created);
	return db_query_run(&q);
}

int db_provider_update(struct db *db, const struct provider_row *p, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE providers SET name = ?, kind = ?, config = ?, capacity = ?, max_creates = ?, "
		"enabled = ?, updated = ?, rev = rev + 1 WHERE id = ?", err);
	bind_row(&q, p);
	return db_query_run_one(&q);
}

int db_provider_list(struct db *db, const char *after, const char *part, int limit, db_provider_visit visit,
	void *arg, struct pst_err *err)
{
	struct db_query q;
	struct provider_row p;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM providers WHERE name > ? AND instr(lower(name), lower(?)) > 0 "
		"ORDER BY name LIMIT ?", err);
	db_bind_text(&q, after);
	db_bind_text(&q, part);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &p);
		visit(&p, arg);
	}
	return db_query_end(&q);
}

int db_provider_each(struct db *db, int (*fn)(void *arg, const struct provider_row *p), void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct provider_row p;
	int stop = 0;

	db_query_begin(&q, db, "SELECT " COLUMNS "FROM providers ORDER BY name", err);
	while (!stop && db_query_step(&q)) {
		read_row(&q, &p);
		stop = fn(arg, &p);
	}
	int rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_provider_health(struct db *db, const struct provider_row *p, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "UPDATE providers SET healthy = ?, reason_code = ?, reason_en = ?, reason_es = ?, seen = ?"
	               " WHERE id = ?",
	               err);
	db_bind_int(&q, p->healthy);
	db_bind_text(&q, p->reason.code);
	db_bind_text(&q, p->reason.en);
	db_bind_text(&q, p->reason.es);
	db_bind_int(&q, p->updated);
	db_bind_text(&q, p->id);
	return db_query_run(&q);
}

int db_provider_users(struct db *db, const char *id, struct db_users *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, DB_USERS_SQL("provider_id"), err);
	db_bind_text(&q, id);
	return db_users_read(&q, ret);
}

int db_provider_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM providers WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}
