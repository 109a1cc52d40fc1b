/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of users and their members. */
#pragma once

#include <stdint.h>

struct db;
struct pst_err;

struct group_row {
	char id[37];
	char name[257];
	char display_name[257];
	int64_t members;
	int64_t rev, created, updated;
};

typedef void (*db_group_visit)(const struct group_row *g, void *arg);
typedef void (*db_ref_visit)(const char *id, const char *name, void *arg);

/* By id, else by name. PST_ENOTFOUND. */
int db_group_get(struct db *db, const char *id_or_name, struct group_row *ret, struct pst_err *err);
int db_group_insert(struct db *db, const struct group_row *g, struct pst_err *err);
int db_group_update(struct db *db, const struct group_row *g, struct pst_err *err);
int db_group_delete(struct db *db, const char *id, struct pst_err *err);
int db_group_list(struct db *db, const char *after, const char *part, int limit, db_group_visit visit, void *arg,
	struct pst_err *err);

/* Both are idempotent. */
int db_group_add(struct db *db, const char *group, const char *user, int64_t now, struct pst_err *err);
int db_group_remove(struct db *db, const char *group, const char *user, struct pst_err *err);

/* By name, `limit` at most. */
int db_group_members(struct db *db, const char *group, int limit, db_ref_visit visit, void *arg, struct pst_err *err);
int db_group_of_user(struct db *db, const char *user, int limit, db_ref_visit visit, void *arg, struct pst_err *err);
