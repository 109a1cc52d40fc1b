/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of long work on an image's version, and of the files that came of it. */
#pragma once

#include "db/row.h"

#include <stdbool.h>
#include <stddef.h>

struct db;
struct pst_err;
struct version_row;

struct image_job_row {
	char id[DB_ID_SIZE], version_id[DB_ID_SIZE];
	char kind[16], datastore[DB_WORD_SIZE];
	char source[DB_NAME_SIZE], format[16], base[DB_LONG_SIZE];
	char state[16], error_code[DB_WORD_SIZE], error[DB_LONG_SIZE];
	int64_t created, updated;
	/* read only: of the version */
	char image_id[DB_ID_SIZE], image[DB_WORD_SIZE], version[DB_WORD_SIZE];
};

struct version_files_row {
	char version_id[DB_ID_SIZE], datastore[DB_WORD_SIZE];
	int64_t size, file_size;
	char sha256[65];
};

typedef void (*db_image_job_visit)(const struct image_job_row *j, void *arg);

/* Replaces the version's last one. */
int db_image_job_put(struct db *db, const struct image_job_row *j, struct pst_err *err);
int db_image_job_get(struct db *db, const char *id, struct image_job_row *ret, struct pst_err *err);
/* Of a version. PST_ENOTFOUND. */
int db_image_job_of(struct db *db, const char *version_id, struct image_job_row *ret, struct pst_err *err);
/* state, error_code, error, updated. */
int db_image_job_end(struct db *db, const struct image_job_row *j, struct pst_err *err);
/* Those that run. */
int db_image_job_each(struct db *db, db_image_job_visit visit, void *arg, struct pst_err *err);

int db_version_files_put(struct db *db, const struct version_files_row *f, struct pst_err *err);
/* PST_ENOTFOUND: it lies on no datastore of ours. */
int db_version_files_get(struct db *db, const char *version_id, struct version_files_row *ret, struct pst_err *err);
/* A further datastore that has the version's files. Put twice is there once; removing tells whether it was there. */
int db_version_copy_put(struct db *db, const char *version_id, const char *datastore, int64_t now_ms, struct pst_err *err);
int db_version_copy_remove(struct db *db, const char *version_id, const char *datastore, bool *ret_was, struct pst_err *err);
typedef void (*db_version_copy_visit)(const char *datastore, void *arg);
int db_version_copy_each(struct db *db, const char *version_id, db_version_copy_visit visit, void *arg, struct pst_err *err);

/* The image has versions whose files lie on datastores, or are being made: names with commas, "" for none. */
int db_version_files_of_image(struct db *db, const char *image_id, char *ret, size_t size, struct pst_err *err);

/* base, path, state and updated of a version. PST_ENOTFOUND. */
int db_version_update(struct db *db, const struct version_row *v, struct pst_err *err);
/*
 * One retired version with files that nothing needs, whose last try to remove it (if any) ended before that time.
 * PST_ENOTFOUND without one.
 */
int db_version_removable(struct db *db, int64_t tried_before, struct version_row *ret, struct pst_err *err);
