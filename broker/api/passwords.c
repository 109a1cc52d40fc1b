/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Setting passwords (by an admin, or one's own) and bearer tokens. */
#include "broker/api/users.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 200

/* --- passwords ------------------------------------------------------------------- */

/* The user's log-ins end, but not the one that changes its own password. */
static void store(struct api_call *call, const struct user_row *u, const char *phc)
{
	struct db *db = call->api->db;
	struct pst_err err = PST_ERR_INIT;
	bool own = strcmp(u->id, call->who.user.user_id) == 0 && call->who.by_cookie;

	if (write_begin(call) < 0)
		return;
	int rc = db_user_set_password(db, u->id, phc, pst_wall_ms(), &err);
	if (rc == 0)
		rc = db_login_delete_all(db, u->id, own ? call->who.login.id : NULL, &err);
	if (rc == 0)
		rc = auth_unblock(call->api->auth, u->name, &err);
	if (rc < 0)
		write_fail(call, &err);
	else if (write_commit(call, "user.password_set", "user", u->id, json_pack("{s:s}", "name", u->name)) == 0)
		call_empty(call);
}

static void hashed(const struct hasher_result *r, void *arg)
{
	struct api_call *call = arg;
	struct user_row *u = call->state;

	if (r->ok)
		store(call, u, r->phc);
	else
		call_problem(call, "internal", NULL);
	pst_wipe(u, sizeof(*u));
	free(u);
	call_finish(call);
}

static bool is_good(struct api_call *call, const char *password)
{
	struct pst_err err = PST_ERR_INIT;

	if (password_check(password, &err) == 0)
		return true;
	call_field(call, "password", "password: %s", err.text);
	return false;
}

void api_user_password(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "password", .kind = FIELD_SECRET, .required = true, .size = PASSWORD_MAX_BYTES + 2}};
	char password[PASSWORD_MAX_BYTES + 2] = "";
	struct user_row u;

	if (user_find(call, call->params[0], &u) == 0 && fields_read(call, call->body, "", table, 1, password, NULL) == 0 &&
		is_good(call, password))
		user_hash_then(call, &u, password, hashed);
	pst_wipe(password, sizeof(password));
}

/* One's own: the old one is checked like a log-in, with its delays. */
struct change {
	char current[PASSWORD_MAX_BYTES + 2], password[PASSWORD_MAX_BYTES + 2];
};

static void change_free(struct api_call *call)
{
	pst_wipe(call->state, sizeof(struct change));
	free(call->state);
	call->state = NULL;
}

static void refuse(struct api_call *call, const struct auth_result *r)
{
	call->retry_after = r->retry_after_s;
	switch (r->verdict) {
	case AUTH_WRONG:
		call->retry_after = 0;
		call_field(call, "current", "current: it is not your password");
		break;
	case AUTH_WAIT:
		call_problem(call, "wait", NULL);
		break;
	case AUTH_BLOCKED:
		call_problem(call, "blocked", NULL);
		break;
	case AUTH_BUSY:
		call_problem(call, "busy", NULL);
		break;
	default:
		call_problem(call, "storage", NULL);
	}
}

static void checked(const struct auth_result *r, void *arg)
{
	struct api_call *call = arg;
	struct change *c = call->state;
	bool was_pending = call->pending;

	call->cancelled = NULL;
	call->state = NULL;
	call->pending = false;
	if (r->verdict == AUTH_OK)
		user_hash_then(call, r->user, c->password, hashed);
	else
		refuse(call, r);
	pst_wipe(c, sizeof(*c));
	free(c);
	if (was_pending && !call->pending)
		call_finish(call);
}

void api_me_password(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "current", .kind = FIELD_SECRET, .required = true, FIELD(struct change, current)},
		{.name = "password", .kind = FIELD_SECRET, .required = true, FIELD(struct change, password)},
	};
	struct change *c = pst_zalloc(1, sizeof(*c));

	if (!c || fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), c, NULL) < 0 || !is_good(call, c->password)) {
		free(c);
		return;
	}
	call->state = c;
	call->cancelled = change_free;
	auth_check(call->api->auth, "web", call->who.user.user_name, c->current, call->remote, checked, call);
	if (!call_is_answered(call))
		call->pending = true;
}

/* --- tokens ---------------------------------------------------------------------- */

static json_t *token_json(const struct token_row *t)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id", t->id, "name", t->name, "last_used", json_time(t->last_used),
		"expires", json_time(t->expires), "created", json_time(t->created), "updated", json_time(t->created));
}

static void add_token(const struct token_row *t, void *arg)
{
	json_array_append_new(arg, token_json(t));
}

void api_token_list(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;

	if (user_find(call, call->params[0], &u) < 0)
		return;
	json_t *items = json_array();
	if (db_token_list(call->api->db, u.id, TOKENS_MAX, add_token, items, &err) < 0) {
		json_decref(items);
		call_error(call, &err);
		return;
	}
	call_ok(call, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}

struct token_body {
	char name[257];
	int expires_s;
};

void api_token_create(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "name", .kind = FIELD_LABEL, FIELD(struct token_body, name)},
		{.name = "expires_s", .kind = FIELD_INT, FIELD(struct token_body, expires_s), .min = 60, .max = 31536000},
	};
	struct pst_err err = PST_ERR_INIT;
	char secret[AUTH_BEARER_SIZE];
	struct token_body b = {.expires_s = 0};
	struct token_row t = {.expires = 0};
	struct user_row u;

	if (user_find(call, call->params[0], &u) < 0 ||
		fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &b, NULL) < 0 || write_begin(call) < 0)
		return;
	memcpy(t.user_id, u.id, sizeof(t.user_id));
	memcpy(t.name, b.name, sizeof(t.name));
	t.expires = b.expires_s ? pst_wall_ms() + (int64_t)b.expires_s * 1000 : 0;
	if (auth_bearer_make(call->api->auth, &t, secret, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "token.created", "user", u.id, json_pack("{s:s, s:s}", "token", t.id, "name", t.name)) < 0)
		return;
	json_t *o = token_json(&t);
	json_object_set_new(o, "token", json_string(secret));
	pst_wipe(secret, sizeof(secret));
	call_ok(call, 201, o);
}

void api_token_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;

	if (user_find(call, call->params[0], &u) < 0 || write_begin(call) < 0)
		return;
	if (db_token_delete(call->api->db, u.id, call->params[1], &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "token.deleted", "user", u.id, json_pack("{s:s}", "token", call->params[1])) == 0)
		call_empty(call);
}
