/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of images and of their versions. */
#pragma once

#include "db/row.h"

struct db;
struct pst_err;

struct image_row {
	char id[DB_ID_SIZE];
	char name[DB_WORD_SIZE], display_name[DB_NAME_SIZE], description[DB_LONG_SIZE], os[DB_WORD_SIZE];
	char published[DB_WORD_SIZE]; /* "": none */
	int64_t rev, created, updated;
};

struct version_row {
	char id[DB_ID_SIZE], image_id[DB_ID_SIZE], version[DB_WORD_SIZE];
	char base[DB_LONG_SIZE], path[DB_LONG_SIZE], state[16], notes[DB_LONG_SIZE];
	int64_t created, updated;
	int64_t verified; /* wall ms; 0: no desktop of it has been seen to work */
};

typedef void (*db_image_visit)(const struct image_row *i, void *arg);
typedef void (*db_version_visit)(const struct version_row *v, void *arg);

/* By id, else by name. PST_ENOTFOUND. */
int db_image_get(struct db *db, const char *id_or_name, struct image_row *ret, struct pst_err *err);
/* Empty words become the schema's defaults. PST_ECONFLICT when the name is taken. */
int db_image_insert(struct db *db, const struct image_row *i, struct pst_err *err);
int db_image_update(struct db *db, const struct image_row *i, struct pst_err *err);
/* As db_pool_list() and db_pool_each(). */
int db_image_list(struct db *db, const char *after, const char *part, int limit, db_image_visit visit, void *arg,
	struct pst_err *err);
int db_image_each(struct db *db, int (*fn)(void *arg, const struct image_row *i), void *arg, struct pst_err *err);
/* Pools and desktops that need it, the first few of each. */
int db_image_users(struct db *db, const char *id, struct db_users *ret, struct pst_err *err);
/* PST_EINVAL while there are such. Desktops of the past forget it. */
int db_image_delete(struct db *db, const char *id, struct pst_err *err);

/* PST_ENOTFOUND. rev rises. */
int db_image_set_published(struct db *db, const char *id, const char *version, int64_t now, struct pst_err *err);

/* verified is written where it is not 0. PST_ENOTFOUND. */
int db_version_set_state(struct db *db, const char *image_id, const char *version, const char *state, int64_t verified, int64_t now,
	struct pst_err *err);
/* Pools that name it, and desktops that have it. */
int db_version_users(struct db *db, const char *image_id, const char *version, struct db_users *ret, struct pst_err *err);
/* PST_ENOTFOUND. */
int db_version_delete(struct db *db, const char *image_id, const char *version, struct pst_err *err);
int db_version_insert(struct db *db, const struct version_row *v, struct pst_err *err);
/* PST_ENOTFOUND. */
int db_version_get(struct db *db, const char *image_id, const char *version, struct version_row *ret,
	struct pst_err *err);
/* Newest first. */
int db_version_list(struct db *db, const char *image_id, int limit, db_version_visit visit, void *arg,
	struct pst_err *err);
