/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who still needs a provider or an image: one statement for both, by the column that names it. */
#pragma once

#include "db/db.h"
#include "db/row.h"

#define DB_USERS_FEW(table, column, where)                                                                      \
	"(SELECT group_concat(name, ', ') FROM (SELECT name FROM " table " WHERE " column " = ?1" where         \
	" ORDER BY name LIMIT 5))"
#define DB_USERS_SQL(column)                                                                                    \
	"SELECT " DB_USERS_FEW("pools", column, "") ", " DB_USERS_FEW("desktops", column, " AND lifecycle <> 'deleted'")

/* Ends the query. */
int db_users_read(struct db_query *q, struct db_users *ret);
