/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of hosts that an administrator has taken out of service. */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_host {
	char provider_id[DB_ID_SIZE], provider[DB_WORD_SIZE], host[DB_WORD_SIZE]; /* provider: its name, when read */
	char by[DB_NAME_SIZE];
	int at_once, total;
	int64_t created; /* wall milliseconds */
};

/* New, or the same host with other numbers. */
int db_host_put(struct db *db, const struct db_host *row, struct pst_err *err);
/* 0 also when there was none. */
int db_host_delete(struct db *db, const char *provider_id, const char *host, struct pst_err *err);
/* row is borrowed for the call; what fn returns other than 0 ends it. */
int db_host_each(struct db *db, int (*fn)(void *arg, const struct db_host *row), void *arg, struct pst_err *err);
