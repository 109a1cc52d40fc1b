/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of tickets: spent by DELETE … RETURNING.
 */
#include "db/ticket.h"

#include "base/err.h"

#define COLUMNS "hash, user_id, desktop_id, pool_id, login_id, protocol, epoch, boot, expires_mono, created"

int db_ticket_insert(struct db *db, const struct db_ticket *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "INSERT INTO tickets (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_blob(&q, row->hash, 32);
	db_bind_text(&q, row->user_id);
	db_bind_text(&q, row->desktop_id);
	db_bind_text(&q, row->pool_id);
	db_bind_text_or_null(&q, row->login_id);
	db_bind_text(&q, row->protocol);
	db_bind_int(&q, row->epoch);
	db_bind_text(&q, row->boot);
	db_bind_int(&q, row->expires_mono);
	db_bind_int(&q, row->created);
	return db_query_run(&q);
}

int db_ticket_take(struct db *db, const uint8_t hash[32], struct db_ticket *ret, struct pst_err *err)
{
	struct db_query q;
	bool found;
	int rc;

	db_query_begin(&q, db, "DELETE FROM tickets WHERE hash = ? RETURNING " COLUMNS, err);
	db_bind_blob(&q, hash, 32);
	found = db_query_step(&q);
	if (found) {
		db_col_blob(&q, ret->hash, 32);
		db_col_text(&q, ret->user_id, sizeof(ret->user_id));
		db_col_text(&q, ret->desktop_id, sizeof(ret->desktop_id));
		db_col_text(&q, ret->pool_id, sizeof(ret->pool_id));
		db_col_text(&q, ret->login_id, sizeof(ret->login_id));
		db_col_text(&q, ret->protocol, sizeof(ret->protocol));
		ret->epoch = db_col_int(&q);
		db_col_text(&q, ret->boot, sizeof(ret->boot));
		ret->expires_mono = db_col_int(&q);
		ret->created = db_col_int(&q);
	}
	rc = db_query_run(&q);
	if (rc == 0 && !found)
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no such ticket");
	return rc;
}

int db_ticket_prune(struct db *db, const char *boot, int64_t now_mono, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM tickets WHERE expires_mono <= ? OR boot <> ?", err);
	db_bind_int(&q, now_mono);
	db_bind_text(&q, boot);
	return db_query_run(&q);
}
