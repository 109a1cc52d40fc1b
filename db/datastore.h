/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of datastores: what an administrator set, and what was told of last. */
#pragma once

#include "db/row.h"

#include <stdbool.h>

struct db;
struct pst_err;

struct datastore_row {
	char id[DB_ID_SIZE], name[DB_WORD_SIZE];
	bool maintenance;
	int warning, critical; /* percent; 0: as the provisioner's file has it */
	char told[16];         /* "", calm, warning, critical, offline */
	bool filling;          /* it was told that it will be full soon */
	int64_t seen, rev, created, updated;
};

typedef void (*db_datastore_visit)(const struct datastore_row *d, void *arg);

/* By id, else by name. PST_ENOTFOUND. */
int db_datastore_get(struct db *db, const char *id_or_name, struct datastore_row *ret, struct pst_err *err);
int db_datastore_insert(struct db *db, const struct datastore_row *d, struct pst_err *err);
/* What was set; the revision rises. */
int db_datastore_update(struct db *db, const struct datastore_row *d, struct pst_err *err);
/* What was told, and when it was seen; the revision stays. */
int db_datastore_tell(struct db *db, const struct datastore_row *d, struct pst_err *err);
int db_datastore_delete(struct db *db, const char *id, struct pst_err *err);
typedef void (*db_datastore_sample_visit)(int64_t at, int64_t used, void *arg);

/* Also removes those of before `since`. */
int db_datastore_sample_add(struct db *db, const char *id, int64_t at, int64_t used, int64_t since, struct pst_err *err);
/* The oldest first. */
int db_datastore_sample_each(struct db *db, const char *id, db_datastore_sample_visit visit, void *arg, struct pst_err *err);
/* By name. */
int db_datastore_each(struct db *db, db_datastore_visit visit, void *arg, struct pst_err *err);
