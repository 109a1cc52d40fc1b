/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display sessions: typed queries for lists. */
#include "db/viewer.h"

#include "base/err.h"
#include "db/db.h"

#include <stdbool.h>
#include <string.h>

#define COLUMNS \
	"s.id, coalesce(s.user_id, ''), a.user_name, s.desktop_id, d.name, coalesce(s.pool_id, ''), coalesce(p.name, ''), " \
	"s.protocol, s.state, s.remote, s.gateway, s.end_code, s.end_reason, s.end_reason_es, s.stats, s.epoch, s.granted, s.started, " \
	"s.ended "
#define TABLES \
	"FROM sessions s JOIN assignments a ON a.id = s.assignment_id JOIN desktops d ON d.id = s.desktop_id " \
	"LEFT JOIN pools p ON p.id = s.pool_id "

#define TEXT(field) db_col_text(q, v->field, sizeof(v->field))

static void read_row(struct db_query *q, struct viewer_row *v)
{
	memset(v, 0, sizeof(*v));
	TEXT(id);
	TEXT(user_id);
	TEXT(user_name);
	TEXT(desktop_id);
	TEXT(desktop_name);
	TEXT(pool_id);
	TEXT(pool_name);
	TEXT(protocol);
	TEXT(state);
	TEXT(remote);
	TEXT(gateway);
	TEXT(end_code);
	TEXT(end_reason);
	TEXT(end_reason_es);
	TEXT(stats);
	v->epoch = db_col_int(q);
	v->granted = db_col_int(q);
	v->started = db_col_int(q);
	v->ended = db_col_int(q);
}

int db_viewer_get(struct db *db, const char *id, struct viewer_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "WHERE s.id = ?", err);
	db_bind_text(&q, id);
	bool found = db_query_step(&q);
	if (found)
		read_row(&q, ret);
	return db_query_end_one(&q, found, "session", id);
}

int db_viewer_list(struct db *db, const struct viewer_filter *f, int limit, db_viewer_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct viewer_row v;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "WHERE (?1 = '' OR s.state = ?1 OR (?1 = 'live' AND "
		"s.state <> 'ended')) AND (?2 = '' OR s.user_id = ?2) AND (?3 = '' OR s.desktop_id = ?3) AND "
		"(?4 = '' OR s.pool_id = ?4) AND (s.granted < ?5 OR (s.granted = ?5 AND s.id < ?6)) AND "
		"(?7 = '' OR instr(lower(a.user_name || char(10) || d.name), lower(?7)) > 0) "
		"ORDER BY s.granted DESC, s.id DESC LIMIT ?8", err);
	db_bind_text(&q, f->state);
	db_bind_text(&q, f->user);
	db_bind_text(&q, f->desktop);
	db_bind_text(&q, f->pool);
	db_bind_int(&q, f->before);
	db_bind_text(&q, f->before_id);
	db_bind_text(&q, f->part);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &v);
		visit(&v, arg);
	}
	return db_query_end(&q);
}
