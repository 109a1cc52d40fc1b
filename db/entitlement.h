/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entitlements: which user, directly or through a group, may use which pool. */
#pragma once

#include "db/group.h"

#include <stdbool.h>
#include <stdint.h>

struct db;
struct pst_err;

struct entitlement_row {
	char id[37];
	char pool_id[37], pool_name[257];
	char user_id[37], user_name[257];   /* "" when it is a group's */
	char group_id[37], group_name[257]; /* "" when it is a user's */
	int64_t created;
};

struct entitlement_filter {
	const char *pool, *user, *group; /* ids, "" is any; user means its own ones only */
};

/* A pool that somebody may use, by name. */
struct entitled_pool {
	char id[37];
	char name[257], display_name[257], description[2048];
	char kind[16];
	bool enabled;
	int user_snapshots; /* that a user may keep of his desktop */
	int64_t created, updated;
};

typedef void (*db_entitlement_visit)(const struct entitlement_row *e, void *arg);
typedef void (*db_entitled_visit)(const struct entitled_pool *p, void *arg);

int db_entitlement_get(struct db *db, const char *id, struct entitlement_row *ret, struct pst_err *err);
/* PST_ECONFLICT when it stands already. */
int db_entitlement_insert(struct db *db, const struct entitlement_row *e, struct pst_err *err);
int db_entitlement_delete(struct db *db, const char *id, struct pst_err *err);
/* In the order of ids, those after `after`. */
int db_entitlement_list(struct db *db, const struct entitlement_filter *f, const char *after, int limit,
	db_entitlement_visit visit, void *arg, struct pst_err *err);

/* An enabled user's pools, directly and by groups; pools that are being deleted are left out. */
int db_entitled_pools(struct db *db, const char *user, int limit, db_entitled_visit visit, void *arg,
	struct pst_err *err);
/* The same question for one pool; false for a user who is disabled or does not exist. */
int db_is_entitled(struct db *db, const char *user, const char *pool, bool *ret, struct pst_err *err);
/* Users with a live assignment who may use its pool no more: (user, pool) pairs. */
int db_entitlement_strays(struct db *db, int limit, db_ref_visit visit, void *arg, struct pst_err *err);
