/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wrong passwords: typed queries. */
#include "db/penalty.h"

#include "db/db.h"

#include <string.h>

int db_penalty_get(struct db *db, const uint8_t name_hash[32], struct penalty_row *ret, struct pst_err *err)
{
	struct db_query q;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name_hash, name_hash, sizeof(ret->name_hash));
	db_query_begin(&q, db, "SELECT failures, last, until FROM login_penalties WHERE name_hash = ?", err);
	db_bind_blob(&q, name_hash, sizeof(ret->name_hash));
	if (db_query_step(&q)) {
		ret->failures = db_col_int(&q);
		ret->last = db_col_int(&q);
		ret->until = db_col_int(&q);
	}
	return db_query_end(&q);
}

int db_penalty_put(struct db *db, const struct penalty_row *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT OR REPLACE INTO login_penalties (name_hash, failures, last, until) "
		"VALUES (?, ?, ?, ?)", err);
	db_bind_blob(&q, row->name_hash, sizeof(row->name_hash));
	db_bind_int(&q, row->failures);
	db_bind_int(&q, row->last);
	db_bind_int(&q, row->until);
	return db_query_run(&q);
}

int db_penalty_delete(struct db *db, const uint8_t name_hash[32], struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM login_penalties WHERE name_hash = ?", err);
	db_bind_blob(&q, name_hash, 32);
	return db_query_run(&q);
}

int db_penalty_sweep(struct db *db, int64_t now, int64_t fade_ms, int64_t keep, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM login_penalties WHERE until < ?1 AND last + failures * ?2 < ?1", err);
	db_bind_int(&q, now);
	db_bind_int(&q, fade_ms);
	int rc = db_query_run(&q);
	if (rc < 0)
		return rc;
	db_query_begin(&q, db, "DELETE FROM login_penalties WHERE name_hash IN (SELECT name_hash FROM login_penalties "
		"ORDER BY failures, last LIMIT max(0, (SELECT count(*) FROM login_penalties) - ?))", err);
	db_bind_int(&q, keep);
	return db_query_run(&q);
}
