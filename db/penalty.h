/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names with wrong passwords: rows of login_penalties. */
#pragma once

#include <stdint.h>

struct db;
struct pst_err;

struct penalty_row {
	uint8_t name_hash[32];
	int64_t failures, last, until; /* wall ms */
};

/* All zeros but the hash when there is no row. */
int db_penalty_get(struct db *db, const uint8_t name_hash[32], struct penalty_row *ret, struct pst_err *err);
int db_penalty_put(struct db *db, const struct penalty_row *row, struct pst_err *err);
int db_penalty_delete(struct db *db, const uint8_t name_hash[32], struct pst_err *err);
/* Removes what has faded (`fade_ms` for each failure; blocked ones stay), and what is more than `keep`:
 * the fewest failures first, then the oldest. */
int db_penalty_sweep(struct db *db, int64_t now, int64_t fade_ms, int64_t keep, struct pst_err *err);
