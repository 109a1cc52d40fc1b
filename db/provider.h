/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of providers: connections to what makes machines. */
#pragma once

#include "db/row.h"

#include <stdbool.h>

struct db;
struct pst_err;

struct provider_row {
	char id[DB_ID_SIZE];
	char name[DB_WORD_SIZE], kind[DB_WORD_SIZE];
	char config[DB_JSON_SIZE]; /* a JSON object */
	int capacity, max_creates;
	bool enabled, healthy;
	struct db_reason reason; /* when it is not healthy */
	int64_t seen, rev, created, updated;
};

typedef void (*db_provider_visit)(const struct provider_row *p, void *arg);

/* By id, else by name. PST_ENOTFOUND. */
int db_provider_get(struct db *db, const char *id_or_name, struct provider_row *ret, struct pst_err *err);
/* What an admin may change. PST_ECONFLICT when the name is taken. */
int db_provider_insert(struct db *db, const struct provider_row *p, struct pst_err *err);
int db_provider_update(struct db *db, const struct provider_row *p, struct pst_err *err);
/* What the provisioner said, at `updated`. */
int db_provider_health(struct db *db, const struct provider_row *p, struct pst_err *err);
/* As db_pool_list() and db_pool_each(). */
int db_provider_list(struct db *db, const char *after, const char *part, int limit, db_provider_visit visit, void *arg,
	struct pst_err *err);
int db_provider_each(struct db *db, int (*fn)(void *arg, const struct provider_row *p), void *arg,
	struct pst_err *err);
/* Pools and desktops that need it, the first few of each. */
int db_provider_users(struct db *db, const char *id, struct db_users *ret, struct pst_err *err);
/* PST_EINVAL while there are such. Desktops of the past forget it. */
int db_provider_delete(struct db *db, const char *id, struct pst_err *err);
