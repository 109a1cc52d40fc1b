/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the answer of DB_USERS_SQL. */
#include "db/users.h"

int db_users_read(struct db_query *q, struct db_users *ret)
{
	*ret = (struct db_users){ .pools = "" };
	if (db_query_step(q)) {
		db_col_text(q, ret->pools, sizeof(ret->pools));
		db_col_text(q, ret->desktops, sizeof(ret->desktops));
	}
	return db_query_end(q);
}
