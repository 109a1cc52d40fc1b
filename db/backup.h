/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of back-ups with the last job about each, and what pools wish of them. */
#pragma once

#include "db/row.h"

#include <stdbool.h>

struct db;
struct pst_err;

#define DB_BACKUP_FILE_SIZE 17

struct backup_row {
	char id[DB_ID_SIZE], file[DB_BACKUP_FILE_SIZE], parent[DB_BACKUP_FILE_SIZE];
	char desktop_id[DB_ID_SIZE], desktop[DB_NAME_SIZE], pool_id[DB_ID_SIZE], pool[DB_WORD_SIZE], user_id[DB_ID_SIZE], user[DB_NAME_SIZE];
	char provider_id[DB_ID_SIZE], provider[DB_WORD_SIZE], image_id[DB_ID_SIZE], image[DB_WORD_SIZE], version[DB_WORD_SIZE];
	int64_t epoch;
	char datastore[DB_WORD_SIZE], kind[16], reason[32], state[16]; /* making, ready, failed */
	bool by_hand;
	int64_t bytes, disk_size, made; /* made: wall milliseconds; 0: not yet */
	char job_id[DB_ID_SIZE], job_kind[16], job_state[16], job_by[DB_NAME_SIZE]; /* running, done, failed */
	char error_code[DB_WORD_SIZE], error[DB_LONG_SIZE];
	int64_t created, updated;
};

typedef void (*db_backup_visit)(const struct backup_row *b, void *arg);

/* All of it, new or again. */
int db_backup_put(struct db *db, const struct backup_row *b, struct pst_err *err);
int db_backup_get(struct db *db, const char *id, struct backup_row *ret, struct pst_err *err);
int db_backup_delete(struct db *db, const char *id, struct pst_err *err);
/* Those of a desktop whose file is this. */
int db_backup_delete_file(struct db *db, const char *desktop_id, const char *file, struct pst_err *err);
/* Failed ones that came before. */
int db_backup_delete_failed(struct db *db, const char *desktop_id, const char *but_id, struct pst_err *err);
/* The newest first; desktop_id "" is any, part ("" is any) stands in the desktop's or the user's name. */
int db_backup_list(struct db *db, const char *desktop_id, const char *part, int limit, db_backup_visit visit, void *arg, struct pst_err *err);
/* How many ready ones stand on that version. */
int db_backup_of_version(struct db *db, const char *image_id, const char *version, int *ret, struct pst_err *err);
/* With a job at work. */
int db_backup_running(struct db *db, db_backup_visit visit, void *arg, struct pst_err *err);
/* How many there are of a desktop whose job is at work. */
int db_backup_busy(struct db *db, const char *desktop_id, int *ret, struct pst_err *err);
/* The newest of its desktop, and failed. */
int db_backup_failures(struct db *db, db_backup_visit visit, void *arg, struct pst_err *err);

struct backup_wish {
	int every_h, full_every_d, keep_d, chain;
};

int db_backup_wish_get(struct db *db, const char *pool_id, struct backup_wish *ret, struct pst_err *err);
int db_backup_wish_set(struct db *db, const char *pool_id, const struct backup_wish *w, struct pst_err *err);

/* Desktops that are due at now (wall milliseconds): somebody's, in dedicated pools that wish it, and nothing is at work or was tried just now. */
int db_backup_due(struct db *db, int64_t now, int limit, void (*visit)(const char *desktop_id, void *arg), void *arg, struct pst_err *err);
/*
 * The names in a row for a new back-up of that desktop, as they are now; the rest is zero. PST_ENOTFOUND for one that is not live.
 */
int db_backup_of_desktop(struct db *db, const char *desktop_id, struct backup_row *ret, struct pst_err *err);
