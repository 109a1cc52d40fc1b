/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recycling of desktops: typed queries. */
#include "db/recycle.h"

#include "base/err.h"
#include "db/db.h"

#include <string.h>

#define TEXT(field) db_col_text(q, ret->field, sizeof(ret->field))

int db_recycle_days(struct db *db, const char *pool_id, int *ret_set, int *ret_days, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "SELECT recycle_days, iif(recycle_days >= 0, recycle_days, iif(kind = 'dedicated', 7, 0)) FROM pools WHERE id = ?", err);
	db_bind_text(&q, pool_id);
	bool found = db_query_step(&q);
	if (found) {
		int set = (int)db_col_int(&q);

		if (ret_set)
			*ret_set = set;
		*ret_days = (int)db_col_int(&q);
	}
	return db_query_end_one(&q, found, "pool", pool_id);
}

int db_recycle_days_set(struct db *db, const char *pool_id, int days, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "UPDATE pools SET recycle_days = ? WHERE id = ?", err);
	db_bind_int(&q, days);
	db_bind_text(&q, pool_id);
	return db_query_run_one(&q);
}

int db_recycled_desktop(struct db *db, const char *id, struct recycled_row *ret, struct pst_err *err)
{
	struct db_query query, *q = &query;

	db_query_begin(q, db, "SELECT d.id, d.name, d.pool_id, p.name, d.provider_id, d.image_id, d.image_version, u.id, "
		"coalesce(u.name, a.user_name), d.epoch, d.deleted FROM desktops d LEFT JOIN pools p ON p.id = d.pool_id "
		"LEFT JOIN assignments a ON a.desktop_id = d.id LEFT JOIN users u ON u.id = a.user_id "
		"WHERE d.id = ? AND d.lifecycle = 'deleted' ORDER BY a.epoch DESC LIMIT 1", err);
	db_bind_text(q, id);
	bool found = db_query_step(q);
	if (found) {
		memset(ret, 0, sizeof(*ret));
		TEXT(id);
		TEXT(name);
		TEXT(pool_id);
		TEXT(pool);
		TEXT(provider_id);
		TEXT(image_id);
		TEXT(image_version);
		TEXT(user_id);
		TEXT(user);
		ret->epoch = db_col_int(q);
		ret->deleted = db_col_int(q);
	}
	return db_query_end_one(q, found, "deleted desktop", id);
}
