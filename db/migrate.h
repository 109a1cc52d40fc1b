/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The numbered migrations that are built into the program, from db/schema/.
 */
#pragma once

struct db_migration {
	int number; /* 0 ends the table */
	const char *name, *sql;
};

extern const struct db_migration db_migrations[];
