/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log-ins (a browser's cookie, a display client's password check) and bearer tokens. Only the
 * SHA-256 of what a client holds is kept. Times are wall ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct db;
struct pst_err;

struct login_row {
	char id[37];
	char user_id[37];
	char kind[8];     /* web, display */
	char pool_id[37]; /* display only */
	char csrf[64];
	char remote[64];
	char agent[257];
	int64_t created, seen, expires;
};

/* Who a token, of either sort, stands for: only enabled users are found. */
struct login_owner {
	char user_id[37];
	char user_name[257];
	char display_name[257];
	char locale[3];
	bool is_admin;
};

struct token_row {
	char id[37];
	char user_id[37];
	char name[257];
	int64_t last_used, expires, created; /* 0: never */
};

typedef void (*db_token_visit)(const struct token_row *t, void *arg);

int db_login_insert(struct db *db, const struct login_row *l, const uint8_t hash[32], struct pst_err *err);
/* PST_ENOTFOUND when it is unknown, older than its end, or idle since before idle_since. */
int db_login_find(struct db *db, const char *kind, const uint8_t hash[32], int64_t now, int64_t idle_since,
	struct login_row *ret, struct login_owner *ret_owner, struct pst_err *err);
int db_login_seen(struct db *db, const char *id, int64_t now, struct pst_err *err);
int db_login_delete(struct db *db, const char *id, struct pst_err *err);
/* All of a user's (NULL: everybody's) log-ins, except one (NULL: none). */
int db_login_delete_all(struct db *db, const char *user_id, const char *except, struct pst_err *err);
/* Those that ended or were idle; returns through changes how many. */
int db_login_sweep(struct db *db, int64_t now, int64_t idle_since, struct pst_err *err);
/* Does this log-in, or this token, still stand for an enabled user? */
int db_login_is_live(struct db *db, const char *login_id, const char *token_id, int64_t now, int64_t idle_since,
	bool *ret, struct pst_err *err);
int db_login_count(struct db *db, int64_t now, int64_t *ret, struct pst_err *err);

int db_token_insert(struct db *db, const struct token_row *t, const uint8_t hash[32], struct pst_err *err);
int db_token_find(struct db *db, const uint8_t hash[32], int64_t now, struct token_row *ret,
	struct login_owner *ret_owner, struct pst_err *err);
int db_token_used(struct db *db, const char *id, int64_t now, struct pst_err *err);
int db_token_list(struct db *db, const char *user_id, int limit, db_token_visit visit, void *arg,
	struct pst_err *err);
/* PST_ENOTFOUND when it is not this user's. */
int db_token_delete(struct db *db, const char *user_id, const char *id, struct pst_err *err);
/* A user's (NULL: everybody's). */
int db_token_delete_all(struct db *db, const char *user_id, struct pst_err *err);
/* The answer to an Idempotency-Key. PST_ENOTFOUND: it is new. */
int db_idempotency_find(struct db *db, const char *user_id, const char *key, uint8_t ret_request[32], int *ret_status,
	char **ret_body /* owned */, struct pst_err *err);
int db_idempotency_insert(struct db *db, const char *user_id, const char *key, const uint8_t request[32], int status,
	const char *body, int64_t now, struct pst_err *err);
int db_idempotency_sweep(struct db *db, int64_t before, struct pst_err *err);
