/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log-ins over a database in memory, and the chain of the audit.
 * Covers: broker/auth/account.c broker/auth/tokens.c db/penalty.c db/user.c db/login.c db/audit.c
 */
#include "broker/auth/auth.h"

#include "base/clock.h"
#include "base/loop.h"
#include "db/audit.h"
#include "db/db.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"

static uv_loop_t loop;
static struct db *db;
static struct auth *auth;

struct outcome {
	bool is_there;
	enum auth_verdict verdict;
	int retry_after_s;
};

static void start(void)
{
	struct auth_settings s;
	struct user_row u = {.id = ID, .name = "Ana", .enabled = true, .created = 1, .updated = 1};

	auth_settings_default(&s);
	s.threads = 1;
	s.account.free_failures = 1;
	uv_loop_init(&loop);
	cr_assert_eq(db_open(":memory:", &db, NULL), 0);
	cr_assert_eq(db_migrate(db, NULL), 0);
	cr_assert_eq(password_hash("a long one", u.password_hash), 0);
	cr_assert_eq(db_user_insert(db, &u, NULL), 0);
	auth = auth_create(&loop, db, &s);
	cr_assert(auth);
}

static void stop(void)
{
	auth_destroy(auth);
	pst_loop_drain(&loop);
	db_close(db);
}

TestSuite(auth, .init = start, .fini = stop);

static void done(const struct auth_result *r, void *arg)
{
	*(struct outcome *)arg = (struct outcome){true, r->verdict, r->retry_after_s};
}

static struct outcome check(const char *user, const char *password)
{
	struct outcome o = {.is_there = false};

	auth_check(auth, "web", user, password, "10.0.0.1", done, &o);
	while (!o.is_there)
		uv_run(&loop, UV_RUN_ONCE);
	return o;
}

Test(auth, right_and_wrong_and_unknown_and_blocked)
{
	cr_expect_eq(check("ana", "a long one").verdict, AUTH_OK);
	cr_expect_eq(check("ANA", "a wrong one").verdict, AUTH_WRONG);
	cr_expect_eq(check("ana", "a wrong one").verdict, AUTH_WRONG);
	struct outcome o = check("ana", "a long one");
	cr_expect_eq(o.verdict, AUTH_WAIT);
	cr_expect_gt(o.retry_after_s, 0);
	cr_expect_gt(auth_blocked_ms(auth, "Ana"), 0);
	cr_assert_eq(auth_unblock(auth, "ana", NULL), 0);
	cr_expect_eq(check("ana", "a long one").verdict, AUTH_OK);
	cr_expect_eq(check("nobody", "x").verdict, AUTH_WRONG);
	cr_expect_eq(check("nobody", "x").verdict, AUTH_WRONG);
	cr_expect_eq(check("nobody", "x").verdict, AUTH_WAIT);
}

Test(auth, a_restart_forgets_no_wrong_password_and_ten_block_until_unlocked)
{
	static const char *const names[] = {"ana", "nobody"};
	struct auth_settings s;

	auth_settings_default(&s);
	s.threads = 1;
	s.account = (struct penalty_rule){.free_failures = 100, .max_ms = 1, .block_failures = 3};
	for (int i = 0; i < 3; i++) {
		auth_destroy(auth);
		auth = auth_create(&loop, db, &s);
		for (size_t n = 0; n < 2; n++)
			cr_expect_eq(check(names[n], "a wrong one").verdict, AUTH_WRONG, "try %d", i);
	}
	for (size_t n = 0; n < 2; n++) {
		cr_expect_eq(check(names[n], "a long one").verdict, AUTH_BLOCKED, "%s", names[n]);
		cr_expect_eq(auth_blocked_ms(auth, names[n]), PENALTY_BLOCKED);
	}
	auth_sweep(auth);
	cr_expect_eq(check("ana", "a long one").verdict, AUTH_BLOCKED, "no sweep opens it");
	cr_assert_eq(auth_unblock(auth, "ANA", NULL), 0);
	cr_expect_eq(check("ana", "a long one").verdict, AUTH_OK);
}

Test(auth, tokens_find_their_user_until_they_end)
{
	char token[AUTH_TOKEN_SIZE], bearer[AUTH_BEARER_SIZE];
	struct token_row t = {.user_id = ID};
	struct login_owner owner;
	struct login_row login;
	struct user_row u;

	cr_assert_eq(db_user_get(db, "ana", &u, NULL), 0);
	cr_assert_eq(auth_web_open(auth, &u, "r", "a", token, &login, NULL), 0);
	cr_assert_eq(auth_web_find(auth, token, &login, &owner, NULL), 0);
	cr_expect_str_eq(owner.user_name, "Ana");
	cr_expect_eq(auth_display_find(auth, token, &login, &owner, NULL), PST_EAUTH, "a web log-in opens no display");
	cr_expect(auth_is_live(auth, login.id, ""));
	cr_assert_eq(db_login_delete(db, login.id, NULL), 0);
	cr_expect_eq(auth_web_find(auth, token, &login, &owner, NULL), PST_EAUTH);
	cr_assert_eq(auth_bearer_make(auth, &t, bearer, NULL), 0);
	cr_assert_eq(auth_bearer_find(auth, bearer, &t, &owner, NULL), 0);
	u.enabled = false;
	cr_assert_eq(db_user_update(db, &u, NULL), 0);
	cr_expect_eq(auth_bearer_find(auth, bearer, &t, &owner, NULL), PST_EAUTH);
	cr_expect_not(auth_is_live(auth, "", t.id));
	cr_expect_eq(auth_bearer_find(auth, "pst_", &t, &owner, NULL), PST_EAUTH);
}

Test(auth, the_chain_of_the_audit_holds)
{
	struct audit_verdict v = {.ok = true};
	bool all = false;

	for (int i = 0; i < 25; i++) {
		struct audit_row r = {.time = i, .actor_kind = "system", .kind = "test", .detail = "{}"};

		snprintf(r.object_id, sizeof(r.object_id), "%d", i);
		cr_assert_eq(db_audit_append(db, &r, NULL), 0);
		cr_expect_eq(r.seq, i + 1);
	}
	while (!all)
		cr_assert_eq(db_audit_verify(db, &v, 10, &all, NULL), 0);
	cr_expect(v.ok);
	cr_expect_eq(v.events, 25);
}
