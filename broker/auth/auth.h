/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is calling: password checks, web log-ins, display log-ins and bearer tokens. Loop thread
 * only. A failed check never says why; a name that does not exist costs the same time and earns
 * the same delays as a wrong password.
 */
#pragma once

#include "base/err.h"
#include "broker/auth/cookie.h"
#include "broker/auth/hasher.h"
#include "broker/auth/penalty.h"
#include "db/login.h"
#include "db/user.h"

#include <uv.h>

struct db;
struct auth;

#define AUTH_TOKEN_SIZE 44 /* base64url of 32 bytes and a zero */
#define AUTH_BEARER_SIZE (AUTH_TOKEN_SIZE + 4) /* "pst_" in front, for secret scanners */

struct auth_settings {
	unsigned threads;          /* 0: one per core */
	int64_t idle_ms, total_ms; /* of a web log-in */
	int64_t display_ms;        /* of a display log-in */
	struct penalty_rule account, source;
};

void auth_settings_default(struct auth_settings *s);

/* Borrows db, which outlives it. NULL on no memory. */
struct auth *auth_create(uv_loop_t *loop, struct db *db, const struct auth_settings *s);
void auth_destroy(struct auth *a);

/* Blocked: too many wrong passwords; only an administrator ends that. */
enum auth_verdict { AUTH_OK, AUTH_WRONG, AUTH_WAIT, AUTH_BLOCKED, AUTH_BUSY, AUTH_ERROR };

struct auth_result {
	enum auth_verdict verdict;
	int retry_after_s;            /* AUTH_WAIT, AUTH_BUSY */
	const struct user_row *user;  /* AUTH_OK; borrowed for the call */
};

typedef void (*auth_done_cb)(const struct auth_result *result, void *arg);

/*
 * Checks name and password; done comes once, maybe before this returns (delays, busy). via is a
 * word for the audit: web, rdp, rfb. The audit has an event for each verdict but busy.
 */
void auth_check(struct auth *a, const char *via, const char *user, const char *password, const char *remote,
	auth_done_cb done, void *arg);

/* The hash of a new password; ok false: no memory. PST_EBUSY when the pool is full. */
int auth_hash(struct auth *a, const char *source, const char *password, hasher_done_cb done, void *arg);

/* No callback with this arg comes any more. */
void auth_cancel(struct auth *a, void *arg);

/* A new web log-in with a fresh token and CSRF value. */
int auth_web_open(struct auth *a, const struct user_row *u, const char *remote, const char *agent,
	char ret_token[AUTH_TOKEN_SIZE], struct login_row *ret, struct pst_err *err);
/* Also moves its idle time on. PST_EAUTH when there is no such log-in (any more). */
int auth_web_find(struct auth *a, const char *token, struct login_row *ret, struct login_owner *ret_owner,
	struct pst_err *err);

int auth_display_open(struct auth *a, const struct user_row *u, const char *pool_id, const char *remote,
	char ret_token[AUTH_TOKEN_SIZE], struct pst_err *err);
int auth_display_find(struct auth *a, const char *token, struct login_row *ret, struct login_owner *ret_owner,
	struct pst_err *err);

/* The row's user, name and end are given; id and created are filled here. */
int auth_bearer_make(struct auth *a, struct token_row *t, char ret_token[AUTH_BEARER_SIZE], struct pst_err *err);
int auth_bearer_find(struct auth *a, const char *token, struct token_row *ret, struct login_owner *ret_owner,
	struct pst_err *err);

/* For what lasts longer than a call: is the log-in (or the token, the other one "") still good? */
bool auth_is_live(struct auth *a, const char *login_id, const char *token_id);

/* Forgets log-ins that are over; every minute or so. */
void auth_sweep(struct auth *a);
/* An admin lets a blocked account in again. */
int auth_unblock(struct auth *a, const char *user, struct pst_err *err);
/* Milliseconds an account has still to wait; PENALTY_BLOCKED: until auth_unblock(). */
uint64_t auth_blocked_ms(struct auth *a, const char *user);
