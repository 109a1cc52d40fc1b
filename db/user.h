/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users: rows of the table users. Names compare without case (ASCII). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct pst_err;

struct user_row {
	char id[37];
	char name[129]; /* in bytes; the core keeps as much */
	char display_name[257];
	bool is_admin, enabled;
	char password_hash[129]; /* "": no password, cannot log in */
	char locale[3];
	int failures;
	int64_t last_login;    /* wall ms, 0: never */
	char last_remote[64];
	int64_t rev, created, updated;
};

/* By id, else by name. PST_ENOTFOUND. */
int db_user_get(struct db *db, const char *id_or_name, struct user_row *ret, struct pst_err *err);
int db_user_by_name(struct db *db, const char *name, struct user_row *ret, struct pst_err *err);

/* Takes id, created and updated from the row. PST_ECONFLICT when the name is taken. */
int db_user_insert(struct db *db, const struct user_row *u, struct pst_err *err);

/* Writes name, display_name, role, locale, enabled, updated; rev rises by one. */
int db_user_update(struct db *db, const struct user_row *u, struct pst_err *err);
int db_user_set_password(struct db *db, const char *id, const char *hash, int64_t now, struct pst_err *err);
int db_user_delete(struct db *db, const char *id, struct pst_err *err);

/* A right password: failures are forgotten, the time and address kept. */
int db_user_login_ok(struct db *db, const char *id, const char *remote, int64_t now, struct pst_err *err);
/* A wrong one: failures rises by one. */
int db_user_login_failed(struct db *db, const char *id, struct pst_err *err);

typedef void (*db_user_visit)(const struct user_row *u, void *arg);

/* In the order of names, those after `after` whose name holds `part` ("" is any). */
int db_user_list(struct db *db, const char *after, const char *part, int limit, db_user_visit visit, void *arg,
	struct pst_err *err);
int db_user_count(struct db *db, int64_t *ret, struct pst_err *err);
/* Enabled admins with a password or a token, other than this one. */
int db_user_other_admins(struct db *db, const char *id, int64_t *ret, struct pst_err *err);
