/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logging in and out of the web, and the display sessions that an admin sees. */
#include "broker/api/api_priv.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/reconciler.h"
#include "db/pool.h"
#include "db/viewer.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* --- log-in --------------------------------------------------------------------- */

struct login_body {
	char user[512], password[1100];
};

static const struct field login_fields[] = {
	{.name = "user", .kind = FIELD_SECRET, .required = true, FIELD(struct login_body, user)},
	{.name = "password", .kind = FIELD_SECRET, .required = true, FIELD(struct login_body, password)},
};

static json_t *roles_json(bool is_admin)
{
	return is_admin ? json_pack("[s, s]", "admin", "user") : json_pack("[s]", "user");
}

static void answer_login(struct api_call *call, const struct user_row *u)
{
	char token[AUTH_TOKEN_SIZE];
	struct login_row login;
	struct pst_err err = PST_ERR_INIT;

	/* The log-in that this browser had is over: ids are never carried across a log-in. */
	if (call->who.by_cookie)
		db_login_delete(call->api->db, call->who.login.id, NULL);
	if (auth_web_open(call->api->auth, u, call->remote, "", token, &login, &err) < 0) {
		call_error(call, &err);
		return;
	}
	json_t *user = json_pack("{s:s, s:s, s:s, s:o, s:s}", "id", u->id, "name", u->name, "display_name",
		u->display_name, "roles", roles_json(u->is_admin), "locale", u->locale);
	call_ok(call, 201, json_pack("{s:o, s:s, s:o, s:o}", "user", user, "csrf", login.csrf, "expires",
		json_time(login.expires), "last_login", json_time(u->last_login)));
	cookie_format(token, call->cookie, sizeof(call->cookie));
	pst_wipe(token, sizeof(token));
}

static void login_done(const struct auth_result *r, void *arg)
{
	struct api_call *call = arg;
	bool was_pending = call->pending;

	call->retry_after = r->retry_after_s;
	switch (r->verdict) {
	case AUTH_OK:
		call->retry_after = 0;
		answer_login(call, r->user);
		break;
	case AUTH_WRONG:
		call_problem(call, "login_failed", NULL);
		break;
	case AUTH_WAIT:
		call_problem(call, "wait", "wait %d s", r->retry_after_s);
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
	if (was_pending)
		call_finish(call);
}

void api_session_login(struct api_call *call)
{
	struct login_body b = {{0}, {0}};

	if (fields_read(call, call->body, "", login_fields, PST_ARRAY_LEN(login_fields), &b, NULL) < 0)
		return;
	auth_check(call->api->auth, "web", b.user, b.password, call->remote, login_done, call);
	pst_wipe(&b, sizeof(b));
	if (!call_is_answered(call))
		call->pending = true;
}

void api_session_logout(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;

	if (!call->who.by_cookie) {
		call_problem(call, "conflict", "a bearer token does not log out: remove the token");
		return;
	}
	if (write_begin(call) < 0)
		return;
	if (db_login_delete(call->api->db, call->who.login.id, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "login.ended", "user", call->who.user.user_id, NULL) < 0)
		return;
	call_empty(call);
	cookie_format("", call->cookie, sizeof(call->cookie));
}

/* --- display sessions ------------------------------------------------------------ */

static json_t *viewer_json(const struct viewer_row *v)
{
	json_t *stats = json_loads(v->stats, 0, NULL);

	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "id", v->id, "user",
		json_ref(v->user_id, v->user_name), "desktop", json_ref(v->desktop_id, v->desktop_name), "pool",
		json_ref(v->pool_id, v->pool_name), "protocol", v->protocol, "state", v->state, "reason",
		json_reason(v->end_code, v->end_reason, v->end_reason_es[0] ? v->end_reason_es : v->end_reason), "remote", v->remote, "gateway", v->gateway, "epoch",
		(json_int_t)v->epoch, "started", json_time(v->started), "ended", json_time(v->ended), "stats",
		stats ? stats : json_object(), "created", json_time(v->granted), "updated",
		json_time(v->ended ? v->ended : v->started ? v->started : v->granted));
}

/* With those who are there besides the owner. */
static json_t *whole_json(struct api *api, const struct viewer_row *v)
{
	json_t *o = viewer_json(v);

	json_object_set_new(o, "guests", api->links->guests(api->links_arg, v->id));
	return o;
}

json_t *api_session_json(struct api *api, const char *id)
{
	struct viewer_row v;

	return db_viewer_get(api->db, id, &v, NULL) == 0 ? whole_json(api, &v) : NULL;
}

static void visit(const struct viewer_row *v, void *arg)
{
	char key[PAGE_KEY_SIZE];

	snprintf(key, sizeof(key), "%lld %s", (long long)v->granted, v->id);
	page_add(arg, key, viewer_json(v));
}

/* The ids behind ?user= and ?pool=. */
static bool read_refs(struct api_call *call, char user[37], char pool[37])
{
	const char *u = call_query(call, "user"), *p = call_query(call, "pool");
	struct user_row user_row;
	struct pool_row pool_row;

	user[0] = pool[0] = '\0';
	if (*u) {
		if (db_user_get(call->api->db, u, &user_row, NULL) < 0) {
			call_problem(call, "not_found", "there is no user \'%.100s\'", u);
			return false;
		}
		memcpy(user, user_row.id, 37);
	}
	if (*p) {
		if (db_pool_get(call->api->db, p, &pool_row, NULL) < 0) {
			call_problem(call, "not_found", "there is no pool \'%.100s\'", p);
			return false;
		}
		memcpy(pool, pool_row.id, 37);
	}
	return true;
}

void api_session_list(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	char user[37], pool[37];
	struct viewer_filter f = {.state = call_query(call, "state"), .user = user, .pool = pool,
		.desktop = call_query(call, "desktop"), .part = call_query(call, "q"), .before = INT64_MAX, .before_id = ""};
	struct page page;

	if (!read_refs(call, user, pool) || page_begin(call, &page) < 0)
		return;
	char *space = strchr(page.after, ' ');
	if (page.after[0] && space) {
		*space = '\0';
		f.before = strtoll(page.after, NULL, 10);
		f.before_id = space + 1;
	}
	if (db_viewer_list(call->api->db, &f, page.limit + 1, visit, &page, &err) < 0) {
		page_drop(&page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &page);
}

void api_session_get(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct viewer_row v;

	if (db_viewer_get(call->api->db, call->params[0], &v, &err) < 0)
		call_error(call, &err);
	else
		call_ok(call, 200, whole_json(call->api, &v));
}

void api_session_end(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;

	call_actor(call, &by);
	if (reconciler_session_end(call->api->rec, call->params[0], &by, &err) < 0)
		call_error(call, &err);
	else
		call_empty(call);
}
