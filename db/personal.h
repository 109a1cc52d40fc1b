/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Users' own disks: what a pool gives, and which there are. One of each user in each pool.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

#include <stdbool.h>

#define DB_PERSONAL_KEEP_MAX 400 /* days */

struct db_personal {
	char user_id[DB_ID_SIZE], pool_id[DB_ID_SIZE], provider_id[DB_ID_SIZE];
	char user_name[DB_NAME_SIZE], pool_name[DB_WORD_SIZE];
	char desktop_id[DB_ID_SIZE], desktop_name[DB_NAME_SIZE]; /* that holds it, or "" */
	char error[DB_TEXT_SIZE];
	int64_t size_mb; /* as it is asked for: the larger of the pool's and its own */
	int keep_days;
	bool is_clean, is_removing;
	int64_t created, used; /* wall milliseconds */
};

/* ret_store may be NULL. */
int db_personal_settings(struct db *db, const char *pool_id, int *ret_mb, char ret_store[DB_WORD_SIZE], struct pst_err *err);
int db_personal_settings_set(struct db *db, const char *pool_id, int mb, const char *store, struct pst_err *err);
/* Each pool that gives them. Not 0 ends it. */
int db_personal_each_pool(struct db *db, int (*fn)(void *arg, const char *pool_id, int mb), void *arg, struct pst_err *err);

/* It is being attached: row has user, pool, provider and the user's name; the row is made or brought up to date, and not clean. */
int db_personal_use(struct db *db, const struct db_personal *row, int64_t now, struct pst_err *err);
int db_personal_put_away(struct db *db, const char *user_id, const char *pool_id, int64_t now, struct pst_err *err);

/* PST_ENOTFOUND. */
int db_personal_get(struct db *db, const char *user_id, const char *pool_id, struct db_personal *ret, struct pst_err *err);
/* user_id, pool_id: "" for every one. By user's and pool's name, at most limit after so many. row is borrowed for the call. */
int db_personal_list(struct db *db, const char *user_id, const char *pool_id, int64_t offset, int limit,
                     void (*fn)(const struct db_personal *row, void *arg), void *arg, struct pst_err *err);

/* How many of the pool lie with another provider than that. */
int db_personal_elsewhere(struct db *db, const char *pool_id, const char *provider_id, int64_t *ret_n, struct pst_err *err);

/* At the next log-on. PST_EINVAL for less than it is, PST_ENOTFOUND. */
int db_personal_grow(struct db *db, const char *user_id, const char *pool_id, int64_t size_mb, struct pst_err *err);

/* To be removed as soon as nobody holds it; pool_id "": all of that user's. 0 also when there are none. */
int db_personal_remove(struct db *db, const char *user_id, const char *pool_id, int keep_days, struct pst_err *err);
/* The first that is to be removed and that no desktop holds, after so many. PST_ENOTFOUND. */
int db_personal_next_removal(struct db *db, int64_t offset, struct db_personal *ret, struct pst_err *err);
int db_personal_removal_failed(struct db *db, const char *user_id, const char *pool_id, const char *error, struct pst_err *err);
/* It came back out of the recycle bin: row has user, pool, provider and the user's name. 0 also when there is a row by now. */
int db_personal_restored(struct db *db, const struct db_personal *row, int64_t now, struct pst_err *err);
/* It is no more. */
int db_personal_gone(struct db *db, const char *user_id, const char *pool_id, struct pst_err *err);
