/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of display sessions: one viewer on one desktop.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_session {
	char id[DB_ID_SIZE], assignment_id[DB_ID_SIZE], desktop_id[DB_ID_SIZE], pool_id[DB_ID_SIZE];
	char user_id[DB_ID_SIZE], login_id[DB_WORD_SIZE], protocol[DB_WORD_SIZE], state[DB_WORD_SIZE];
	char remote[DB_WORD_SIZE], gateway[DB_WORD_SIZE];
	int64_t epoch, granted, started, ended; /* 0: not yet */
	char end_code[DB_WORD_SIZE], end_reason[DB_TEXT_SIZE], stats[DB_JSON_SIZE];
};

int db_session_insert(struct db *db, const struct db_session *row, struct pst_err *err);
int db_session_start(struct db *db, const char *id, int64_t now, struct pst_err *err);
int db_session_end(struct db *db, const char *id, int64_t now, const char *code, const char *reason,
                   const char *reason_es, struct pst_err *err);
/* The figures that the gateway reports at the end; JSON text. */
int db_session_stats(struct db *db, const char *id, const char *stats, struct pst_err *err);
int db_session_each_live(struct db *db, int (*fn)(void *arg, const struct db_session *row), void *arg,
                         struct pst_err *err);
