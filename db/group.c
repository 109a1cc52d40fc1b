/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups: typed queries. */
#include "db/group.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define COLUMNS \
	"id, name, display_name, (SELECT count(*) FROM group_members m WHERE m.group_id = groups.id), " \
	"rev, created, updated"

static void read_row(struct db_query *q, struct group_row *g)
{
	memset(g, 0, sizeof(*g));
	db_col_text(q, g->id, sizeof(g->id));
	db_col_text(q, g->name, sizeof(g->name));
	db_col_text(q, g->display_name, sizeof(g->display_name));
	g->members = db_col_int(q);
	g->rev = db_col_int(q);
	g->created = db_col_int(q);
	g->updated = db_col_int(q);
}

int db_group_get(struct db *db, const char *id_or_name, struct group_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM groups WHERE id = ?1 OR name = ?1 "
		"ORDER BY id = ?1 DESC LIMIT 1", err);
	db_bind_text(&q, id_or_name);
	bool found = db_query_step(&q);
	if (found)
		read_row(&q, ret);
	return db_query_end_one(&q, found, "group", id_or_name);
}

int db_group_insert(struct db *db, const struct group_row *g, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO groups (id, name, display_name, created, updated) "
		"VALUES (?, ?, ?, ?, ?)", err);
	db_bind_text(&q, g->id);
	db_bind_text(&q, g->name);
	db_bind_text(&q, g->display_name);
	db_bind_int(&q, g->created);
	db_bind_int(&q, g->updated);
	return db_query_run(&q);
}

int db_group_update(struct db *db, const struct group_row *g, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE groups SET name = ?, display_name = ?, updated = ?, rev = rev + 1 "
		"WHERE id = ?", err);
	db_bind_text(&q, g->name);
	db_bind_text(&q, g->display_name);
	db_bind_int(&q, g->updated);
	db_bind_text(&q, g->id);
	return db_query_run_one(&q);
}

int db_group_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM groups WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_group_list(struct db *db, const char *after, const char *part, int limit, db_group_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct group_row g;

	db_query_begin(&q, db, "SELECT " COLUMNS " FROM groups WHERE name > ? AND "
		"instr(lower(name || char(10) || display_name), lower(?)) > 0 ORDER BY name LIMIT ?", err);
	db_bind_text(&q, after);
	db_bind_text(&q, part);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &g);
		visit(&g, arg);
	}
	return db_query_end(&q);
}

int db_group_add(struct db *db, const char *group, const char *user, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO group_members (group_id, user_id, created) VALUES (?, ?, ?) "
		"ON CONFLICT DO NOTHING", err);
	db_bind_text(&q, group);
	db_bind_text(&q, user);
	db_bind_int(&q, now);
	return db_query_run(&q);
}

int db_group_remove(struct db *db, const char *group, const char *user, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM group_members WHERE group_id = ? AND user_id = ?", err);
	db_bind_text(&q, group);
	db_bind_text(&q, user);
	return db_query_run(&q);
}

static int visit_refs(struct db_query *q, db_ref_visit visit, void *arg)
{
	char id[37], name[257];

	while (db_query_step(q)) {
		db_col_text(q, id, sizeof(id));
		db_col_text(q, name, sizeof(name));
		visit(id, name, arg);
	}
	return db_query_end(q);
}

int db_group_members(struct db *db, const char *group, int limit, db_ref_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT u.id, u.name FROM group_members m JOIN users u ON u.id = m.user_id "
		"WHERE m.group_id = ? ORDER BY u.name LIMIT ?", err);
	db_bind_text(&q, group);
	db_bind_int(&q, limit);
	return visit_refs(&q, visit, arg);
}

int db_group_of_user(struct db *db, const char *user, int limit, db_ref_visit visit, void *arg, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT g.id, g.name FROM group_members m JOIN groups g ON g.id = m.group_id "
		"WHERE m.user_id = ? ORDER BY g.name LIMIT ?", err);
	db_bind_text(&q, user);
	db_bind_int(&q, limit);
	return visit_refs(&q, visit, arg);
}
