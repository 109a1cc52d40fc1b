/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of desktops, and the small secrets that only the database keeps.
 */
#pragma once

#include "db/db.h"
#include "db/row.h"

struct db_desktop {
	char id[DB_ID_SIZE], name[DB_NAME_SIZE], pool_id[DB_ID_SIZE], provider_id[DB_ID_SIZE];
	char image_id[DB_ID_SIZE], image_version[DB_WORD_SIZE];
	const char *lifecycle, *power, *agent, *lease, *session, *hygiene, *sleep, *personal_phase; /* read: borrowed for the call */
	struct db_reason reason;
	int64_t epoch, uid;
	char host[DB_WORD_SIZE], placed_en[DB_TEXT_SIZE], placed_es[DB_TEXT_SIZE];
	char endpoint[1024], boot[DB_ID_SIZE]; /* endpoint: JSON text or "" */
	char personal_owner[DB_ID_SIZE];
	bool personal_held;
	bool drain, parked, probe, keyed; /* keyed: a grant key is there; written false, the key is wiped */
	int64_t failures, created, updated;
};

/* Writes the row, new or not. A row that becomes "deleted" gets its time of deletion. */
int db_desktop_put(struct db *db, const struct db_desktop *row, struct pst_err *err);
/* Every desktop that is not deleted, in the order of creation. */
int db_desktop_each(struct db *db, int (*fn)(void *arg, const struct db_desktop *row), void *arg,
                    struct pst_err *err);

/* The hash of the enrolment token of the newest task. */
int db_desktop_set_enrol_hash(struct db *db, const char *id, const uint8_t hash[32], struct pst_err *err);
/* One use: clears the hash and stores the key when the hash is the stored one; else PST_EDENIED. */
int db_desktop_enrol(struct db *db, const char *id, const uint8_t hash[32], const uint8_t key[32],
                     struct pst_err *err);
int db_desktop_key(struct db *db, const char *id, uint8_t ret_key[32], struct pst_err *err);
/* The secret that enrolment tokens are made from. */
int db_enrol_key(struct db *db, uint8_t ret_key[32], struct pst_err *err);
/* Forgets tombstones older than a wall time that nothing refers to. */
int db_desktop_prune(struct db *db, int64_t before, struct pst_err *err);
