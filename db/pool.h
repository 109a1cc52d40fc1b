/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of pools. What an admin configures is written by insert and update; what the core decides
 * (deleting, the number of the next desktop) has functions of its own.
 */
#pragma once

#include "db/row.h"

#include <stdbool.h>

struct db;
struct pst_err;

struct pool_row {
	char id[DB_ID_SIZE];
	char name[DB_WORD_SIZE], display_name[DB_NAME_SIZE], description[DB_LONG_SIZE];
	char kind[16], on_logoff[16];
	char provider_id[DB_ID_SIZE], provider_name[DB_WORD_SIZE]; /* the names are read, not written */
	char image_id[DB_ID_SIZE], image_name[DB_WORD_SIZE], image_version[DB_WORD_SIZE];
	int min, max, spare, spare_suspended, idle_disconnect_s, logoff_after_disconnect_s;
	int memory_mb, cpus, pids, disk_mb, max_width, max_height;
	char network[16], locale[DB_WORD_SIZE], layout[DB_WORD_SIZE];
	char watching[16], display[16];
	int user_snapshots; /* that a user may keep of his desktop */
	bool clipboard_in, clipboard_out, enabled, drain, maintenance, deleting;
	int next_number;
	int64_t rev, created, updated;
};

typedef void (*db_pool_visit)(const struct pool_row *p, void *arg);

/* By id, else by name. PST_ENOTFOUND. */
int db_pool_get(struct db *db, const char *id_or_name, struct pool_row *ret, struct pst_err *err);
/* Empty words become the schema's defaults. PST_ECONFLICT when the name is taken. */
int db_pool_insert(struct db *db, const struct pool_row *p, struct pst_err *err);
int db_pool_update(struct db *db, const struct pool_row *p, struct pst_err *err);
/* In the order of names, those after `after` whose name holds `part` ("" is any). */
int db_pool_list(struct db *db, const char *after, const char *part, int limit, db_pool_visit visit, void *arg,
	struct pst_err *err);
/* All of them by name; stops at fn's first non-zero result and returns that. */
int db_pool_each(struct db *db, int (*fn)(void *arg, const struct pool_row *p), void *arg, struct pst_err *err);
int db_pool_set_deleting(struct db *db, const char *id, int64_t now, struct pst_err *err);
int db_pool_set_next_number(struct db *db, const char *id, int64_t number, struct pst_err *err);
int db_pool_delete(struct db *db, const char *id, struct pst_err *err);
