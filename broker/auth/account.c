/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The delays of accounts, in the database: a restart forgets no wrong password. A name that is
 * nobody's has a row like any other, so that nothing tells them apart.
 */
#include "broker/auth/auth_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "db/penalty.h"

#include <ctype.h>
#include <string.h>

/* The column is signed. */
#define UNTIL_BLOCKED INT64_MAX

/* As the database compares names: ASCII letters without case. */
static void name_hash(const char *name, uint8_t out[32])
{
	char key[NAME_MAX_BYTES + 1];

	pst_strlcpy(key, sizeof(key), name);
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	pst_sha256(key, strlen(key), out);
}

static int account_load(struct auth *a, const char *name, struct penalty_row *row, struct penalty_state *s,
	struct pst_err *err)
{
	uint8_t hash[32];

	name_hash(name, hash);
	int rc = db_penalty_get(a->db, hash, row, err);
	*s = (struct penalty_state){
		.failures = (uint32_t)row->failures,
		.last_ms = (uint64_t)row->last,
		.until_ms = row->until == UNTIL_BLOCKED ? PENALTY_BLOCKED : (uint64_t)row->until,
	};
	return rc;
}

int account_wait(struct auth *a, const char *name, uint64_t *ret_wait_ms, struct pst_err *err)
{
	struct penalty_state s;
	struct penalty_row row;
	int rc = account_load(a, name, &row, &s, err);

	*ret_wait_ms = penalty_state_wait_ms(&a->settings.account, &s, (uint64_t)pst_wall_ms());
	return rc;
}

int account_fail(struct auth *a, const char *name, uint64_t *ret_wait_ms, struct pst_err *err)
{
	struct penalty_state s;
	struct penalty_row row;
	int rc = account_load(a, name, &row, &s, err);

	if (rc < 0)
		return rc;
	*ret_wait_ms = penalty_state_fail(&a->settings.account, &s, (uint64_t)pst_wall_ms());
	row.failures = s.failures;
	row.last = (int64_t)s.last_ms;
	row.until = s.until_ms == PENALTY_BLOCKED ? UNTIL_BLOCKED : (int64_t)s.until_ms;
	return db_penalty_put(a->db, &row, err);
}

int account_clear(struct auth *a, const char *name, struct pst_err *err)
{
	uint8_t hash[32];

	name_hash(name, hash);
	return db_penalty_delete(a->db, hash, err);
}
