/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users: making, changing and removing them ends what they may no longer have. */
#include "broker/api/users.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/api/personal.h"
#include "broker/reconciler.h"
#include "broker/storage/personal_removals.h"
#include "db/db.h"
#include "db/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 1000

/* Why the user can or cannot log in, the first that holds. */
static json_t *user_reason(const struct user_row *u, uint64_t wait_ms)
{
	if (!u->enabled)
		return json_reason("disabled", "The account is switched off.", "La cuenta está desactivada.");
	if (wait_ms == PENALTY_BLOCKED)
		return json_reason("blocked", "Too many failed log-ins: the account is blocked until you unlock it.",
			"Demasiados intentos fallidos: la cuenta está bloqueada hasta que la desbloquee.");
	if (wait_ms)
		return json_reason("waiting", "Too many failed log-ins: the account waits some minutes.",
			"Demasiados intentos fallidos: la cuenta espera unos minutos.");
	if (!u->password_hash[0])
		return json_reason("no_password", "No password is set, so only tokens work.",
			"No tiene contraseña: solo funcionan los tokens.");
	return json_reason("", "The user may log in.", "El usuario puede iniciar sesión.");
}

static json_t *row_json(struct api *api, const struct user_row *u)
{
	uint64_t wait_ms = auth_blocked_ms(api->auth, u->name);
	const char *state = !u->enabled ? "disabled" : wait_ms ? "blocked" : "enabled";

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:b, s:i, s:o, s:o, s:s, s:o, s:I, s:o, s:o}", "id", u->id,
		"name", u->name, "display_name", u->display_name, "role", u->is_admin ? "admin" : "user", "roles",
		u->is_admin ? json_pack("[s, s]", "admin", "user") : json_pack("[s]", "user"), "locale", u->locale, "enabled",
		u->enabled, "has_password", u->password_hash[0] != '\0', "failures", u->failures, "last_login",
		json_time(u->last_login), "last_remote", json_text_or_null(u->last_remote), "state", state, "reason", user_reason(u, wait_ms),
		"rev", (json_int_t)u->rev, "created", json_time(u->created), "updated", json_time(u->updated));
}

json_t *api_user_json(struct api *api, const char *id)
{
	struct user_row u;

	return db_user_get(api->db, id, &u, NULL) == 0 ? row_json(api, &u) : NULL;
}

struct list {
	struct api *api;
	struct page page;
};

static void visit(const struct user_row *u, void *arg)
{
	struct list *l = arg;

	page_add(&l->page, u->name, row_json(l->api, u));
}

void api_user_list(struct api_call *call)
{
	struct list l = {.api = call->api};
	struct pst_err err = PST_ERR_INIT;

	if (page_begin(call, &l.page) < 0)
		return;
	if (db_user_list(call->api->db, l.page.after, call_query(call, "q"), l.page.limit + 1, visit, &l, &err) < 0) {
		page_drop(&l.page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &l.page);
}

int user_find(struct api_call *call, const char *id, struct user_row *ret)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = db_user_get(call->api->db, id, ret, &err);

	if (rc < 0)
		call_error(call, &err);
	return rc;
}

static void add_ref(const char *id, const char *name, void *arg)
{
	json_array_append_new(arg, json_ref(id, name));
}

static void answer(struct api_call *call, int status, const char *id)
{
	struct user_row u;

	if (user_find(call, id, &u) < 0)
		return;
	json_t *o = row_json(call->api, &u), *groups = json_array();
	db_group_of_user(call->api->db, u.id, GROUPS_MAX, add_ref, groups, NULL);
	json_object_set_new(o, "groups", groups);
	call->etag = u.rev;
	call_ok(call, status, o);
}

void api_user_get(struct api_call *call)
{
	answer(call, 200, call->params[0]);
}

struct body {
	struct user_row row;
	char role[8], password[PASSWORD_MAX_BYTES + 2];
};

static const char *const role_words[] = {"admin", "user", NULL};
static const char *const locale_words[] = {"", "en", "es", NULL};

static const struct field fields[] = {
	{.name = "name", .kind = FIELD_USER, FIELD(struct body, row.name)},
	{.name = "display_name", .kind = FIELD_LABEL, FIELD(struct body, row.display_name)},
	{.name = "role", .kind = FIELD_WORD, FIELD(struct body, role), .words = role_words},
	{.name = "locale", .kind = FIELD_WORD, FIELD(struct body, row.locale), .words = locale_words},
	{.name = "enabled", .kind = FIELD_BOOL, FIELD(struct body, row.enabled)},
	{.name = "password", .kind = FIELD_SECRET, FIELD(struct body, password)}, /* at making only */
};

static int read_body(struct api_call *call, struct body *b, bool is_new)
{
	struct pst_err err = PST_ERR_INIT;

	if (fields_read(call, call->body, "", fields, PST_ARRAY_LEN(fields) - !is_new, b, NULL) < 0)
		return PST_EINVAL;
	if (is_new && !b->row.name[0]) {
		call_field(call, "name", "name: it is missing");
		return PST_EINVAL;
	}
	if (b->password[0] && password_check(b->password, &err) < 0) {
		call_field(call, "password", "password: %s", err.text);
		return PST_EINVAL;
	}
	b->row.is_admin = strcmp(b->role, "admin") == 0;
	return 0;
}

/* What the audit keeps of a body: everything but the password. */
static json_t *detail_of(const struct api_call *call)
{
	json_t *detail = json_copy(call->body);

	if (detail)
		json_object_del(detail, "password");
	return detail;
}

