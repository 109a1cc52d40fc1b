/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens that stand for a log-in: 256 random bits at the client, their SHA-256 in the database. */
#include "broker/auth/auth_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/text.h"
#include "db/penalty.h"
#include "db/db.h"

#include <stdio.h>
#include <string.h>

#define BEARER_PREFIX "pst_"

/* The idle time is written at most this often: each write is a disk flush. */
#define SEEN_STEP_MS (60 * 1000)
#define USED_STEP_MS (60 * 1000)
#define IDEMPOTENCY_KEEP_MS (24 * 3600 * 1000)
#define PENALTY_ROWS_MAX 16384

static void new_id(char out[37])
{
	struct pst_uuid u = pst_uuid_make();

	pst_uuid_text(&u, out);
}

static void token_hash(const char *token, uint8_t out[32])
{
	pst_sha256(token, strlen(token), out);
}

static int login_open(struct auth *a, struct login_row *l, char ret_token[AUTH_TOKEN_SIZE], struct pst_err *err)
{
	uint8_t hash[32];

	new_id(l->id);
	pst_token(ret_token, COOKIE_TOKEN_BYTES);
	token_hash(ret_token, hash);
	return db_login_insert(a->db, l, hash, err);
}

int auth_web_open(struct auth *a, const struct user_row *u, const char *remote, const char *agent,
	char ret_token[AUTH_TOKEN_SIZE], struct login_row *ret, struct pst_err *err)
{
	int64_t now = pst_wall_ms();
	struct login_row l = {.created = now, .seen = now, .expires = now + a->settings.total_ms};

	pst_strlcpy(l.kind, sizeof(l.kind), "web");
	pst_strlcpy(l.user_id, sizeof(l.user_id), u->id);
	pst_strlcpy(l.remote, sizeof(l.remote), remote);
	pst_strlcpy(l.agent, sizeof(l.agent), agent);
	pst_token(l.csrf, 24);
	*ret = l;
	return login_open(a, ret, ret_token, err);
}

int auth_web_find(struct auth *a, const char *token, struct login_row *ret, struct login_owner *ret_owner,
	struct pst_err *err)
{
	int64_t now = pst_wall_ms();
	uint8_t hash[32];

	token_hash(token, hash);
	int rc = db_login_find(a->db, "web", hash, now, now - a->settings.idle_ms, ret, ret_owner, err);
	if (rc == PST_ENOTFOUND)
		return PST_EAUTH;
	if (rc == 0 && now - ret->seen >= SEEN_STEP_MS)
		rc = db_login_seen(a->db, ret->id, now, err);
	return rc;
}

int auth_display_open(struct auth *a, const struct user_row *u, const char *pool_id, const char *remote,
	char ret_token[AUTH_TOKEN_SIZE], struct pst_err *err)
{
	int64_t now = pst_wall_ms();
	struct login_row l = {.created = now, .seen = now, .expires = now + a->settings.display_ms};

	pst_strlcpy(l.kind, sizeof(l.kind), "display");
	pst_strlcpy(l.user_id, sizeof(l.user_id), u->id);
	pst_strlcpy(l.pool_id, sizeof(l.pool_id), pool_id);
	pst_strlcpy(l.remote, sizeof(l.remote), remote);
	return login_open(a, &l, ret_token, err);
}

int auth_display_find(struct auth *a, const char *token, struct login_row *ret, struct login_owner *ret_owner,
	struct pst_err *err)
{
	int64_t now = pst_wall_ms();
	uint8_t hash[32];

	token_hash(token, hash);
	int rc = db_login_find(a->db, "display", hash, now, now - a->settings.display_ms, ret, ret_owner, err);
	return rc == PST_ENOTFOUND ? PST_EAUTH : rc;
}

int auth_bearer_make(struct auth *a, struct token_row *t, char ret_token[AUTH_BEARER_SIZE], struct pst_err *err)
{
	char secret[AUTH_TOKEN_SIZE];
	uint8_t hash[32];

	new_id(t->id);
	t->created = pst_wall_ms();
	pst_token(secret, COOKIE_TOKEN_BYTES);
	snprintf(ret_token, AUTH_BEARER_SIZE, BEARER_PREFIX "%s", secret);
	pst_wipe(secret, sizeof(secret));
	token_hash(ret_token, hash);
	return db_token_insert(a->db, t, hash, err);
}

int auth_bearer_find(struct auth *a, const char *token, struct token_row *ret, struct login_owner *ret_owner,
	struct pst_err *err)
{
	int64_t now = pst_wall_ms();
	uint8_t hash[32];

	if (strlen(token) != AUTH_BEARER_SIZE - 1 || !pst_str_starts(token, BEARER_PREFIX))
		return PST_EAUTH;
	token_hash(token, hash);
	int rc = db_token_find(a->db, hash, now, ret, ret_owner, err);
	if (rc == PST_ENOTFOUND)
		return PST_EAUTH;
	if (rc == 0 && now - ret->last_used >= USED_STEP_MS)
		rc = db_token_used(a->db, ret->id, now, err);
	return rc;
}

bool auth_is_live(struct auth *a, const char *login_id, const char *token_id)
{
	int64_t now = pst_wall_ms();
	bool live = false;

	/* A database that cannot be read just now ends nobody's stream. */
	return db_login_is_live(a->db, login_id, token_id, now, now - a->settings.idle_ms, &live, NULL) < 0 || live;
}

void auth_sweep(struct auth *a)
{
	int64_t now = pst_wall_ms();

	db_login_sweep(a->db, now, now - a->settings.idle_ms, NULL);
	db_idempotency_sweep(a->db, now - IDEMPOTENCY_KEEP_MS, NULL);
	db_penalty_sweep(a->db, now, (int64_t)a->settings.account.fade_ms, PENALTY_ROWS_MAX, NULL);
}
