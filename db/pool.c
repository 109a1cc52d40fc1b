/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools: typed queries. */
#include "db/pool.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define COLUMNS \
	"p.id, p.name, p.display_name, p.description, p.kind, p.on_logoff, p.provider_id, v.name, p.image_id, i.name, " \
	"p.image_version, p.min_size, p.max_size, p.spare, p.idle_disconnect_s, p.logoff_after_disconnect_s, " \
	"p.memory_mb, p.cpus, p.pids, p.max_width, p.max_height, p.network, p.locale, p.layout, p.clipboard_in, " \
	"p.clipboard_out, p.watching, p.user_snapshots, p.disk_mb, p.spare_suspended, p.display, p.enabled, p.drain, p.maintenance, p.deleting, p.next_number, p.rev, p.created, p.updated "
#define TABLES "FROM pools p JOIN providers v ON v.id = p.provider_id JOIN images i ON i.id = p.image_id "

#define TEXT(field) db_col_text(q, p->field, sizeof(p->field))

static void read_row(struct db_query *q, struct pool_row *p)
{
	memset(p, 0, sizeof(*p));
	TEXT(id);
	TEXT(name);
	TEXT(display_name);
	TEXT(description);
	TEXT(kind);
	TEXT(on_logoff);
	TEXT(provider_id);
	TEXT(provider_name);
	TEXT(image_id);
	TEXT(image_name);
	TEXT(image_version);
	p->min = (int)db_col_int(q);
	p->max = (int)db_col_int(q);
	p->spare = (int)db_col_int(q);
	p->idle_disconnect_s = (int)db_col_int(q);
	p->logoff_after_disconnect_s = (int)db_col_int(q);
	p->memory_mb = (int)db_col_int(q);
	p->cpus = (int)db_col_int(q);
	p->pids = (int)db_col_int(q);
	p->max_width = (int)db_col_int(q);
	p->max_height = (int)db_col_int(q);
	TEXT(network);
	TEXT(locale);
	TEXT(layout);
	p->clipboard_in = db_col_bool(q);
	p->clipboard_out = db_col_bool(q);
	TEXT(watching);
	p->user_snapshots = (int)db_col_int(q);
	p->disk_mb = (int)db_col_int(q);
	p->spare_suspended = (int)db_col_int(q);
	TEXT(display);
	p->enabled = db_col_bool(q);
	p->drain = db_col_bool(q);
	p->maintenance = db_col_bool(q);
	p->deleting = db_col_bool(q);
	p->next_number = (int)db_col_int(q);
	p->rev = db_col_int(q);
	p->created = db_col_int(q);
	p->updated = db_col_int(q);
}

int db_pool_get(struct db *db, const char *id_or_name, struct pool_row *ret, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "WHERE p.id = ?1 OR p.name = ?1 ORDER BY p.id = ?1 DESC LIMIT 1",
		err);
	db_bind_text(&q, id_or_name);
	bool found = db_query_step(&q);
	if (found)
		read_row(&q, ret);
	return db_query_end_one(&q, found, "pool", id_or_name);
}

static void bind_fields(struct db_query *q, const struct pool_row *p)
{
	db_bind_text(q, p->name);
	db_bind_text(q, p->display_name);
	db_bind_text(q, p->description);
	db_bind_text(q, p->kind);
	db_bind_text(q, p->on_logoff);
	db_bind_text(q, p->provider_id);
	db_bind_text(q, p->image_id);
	db_bind_text(q, p->image_version[0] ? p->image_version : "latest");
	db_bind_int(q, p->min);
	db_bind_int(q, p->max);
	db_bind_int(q, p->spare);
	db_bind_int(q, p->idle_disconnect_s);
	db_bind_int(q, p->logoff_after_disconnect_s);
	db_bind_int(q, p->memory_mb);
	db_bind_int(q, p->cpus);
	db_bind_int(q, p->pids);
	db_bind_int(q, p->max_width ? p->max_width : 3840);
	db_bind_int(q, p->max_height ? p->max_height : 2160);
	db_bind_text(q, p->network[0] ? p->network : "host");
	db_bind_text(q, p->locale);
	db_bind_text(q, p->layout);
	db_bind_int(q, p->clipboard_in);
	db_bind_int(q, p->clipboard_out);
	db_bind_text(q, p->watching[0] ? p->watching : "off");
	db_bind_int(q, p->user_snapshots);
	db_bind_int(q, p->disk_mb);
	db_bind_int(q, p->spare_suspended);
	db_bind_text(q, p->display[0] ? p->display : "image");
	db_bind_int(q, p->enabled);
	db_bind_int(q, p->drain);
	db_bind_int(q, p->maintenance);
	db_bind_int(q, p->updated);
}

