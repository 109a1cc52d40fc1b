/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maintenances of hosts: typed queries. */
#include "db/host.h"

int db_host_put(struct db *db, const struct db_host *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db,
	               "INSERT INTO host_maintenances (provider_id, host, at_once, total, by_name, created) VALUES (?, ?, ?, ?, ?, ?)"
	               " ON CONFLICT (provider_id, host) DO UPDATE SET at_once = excluded.at_once, total = excluded.total",
	               err);
	db_bind_text(&q, row->provider_id);
	db_bind_text(&q, row->host);
	db_bind_int(&q, row->at_once);
	db_bind_int(&q, row->total);
	db_bind_text(&q, row->by);
	db_bind_int(&q, row->created);
	return db_query_run(&q);
}

int db_host_delete(struct db *db, const char *provider_id, const char *host, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM host_maintenances WHERE provider_id = ? AND host = ?", err);
	db_bind_text(&q, provider_id);
	db_bind_text(&q, host);
	return db_query_run(&q);
}

int db_host_each(struct db *db, int (*fn)(void *arg, const struct db_host *row), void *arg, struct pst_err *err)
{
	struct db_host row;
	struct db_query q;
	int stop = 0, rc;

	db_query_begin(&q, db,
	               "SELECT h.provider_id, p.name, h.host, h.by_name, h.at_once, h.total, h.created"
	               " FROM host_maintenances h JOIN providers p ON p.id = h.provider_id ORDER BY p.name, h.host",
	               err);
	while (!stop && db_query_step(&q)) {
		db_col_text(&q, row.provider_id, sizeof(row.provider_id));
		db_col_text(&q, row.provider, sizeof(row.provider));
		db_col_text(&q, row.host, sizeof(row.host));
		db_col_text(&q, row.by, sizeof(row.by));
		row.at_once = (int)db_col_int(&q);
		row.total = (int)db_col_int(&q);
		row.created = db_col_int(&q);
		stop = fn(arg, &row);
	}
	rc = db_query_end(&q);
	return rc < 0 ? rc : stop;
}
