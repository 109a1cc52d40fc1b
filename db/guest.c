/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of guest tickets: spent by DELETE … RETURNING.
 */
#include "db/guest.h"

#include "base/err.h"

#define COLUMNS "hash, session_id, user_id, name, can_input, boot, expires_mono, created"

int db_guest_insert(struct db *db, const struct db_guest *row, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(
		&q, db, "INSERT INTO guest_tickets (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)", err);
	db_bind_blob(&q, row->hash, 32);
	db_bind_text(&q, row->session_id);
	db_bind_text(&q, row->user_id);
	db_bind_text(&q, row->name);
	db_bind_int(&q, row->can_input);
	db_bind_text(&q, row->boot);
	db_bind_int(&q, row->expires_mono);
	db_bind_int(&q, row->created);
	return db_query_run(&q);
}

int db_guest_take(struct db *db, const uint8_t hash[32], struct db_guest *ret, struct pst_err *err)
{
	struct db_query q;
	bool found;
	int rc;

	db_query_begin(&q, db, "DELETE FROM guest_tickets WHERE hash = ? RETURNING " COLUMNS, err);
	db_bind_blob(&q, hash, 32);
	found = db_query_step(&q);
	if (found) {
		db_col_blob(&q, ret->hash, 32);
		db_col_text(&q, ret->session_id, sizeof(ret->session_id));
		db_col_text(&q, ret->user_id, sizeof(ret->user_id));
		db_col_text(&q, ret->name, sizeof(ret->name));
		ret->can_input = db_col_bool(&q);
		db_col_text(&q, ret->boot, sizeof(ret->boot));
		ret->expires_mono = db_col_int(&q);
		ret->created = db_col_int(&q);
	}
	rc = db_query_run(&q);
	if (rc == 0 && !found)
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no such ticket");
	return rc;
}

int db_guest_prune(struct db *db, const char *boot, int64_t now_mono, struct pst_err *err)
{
	struct db_query q;

	db_query_begin(&q, db, "DELETE FROM guest_tickets WHERE expires_mono <= ? OR boot <> ?", err);
	db_bind_int(&q, now_mono);
	db_bind_text(&q, boot);
	return db_query_run(&q);
}
