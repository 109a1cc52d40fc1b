/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of pools.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_pool {
	char id[DB_ID_SIZE], name[DB_WORD_SIZE], display_name[DB_NAME_SIZE], description[DB_LONG_SIZE];
	char kind[DB_WORD_SIZE]; /* floating, dedicated */
	char provider_id[DB_ID_SIZE], image_id[DB_ID_SIZE], image_version[DB_WORD_SIZE];
	char on_logoff[DB_WORD_SIZE]; /* delete, refresh, keep */
	int64_t min, max, spare, idle_disconnect_s, logoff_after_disconnect_s;
	struct db_pool_spec {
		int64_t memory_mb, cpus, pids, max_width, max_height;
		char network[DB_WORD_SIZE], locale[DB_WORD_SIZE], layout[DB_WORD_SIZE];
	} spec;
	bool clipboard_in, clipboard_out, enabled, drain, maintenance, deleting;
	int64_t next_number, rev, created, updated;
};

int db_pool_insert(struct db *db, const struct db_pool *row, struct pst_err *err);
/* Writes all that an admin may change (not deleting, next_number); rev as in db_provider_update(). */
int db_pool_update(struct db *db, const struct db_pool *row, int64_t rev, struct pst_err *err);
int db_pool_set_deleting(struct db *db, const char *id, int64_t now, struct pst_err *err);
int db_pool_set_next_number(struct db *db, const char *id, int64_t number, struct pst_err *err);
int db_pool_delete(struct db *db, const char *id, struct pst_err *err);
int db_pool_get(struct db *db, const char *id, struct db_pool *ret, struct pst_err *err);
int db_pool_by_name(struct db *db, const char *name, struct db_pool *ret, struct pst_err *err);
int db_pool_each(struct db *db, int (*fn)(void *arg, const struct db_pool *row), void *arg, struct pst_err *err);
