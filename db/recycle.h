/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long the disks of a pool's removed desktops are kept, and who had a desktop that is no more. */
#pragma once

#include "db/row.h"

struct db;
struct pst_err;

#define DB_RECYCLE_DAYS_MAX 30 /* a tombstone is not kept longer */

/* ret_set: -1 to 30, may be NULL. ret_days: what holds, after its kind where nothing was set (dedicated 7, floating 0). PST_ENOTFOUND. */
int db_recycle_days(struct db *db, const char *pool_id, int *ret_set, int *ret_days, struct pst_err *err);
/* days: -1 is after its kind. */
int db_recycle_days_set(struct db *db, const char *pool_id, int days, struct pst_err *err);

/* A desktop that was deleted, with whoever had it last; "" where that is not known any more. */
struct recycled_row {
	char id[DB_ID_SIZE], name[DB_NAME_SIZE], pool_id[DB_ID_SIZE], pool[DB_WORD_SIZE], provider_id[DB_ID_SIZE];
	char image_id[DB_ID_SIZE], image_version[DB_WORD_SIZE], user_id[DB_ID_SIZE], user[DB_NAME_SIZE];
	int64_t epoch, deleted;
};

/* PST_ENOTFOUND for one that is not deleted, or forgotten. */
int db_recycled_desktop(struct db *db, const char *id, struct recycled_row *ret, struct pst_err *err);
