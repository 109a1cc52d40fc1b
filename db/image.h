/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of images and of their versions.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_image {
	char id[DB_ID_SIZE], name[DB_WORD_SIZE], display_name[DB_NAME_SIZE], description[DB_LONG_SIZE];
	char os[DB_WORD_SIZE], published[DB_WORD_SIZE]; /* published "": none */
	int64_t rev, created, updated;
};

struct db_image_version {
	char id[DB_ID_SIZE], image_id[DB_ID_SIZE], version[DB_WORD_SIZE];
	char base[DB_LONG_SIZE], path[DB_LONG_SIZE], state[DB_WORD_SIZE], notes[DB_LONG_SIZE];
	int64_t created, updated;
};

int db_image_insert(struct db *db, const struct db_image *row, struct pst_err *err);
/* Writes name, display_name, description and os; rev as in db_provider_update(). */
int db_image_update(struct db *db, const struct db_image *row, int64_t rev, struct pst_err *err);
/* The version must exist and be ready: else PST_ENOTFOUND. */
int db_image_publish(struct db *db, const char *id, const char *version, int64_t now, struct pst_err *err);
int db_image_delete(struct db *db, const char *id, struct pst_err *err);
int db_image_get(struct db *db, const char *id, struct db_image *ret, struct pst_err *err);
int db_image_by_name(struct db *db, const char *name, struct db_image *ret, struct pst_err *err);
int db_image_each(struct db *db, int (*fn)(void *arg, const struct db_image *row), void *arg, struct pst_err *err);

int db_image_version_insert(struct db *db, const struct db_image_version *row, struct pst_err *err);
int db_image_version_get(struct db *db, const char *image_id, const char *version, struct db_image_version *ret,
                         struct pst_err *err);
/* Newest first. */
int db_image_version_each(struct db *db, const char *image_id,
                          int (*fn)(void *arg, const struct db_image_version *row), void *arg, struct pst_err *err);