static void insert(struct api_call *call, struct user_row *u)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();

	if (write_begin(call) < 0)
		return;
	pst_uuid_text(&id, u->id);
	u->created = u->updated = pst_wall_ms();
	if (db_user_insert(call->api->db, u, &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "user.created", "user", u->id, detail_of(call)) == 0)
		answer(call, 201, u->id);
}

static void free_state(struct api_call *call)
{
	pst_wipe(call->state, sizeof(struct user_row));
	free(call->state);
}

static void hashed_new(const struct hasher_result *r, void *arg)
{
	struct api_call *call = arg;
	struct user_row *u = call->state;

	if (r->ok) {
		pst_strlcpy(u->password_hash, sizeof(u->password_hash), r->phc);
		insert(call, u);
	} else {
		call_problem(call, "internal", NULL);
	}
	free_state(call);
	call_finish(call);
}

void user_hash_then(struct api_call *call, const struct user_row *u, const char *password, hasher_done_cb done)
{
	call->state = pst_memdup(u, sizeof(*u));
	if (!call->state) {
		call_problem(call, "internal", NULL);
		return;
	}
	call->cancelled = free_state;
	if (auth_hash(call->api->auth, call->who.user.user_id, password, done, call) < 0) {
		free_state(call);
		call->cancelled = NULL;
		call_problem(call, "busy", NULL);
		return;
	}
	call->pending = true;
}

void api_user_create(struct api_call *call)
{
	struct body b = {.row = {.enabled = true}, .role = "user"};

	if (read_body(call, &b, true) < 0)
		return;
	if (b.password[0])
		user_hash_then(call, &b.row, b.password, hashed_new);
	else
		insert(call, &b.row);
	pst_wipe(&b, sizeof(b));
}

/* False: this would leave nobody who can administer; the call is answered. */
static bool leaves_an_admin(struct api_call *call, const struct user_row *u)
{
	int64_t others = 0;

	if (db_user_other_admins(call->api->db, u->id, &others, NULL) == 0 && others > 0)
		return true;
	call_problem(call, "last_admin", NULL);
	return false;
}

/* Log-ins, tokens' use and sessions of a user who may no longer be here. */
static void end_everything(struct api_call *call, const char *id)
{
	struct core_actor by;

	call_actor(call, &by);
	reconciler_user_revoked(call->api->rec, id, NULL, &by, NULL);
	call->api->links->end_guests_of(call->api->links_arg, id);
}

/* The row, and the end of log-ins when the user may do less than before. */
static int write_user(struct api_call *call, const struct user_row *before, const struct user_row *u)
{
	struct pst_err err = PST_ERR_INIT;
	bool lowered = (before->is_admin && !u->is_admin) || (before->enabled && !u->enabled);
	int rc = write_begin(call);

	if (rc < 0)
		return rc;
	rc = db_user_update(call->api->db, u, &err);
	if (rc == 0 && lowered)
		rc = db_login_delete_all(call->api->db, u->id, NULL, &err);
	if (rc < 0)
		return write_fail(call, &err);
	return write_commit(call, "user.changed", "user", u->id, detail_of(call));
}

void api_user_patch(struct api_call *call)
{
	struct body b = {.role = ""};

	if (user_find(call, call->params[0], &b.row) < 0 || !write_if_match(call, b.row.rev))
		return;
	struct user_row before = b.row;
	pst_strlcpy(b.role, sizeof(b.role), before.is_admin ? "admin" : "user");
	if (read_body(call, &b, false) < 0)
		return;
	bool demoted = before.is_admin && (!b.row.is_admin || !b.row.enabled);
	b.row.updated = pst_wall_ms();
	if ((demoted && !leaves_an_admin(call, &before)) || write_user(call, &before, &b.row) < 0)
		return;
	if (before.enabled && !b.row.enabled)
		end_everything(call, before.id);
	if (!before.enabled && b.row.enabled)
		auth_unblock(call->api->auth, before.name, NULL);
	answer(call, 200, before.id);
}

void api_user_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;

	if (user_find(call, call->params[0], &u) < 0 || !write_if_match(call, u.rev))
		return;
	if (u.is_admin && !leaves_an_admin(call, &u))
		return;
	end_everything(call, u.id); /* while its rows still name it */
	if (write_begin(call) < 0)
		return;
	if (personal_remove_all(call->api, u.id, &err) < 0 || db_user_delete(call->api->db, u.id, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "user.deleted", "user", u.id, json_pack("{s:s}", "name", u.name)) < 0)
		return;
	call_empty(call);
	personal_removals_kick(call->api->removals);
}

void api_user_unlock(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;

	if (user_find(call, call->params[0], &u) < 0 || write_begin(call) < 0)
		return;
	if (auth_unblock(call->api->auth, u.name, &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "user.unlocked", "user", u.id, json_pack("{s:s}", "name", u.name)) == 0)
		call_empty(call);
}

void api_user_revoke(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;

	if (user_find(call, call->params[0], &u) < 0 || write_begin(call) < 0)
		return;
	int rc = db_login_delete_all(call->api->db, u.id, NULL, &err);
	if (rc == 0)
		rc = db_token_delete_all(call->api->db, u.id, &err);
	if (rc < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "user.revoked", "user", u.id, json_pack("{s:s}", "name", u.name)) < 0)
		return;
	end_everything(call, u.id);
	call_empty(call);
}

void api_revoke_all(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;

	if (write_begin(call) < 0)
		return;
	int rc = db_login_delete_all(call->api->db, NULL, NULL, &err);
	if (rc == 0)
		rc = db_token_delete_all(call->api->db, NULL, &err);
	if (rc < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "revoke_all", "", "", NULL) < 0)
		return;
	call->api->links->revoke_all(call->api->links_arg);
	call_empty(call);
}
