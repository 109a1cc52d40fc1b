/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Password checks: delays first, then a thread of the pool, then the audit and the answer. */
#include "broker/auth/auth_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "db/audit.h"
#include "db/db.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS (60 * 1000)

struct check {
	struct check *next;
	struct auth *a;
	char via[8];
	char name[NAME_MAX_BYTES + 1]; /* as it was typed */
	char key[NAME_MAX_BYTES + 1];  /* the account of the penalties: the name before it is made readable */
	char password[PASSWORD_MAX_BYTES + 1]; /* until a rehash needs it no more */
	char remote[64];
	char source[HASHER_SOURCE_SIZE];
	bool known;
	struct user_row user;
	auth_done_cb done;
	void *arg;
};

void auth_settings_default(struct auth_settings *s)
{
	*s = (struct auth_settings){
		.idle_ms = 30 * MINUTE_MS,
		.total_ms = 12 * 60 * MINUTE_MS,
		.display_ms = 10 * MINUTE_MS,
		.account = {.free_failures = 4, .base_ms = 2000, .max_ms = 15 * MINUTE_MS, .fade_ms = 10 * MINUTE_MS,
			.block_failures = 10},
		.source = {.free_failures = 30, .base_ms = 2000, .max_ms = 10 * MINUTE_MS, .fade_ms = MINUTE_MS},
	};
}

struct auth *auth_create(uv_loop_t *loop, struct db *db, const struct auth_settings *s)
{
	struct auth *a = pst_zalloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->db = db;
	a->settings = *s;
	a->hasher = hasher_create(loop, s->threads);
	a->sources = penalty_create(&s->source, PENALTY_ENTRIES_MAX);
	if (!a->hasher || !a->sources) {
		auth_destroy(a);
		return NULL;
	}
	return a;
}

static void check_free(struct check *c)
{
	struct check **at = &c->a->checks;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	pst_wipe(c, sizeof(*c));
	free(c);
}

void auth_destroy(struct auth *a)
{
	if (!a)
		return;
	hasher_destroy(a->hasher);
	while (a->checks)
		check_free(a->checks);
	penalty_destroy(a->sources);
	free(a);
}

/* One network counts as one source: an IPv4 address, the first half of an IPv6 one. */
static void source_of(const char *remote, char *out, size_t out_size)
{
	unsigned char v6[16];

	if (inet_pton(AF_INET6, remote, v6) != 1) {
		pst_strlcpy(out, out_size, remote);
		return;
	}
	memset(v6 + 8, 0, 8);
	if (!inet_ntop(AF_INET6, v6, out, (socklen_t)out_size))
		pst_strlcpy(out, out_size, remote);
}

static void audit_login(struct check *c, const char *kind, int64_t now, struct pst_err *err, int *rc)
{
	struct audit_row row = {.time = now};

	snprintf(row.kind, sizeof(row.kind), "%s", kind);
	snprintf(row.actor_kind, sizeof(row.actor_kind), "%s", c->known ? "user" : "unknown");
	snprintf(row.actor_id, sizeof(row.actor_id), "%s", c->known ? c->user.id : "");
	snprintf(row.actor_name, sizeof(row.actor_name), "%s", c->name);
	snprintf(row.remote, sizeof(row.remote), "%s", c->remote);
	if (c->known) {
		snprintf(row.object_kind, sizeof(row.object_kind), "user");
		snprintf(row.object_id, sizeof(row.object_id), "%s", c->user.id);
	}
	snprintf(row.detail, sizeof(row.detail), "{\"via\":\"%s\"}", c->via);
	*rc = db_audit_append(c->a->db, &row, err);
}

/* The account's delay and the audit, or neither. *wait_ms comes with the source's delay. */
static int record(struct check *c, bool ok, uint64_t *wait_ms, struct pst_err *err)
{
	struct db *db = c->a->db;
	int64_t now = pst_wall_ms();
	uint64_t by_account = 0;
	int rc = db_begin(db, err);

	if (rc < 0)
		return rc;
	rc = ok ? account_clear(c->a, c->key, err) : account_fail(c->a, c->key, &by_account, err);
	*wait_ms = PST_MAX(*wait_ms, by_account);
	if (rc == 0 && c->known && ok)
		rc = db_user_login_ok(db, c->user.id, c->remote, now, err);
	else if (rc == 0 && c->known)
		rc = db_user_login_failed(db, c->user.id, err);
	if (rc == 0)
		audit_login(c, ok ? "login.ok" : *wait_ms ? "login.blocked" : "login.failed", now, err, &rc);
	if (rc == 0)
		rc = db_commit(db, err);
	if (rc < 0)
		db_rollback(db);
	return rc;
}

