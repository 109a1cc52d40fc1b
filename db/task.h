/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of tasks: what the provisioner was, or is to be, asked.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_task {
	char id[DB_ID_SIZE], desktop_id[DB_ID_SIZE], kind[DB_WORD_SIZE], state[DB_WORD_SIZE];
	char arg[DB_WORD_SIZE]; /* of an operation: a snapshot, a size, a host; else "" */
	int64_t attempts, created, updated;
	char error_code[DB_WORD_SIZE], error[DB_TEXT_SIZE];
};

/* Writes the row, new or not. PST_ECONFLICT: the desktop has another unfinished task. */
int db_task_put(struct db *db, const struct db_task *row, struct pst_err *err);
int db_task_each_unfinished(struct db *db, int (*fn)(void *arg, const struct db_task *row), void *arg,
                            struct pst_err *err);