int db_pool_insert(struct db *db, const struct pool_row *p, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO pools (name, display_name, description, kind, on_logoff, provider_id, "
		"image_id, image_version, min_size, max_size, spare, idle_disconnect_s, logoff_after_disconnect_s, "
		"memory_mb, cpus, pids, max_width, max_height, network, locale, layout, clipboard_in, clipboard_out, "
		"watching, user_snapshots, disk_mb, spare_suspended, display, enabled, drain, maintenance, updated, id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		"?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	bind_fields(&q, p);
	db_bind_text(&q, p->id);
	db_bind_int(&q, p->created);
	return db_query_run(&q);
}

int db_pool_update(struct db *db, const struct pool_row *p, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET name = ?, display_name = ?, description = ?, kind = ?, on_logoff = ?, "
		"provider_id = ?, image_id = ?, image_version = ?, min_size = ?, max_size = ?, spare = ?, "
		"idle_disconnect_s = ?, logoff_after_disconnect_s = ?, memory_mb = ?, cpus = ?, pids = ?, max_width = ?, "
		"max_height = ?, network = ?, locale = ?, layout = ?, clipboard_in = ?, clipboard_out = ?, watching = ?, user_snapshots = ?, disk_mb = ?, spare_suspended = ?, "
		"display = ?, enabled = ?, "
		"drain = ?, maintenance = ?, updated = ?, rev = rev + 1 WHERE id = ?", err);
	bind_fields(&q, p);
	db_bind_text(&q, p->id);
	return db_query_run_one(&q);
}

int db_pool_list(struct db *db, const char *after, const char *part, int limit, db_pool_visit visit, void *arg,
	struct pst_err *err)
{
	struct db_query q;
	struct pool_row p;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "WHERE p.name > ? AND "
		"instr(lower(p.name || char(10) || p.display_name), lower(?)) > 0 ORDER BY p.name LIMIT ?", err);
	db_bind_text(&q, after);
	db_bind_text(&q, part);
	db_bind_int(&q, limit);
	while (db_query_step(&q)) {
		read_row(&q, &p);
		visit(&p, arg);
	}
	return db_query_end(&q);
}

int db_pool_each(struct db *db, int (*fn)(void *arg, const struct pool_row *p), void *arg, struct pst_err *err)
{
	struct db_query q;
	struct pool_row p;
	int stop = 0;

	db_query_begin(&q, db, "SELECT " COLUMNS TABLES "ORDER BY p.name", err);
	while (!stop && db_query_step(&q)) {
		read_row(&q, &p);
		stop = fn(arg, &p);
	}
	int rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}

int db_pool_set_deleting(struct db *db, const char *id, int64_t now, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET deleting = 1, updated = ?, rev = rev + 1 WHERE id = ?", err);
	db_bind_int(&q, now);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}

int db_pool_set_next_number(struct db *db, const char *id, int64_t number, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET next_number = ? WHERE id = ?", err);
	db_bind_int(&q, number);
	db_bind_text(&q, id);
	return db_query_run(&q);
}

int db_pool_delete(struct db *db, const char *id, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM pools WHERE id = ?", err);
	db_bind_text(&q, id);
	return db_query_run_one(&q);
}