static void answer(struct check *c, enum auth_verdict verdict, uint64_t wait_ms)
{
	struct auth_result r = {
		.verdict = verdict,
		.retry_after_s = wait_ms == PENALTY_BLOCKED ? 0 : (int)((wait_ms + 999) / 1000),
		.user = verdict == AUTH_OK ? &c->user : NULL,
	};

	if (c->done)
		c->done(&r, c->arg);
	check_free(c);
}

static void rehashed_cb(const struct hasher_result *r, void *arg)
{
	struct check *c = arg;

	if (r->ok)
		db_user_set_password(c->a->db, c->user.id, r->phc, pst_wall_ms(), NULL);
	check_free(c);
}

static void rehash(struct check *c)
{
	if (hasher_make(c->a->hasher, c->source, c->password, rehashed_cb, c) < 0)
		check_free(c);
}

static void verified_cb(const struct hasher_result *r, void *arg)
{
	struct check *c = arg;
	struct auth *a = c->a;
	struct pst_err err = PST_ERR_INIT;
	bool ok = r->ok && c->known && c->user.enabled;
	uint64_t wait_ms = ok ? 0 : penalty_fail(a->sources, c->source, pst_mono_ms());

	if (record(c, ok, &wait_ms, &err) < 0) {
		pst_error("log-in refused, the audit cannot be written: %s", err.text);
		answer(c, AUTH_ERROR, 0);
	} else if (!ok) {
		answer(c, AUTH_WRONG, wait_ms);
	} else if (r->rehash) {
		struct auth_result res = {.verdict = AUTH_OK, .user = &c->user};

		if (c->done)
			c->done(&res, c->arg);
		c->done = NULL;
		c->arg = NULL;
		rehash(c);
	} else {
		answer(c, AUTH_OK, 0);
	}
}

static struct check *check_create(struct auth *a, const char *via, const char *user, const char *password,
	const char *remote)
{
	struct check *c = pst_zalloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->a = a;
	pst_strlcpy(c->via, sizeof(c->via), via);
	pst_strlcpy(c->name, sizeof(c->name), user);
	memcpy(c->key, c->name, sizeof(c->key));
	pst_strlcpy(c->remote, sizeof(c->remote), remote);
	source_of(c->remote, c->source, sizeof(c->source));
	bool fits = strlen(password) < sizeof(c->password) && strlen(user) < sizeof(c->name);
	if (fits)
		pst_strlcpy(c->password, sizeof(c->password), password);
	c->known = fits && username_check(user, NULL) == 0 && db_user_by_name(a->db, user, &c->user, NULL) == 0;
	c->next = a->checks;
	a->checks = c;
	return c;
}

/* A name that is no name is shown without its worst characters. */
static void name_make_readable(struct check *c)
{
	if (name_check("name", c->name, NULL) == 0)
		return;
	for (char *p = c->name; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	}
}

void auth_check(struct auth *a, const char *via, const char *user, const char *password, const char *remote,
	auth_done_cb done, void *arg)
{
	struct check *c = check_create(a, via, user, password, remote);
	struct auth_result failed = {.verdict = AUTH_ERROR};

	if (!c) {
		done(&failed, arg);
		return;
	}
	c->done = done;
	c->arg = arg;
	uint64_t by_account, by_source = penalty_wait_ms(a->sources, c->source, pst_mono_ms());
	if (account_wait(a, c->key, &by_account, NULL) < 0) {
		answer(c, AUTH_ERROR, 0);
		return;
	}
	if (by_account || by_source) {
		answer(c, by_account == PENALTY_BLOCKED ? AUTH_BLOCKED : AUTH_WAIT, PST_MAX(by_account, by_source));
		return;
	}
	name_make_readable(c);
	const char *phc = c->known && c->user.password_hash[0] ? c->user.password_hash : NULL;
	if (hasher_verify(a->hasher, c->source, phc, c->password, verified_cb, c) < 0)
		answer(c, AUTH_BUSY, 2000);
}

int auth_hash(struct auth *a, const char *source, const char *password, hasher_done_cb done, void *arg)
{
	return hasher_make(a->hasher, source, password, done, arg);
}

void auth_cancel(struct auth *a, void *arg)
{
	hasher_cancel(a->hasher, arg);
	for (struct check *c = a->checks; c; c = c->next) {
		if (c->arg == arg)
			c->done = NULL;
	}
}

int auth_unblock(struct auth *a, const char *user, struct pst_err *err)
{
	return account_clear(a, user, err);
}

uint64_t auth_blocked_ms(struct auth *a, const char *user)
{
	uint64_t wait_ms;

	return account_wait(a, user, &wait_ms, NULL) == 0 ? wait_ms : 0;
}
