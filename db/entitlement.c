/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entitlements: typed queries. The question "may this user?" is asked in one place. */
#include "db/entitlement.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define COLUMNS \
	"e.id, p.id, p.name, coalesce(u.id, ''), coalesce(u.name, ''), coalesce(g.id, ''), coalesce(g.name, ''), " \
	"e.created"
#define TABLES \
	" FROM entitlements e JOIN pools p ON p.id = e.pool_id LEFT JOIN users u ON u.id = e.user_id " \
	"LEFT JOIN groups g ON g.id = e.group_id "

/* True for the user ?1 and the pool p. */
#define MAY_USE \
	" EXISTS (SELECT 1 FROM users o WHERE o.id = ?1 AND o.enabled = 1) AND EXISTS (" \
	"SELECT 1 FROM entitlements e WHERE e.pool_id = p.id AND (e.user_id = ?1 OR e.group_id IN (" \
	"SELECT m.group_id FROM group_members m WHERE m.user_id = ?1))) "

static void read_row(struct db_query *q, struct entitlement_row *e)
{
	memset(e, 0, sizeof(*e));
	db_col_text(q, e->id, sizeof(e->id));
	db_col_text(q, e->pool_id, sizeof(e->pool_id));
	db_col_text(q, e->pool_name, sizeof(e->pool_name));
	db_col_text(q, e->user_id, sizeof(e->user_id));
	db_col_text(q, e->user_name, sizeof(e->user_name));
	db_col_text(q, e->group_id, sizeof(e->group_id));
	db_col_text(q, e->group_name, sizeof(e->group_name));
	e->created = db_col_int(q);
}

int db_entitlement_get(struct db *db, const char *id, struct entitlement_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "WHERE e.id = ?", err);
	db_bind_text(&q, id);
	bool found = db_query_step(&q);
	if (found)
		read_row(&q, ret);
	return db_query_end_one(&q, found, "entitlement", id);
}

int db_entitlement_insert(struct db *db, const struct entitlement_row *e, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO entitlements (id, pool_id, user_id, group_id, created) "
		"VALUES (?, ?, ?, ?, ?)", err);
	db_bind_text(&q, e->id);
	db_bind_text(&q, e->pool_id);
	db_bind_text_or_null(&q, e->user_id);
	db_bind_text_or_null(&q, e->group_id);
	db_bind_int(&q, e->created);
	return db_query_run(&q);
}

int db_entitlement_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM entitlements WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_entitlement_list(struct db *db, const struct entitlement_filter *f, const char *after, int limit,
	db_entitlement_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;
	struct entitlement_row e;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "WHERE e.id > ?1 AND (?2 = '' OR e.pool_id = ?2) AND "
		"(?3 = '' OR e.user_id = ?3) AND (?4 = '' OR e.group_id = ?4) ORDER BY e.id LIMIT ?5", err);
	db_bind_text(&q, after);
	db_bind_text(&q, f->pool);
	db_bind_text(&q, f->user);
	db_bind_text(&q, f->group);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &e);
		visit(&e, arg);
	}
	return db_query_end(&q);
}

int db_entitled_pools(struct db *db, const char *user, int limit, db_entitled_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct entitled_pool p;

	db_query_begin(&q, db, "SELECT p.id, p.name, p.display_name, p.description, p.kind, p.enabled, p.user_snapshots, "
		"p.created, p.updated FROM pools p WHERE p.deleting = 0 AND" MAY_USE "ORDER BY p.name LIMIT ?2", err);
	db_bind_text(&q, user);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		db_col_text(&q, p.id, sizeof(p.id));
		db_col_text(&q, p.name, sizeof(p.name));
		db_col_text(&q, p.display_name, sizeof(p.display_name));
		db_col_text(&q, p.description, sizeof(p.description));
		db_col_text(&q, p.kind, sizeof(p.kind));
		p.enabled = db_col_bool(&q);
		p.user_snapshots = (int)db_col_int(&q);
		p.created = db_col_int(&q);
		p.updated = db_col_int(&q);
		visit(&p, arg);
	}
	return db_query_end(&q);
}

int db_is_entitled(struct db *db, const char *user, const char *pool, bool *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT 1 FROM pools p WHERE" MAY_USE "AND p.id = ?2 AND p.deleting = 0", err);
	db_bind_text(&q, user);
	db_bind_text(&q, pool);
	bool found = db_query_step(&q);
	int rc = db_query_end(&q);
	if (rc == 0)
		*ret = found;
	return rc;
}

int db_entitlement_strays(struct db *db, int limit, db_ref_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;
	char user[37], pool[37];

	db_query_begin(&q, db, "SELECT DISTINCT a.user_id, a.pool_id FROM assignments a WHERE a.state = 'live' AND "
		"a.user_id IS NOT NULL AND a.pool_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entitlements e "
		"WHERE e.pool_id = a.pool_id AND (e.user_id = a.user_id OR e.group_id IN (SELECT m.group_id "
		"FROM group_members m WHERE m.user_id = a.user_id))) LIMIT ?", err);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		db_col_text(&q, user, sizeof(user));
		db_col_text(&q, pool, sizeof(pool));
		visit(user, pool, arg);
	}
	return db_query_end(&q);
}
