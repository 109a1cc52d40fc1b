/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The portal: who I am, my pools, my desktops. Everything here is about the caller alone. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "db/db.h"
#include "db/entitlement.h"

#include <stdio.h>
#include <string.h>

#define MY_POOLS_MAX 200

static void answer_me(struct api_call *call)
{
	const struct login_owner *u = &call->who.user;
	bool cookie = call->who.by_cookie;

	call_ok(call, 200, json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "id", u->user_id, "name", u->user_name,
		"display_name", u->display_name, "roles",
		u->is_admin ? json_pack("[s, s]", "admin", "user") : json_pack("[s]", "user"), "locale", u->locale, "csrf",
		cookie ? json_string(call->who.login.csrf) : json_null(), "expires",
		cookie ? json_time(call->who.login.expires) : json_null()));
}

void api_me_get(struct api_call *call)
{
	answer_me(call);
}

static const char *const locale_words[] = {"", "en", "es", NULL};

void api_me_patch(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "locale", .kind = FIELD_WORD, FIELD(struct user_row, locale), .words = locale_words},
		{.name = "display_name", .kind = FIELD_LABEL, FIELD(struct user_row, display_name)},
	};
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;

	if (db_user_get(call->api->db, call->who.user.user_id, &u, &err) < 0) {
		call_error(call, &err);
		return;
	}
	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &u, NULL) < 0 || write_begin(call) < 0)
		return;
	u.updated = pst_wall_ms();
	if (db_user_update(call->api->db, &u, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "user.changed", "user", u.id, json_incref(call->body)) < 0)
		return;
	pst_strlcpy(call->who.user.locale, sizeof(call->who.user.locale), u.locale);
	pst_strlcpy(call->who.user.display_name, sizeof(call->who.user.display_name), u.display_name);
	answer_me(call);
}

/* --- pools ---------------------------------------------------------------------- */

struct pools {
	struct api_call *call;
	json_t *items;
	size_t count;
};

static void public_host(const struct api_call *call, char *out, size_t out_size)
{
	const char *host = call_header(call, "host");

	if (call->api->settings->public_host[0]) {
		pst_strlcpy(out, out_size, call->api->settings->public_host);
		return;
	}
	pst_strlcpy(out, out_size, host ? host : "localhost");
	char *colon = strrchr(out, ':');
	if (colon && !strchr(colon, ']'))
		*colon = '\0';
}

static json_t *reach_json(const struct api_call *call, int port, const char *pool, bool is_only)
{
	char host[256], name[600];

	if (port == 0)
		return json_null();
	public_host(call, host, sizeof(host));
	snprintf(name, sizeof(name), "%s%s%s", call->who.user.user_name, is_only ? "" : "#", is_only ? "" : pool);
	return json_pack("{s:s, s:i, s:s}", "host", host, "port", port, "username", name);
}

/* His desktop, with the task that goes on in it and how the last one ended; JSON null where he has none. */
static json_t *my_desktop_json(const struct core_state *st, const struct user_pool_view *v)
{
	const struct core_desktop *d = v->has_desktop ? state_desktop(st, v->desktop_id) : NULL;
	json_t *o;

	if (!d)
		return json_null();
	o = json_pack("{s:s, s:s, s:s, s:s}", "id", v->desktop_id, "name", v->desktop_name, "state",
		v->desktop_state ? v->desktop_state : "", "session_state", v->session_state ? v->session_state : "none");
	desktop_tasks_json(d, o);
	return o;
}

static void add_pool(const struct entitled_pool *p, void *arg)
{
	struct pools *l = arg;
	struct api_call *call = l->call;
	const struct core_state *st = reconciler_state(call->api->rec);
	struct user_pool_view v = {.state = "starting"};

	user_pool_view(st, p->id, call->who.user.user_id, (int64_t)pst_mono_ms(), &v);
	json_array_append_new(l->items, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:o}", "id", p->id, "name",
		p->name, "display_name", p->display_name, "description", p->description, "kind", p->kind, "state", v.state,
		"reason", json_reason(v.reason.code, v.reason.en, v.reason.es), "desktop", my_desktop_json(st, &v),
		"user_snapshots", p->user_snapshots, "created", json_time(p->created), "updated", json_time(p->updated)));
	l->count++;
}

void api_me_pools(struct api_call *call)
{
	const struct api_settings *s = call->api->settings;
	struct pools l = {.call = call, .items = json_array()};
	struct pst_err err = PST_ERR_INIT;
	size_t i;
	json_t *item;

	if (db_entitled_pools(call->api->db, call->who.user.user_id, MY_POOLS_MAX, add_pool, &l, &err) < 0) {
		json_decref(l.items);
		call_error(call, &err);
		return;
	}
	json_array_foreach(l.items, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));

		json_object_set_new(item, "protocols", json_pack("{s:b, s:o, s:o}", "web", 1, "rdp",
			reach_json(call, s->rdp_port, name, l.count == 1), "vnc", reach_json(call, s->vnc_port, name, l.count == 1)));
	}
	call_ok(call, 200, json_pack("{s:o, s:n}", "items", l.items, "next"));
}

/* The id of a pool that the caller may use; one that exists and one that does not look alike. */
static bool my_pool(struct api_call *call, char ret_id[CORE_ID_SIZE])
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_pool *p = state_pool(st, call->params[0]);
	bool ok = false;

	for (size_t i = 0; !p && i < st->pool_count; i++) {
		if (strcmp(st->pools[i].name, call->params[0]) == 0)
			p = &st->pools[i];
	}
	if (p && db_is_entitled(call->api->db, call->who.user.user_id, p->id, &ok, NULL) == 0 && ok) {
		memcpy(ret_id, p->id, CORE_ID_SIZE);
		return true;
	}
	call_problem(call, "not_entitled", NULL);
	return false;
}

static void answer_waiting(struct api_call *call, const struct connect_answer *a)
{
	call_ok(call, 202, json_pack("{s:s, s:s, s:o, s:o, s:o, s:i}", "state", "waiting", "stage", stage_text(a->stage), "reason",
		json_reason(a->reason.code, a->reason.en, a->reason.es), "position",
		a->position > 0 ? json_integer(a->position) : json_null(), "estimate_s",
		a->estimate_s > 0 ? json_integer(a->estimate_s) : json_null(), "retry_after_ms",
		a->retry_after_ms > 0 ? a->retry_after_ms : 1000));
	call->retry_after = (a->retry_after_ms + 999) / 1000;
}

static void answer_ticket(struct api_call *call, const struct connect_answer *a, bool web)
{
	struct grant_request req = {
		.user_id = call->who.user.user_id,
		.desktop_id = a->desktop_id,
		.login_id = call->who.by_cookie ? call->who.login.id : NULL,
		.protocol = web ? PROTOCOL_WS : PROTOCOL_RFB,
		.remote = call->remote,
		.gateway = "",
	};
	struct pst_err err = PST_ERR_INIT;
	char ticket[44];

	if (reconciler_ticket(call->api->rec, &req, ticket, &err) < 0) {
		call_error(call, &err);
		return;
	}
	call_ok(call, 200, json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "ticket", ticket, "expires",
		json_time(pst_wall_ms() + TICKET_MS), "websocket", "/display", "subprotocol", web ? "puesto.v1" : "binary",
		"desktop", json_ref(a->desktop_id, a->desktop_name), "session_expires",
		call->who.by_cookie ? json_time(call->who.login.expires) : json_null()));
	pst_wipe(ticket, sizeof(ticket));
}

struct connect_body {
	char protocol[8];
	bool view; /* one more view of the session that goes on, in place of taking it over */
};

void api_me_connect(struct api_call *call)
{
	static const char *const words[] = {"web", "novnc", NULL};
	static const struct field table[] = {
		{.name = "protocol", .kind = FIELD_WORD, .required = true, FIELD(struct connect_body, protocol), .words = words},
		{.name = "view", .kind = FIELD_BOOL, FIELD(struct connect_body, view)},
	};
	struct connect_body b = {.protocol = ""};
	char pool[CORE_ID_SIZE];
	struct connect_request req = {.user_id = call->who.user.user_id, .user_name = call->who.user.user_name,
		.pool_id = pool, .remote = call->remote};
	struct connect_answer a = {0};
	struct pst_err err = PST_ERR_INIT;

	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &b, NULL) < 0 || !my_pool(call, pool))
		return;
	if (b.view) {
		api_me_view(call, pool);
		return;
	}
	if (reconciler_connect(call->api->rec, &req, &a, &err) < 0)
		call_error(call, &err);
	else if (a.state == CONNECT_READY)
		answer_ticket(call, &a, strcmp(b.protocol, "web") == 0);
	else if (a.state == CONNECT_WAITING)
		answer_waiting(call, &a);
	else
		call_problem(call, "conflict", "%s", a.reason.en);
	if (a.state == CONNECT_REFUSED && call->reply)
		json_object_set_new(call->reply, "reason", json_reason(a.reason.code, a.reason.en, a.reason.es));
}

void api_me_connect_cancel(struct api_call *call)
{
	char pool[CORE_ID_SIZE];

	if (!my_pool(call, pool))
		return;
	reconciler_connect_cancel(call->api->rec, call->who.user.user_id, pool);
	call_empty(call);
}

/* --- desktops ------------------------------------------------------------------- */

const struct core_desktop *desktop_mine(struct api_call *call)
{
	const struct core_desktop *d = state_desktop(reconciler_state(call->api->rec), call->params[0]);

	if (d && strcmp(d->a.user_id, call->who.user.user_id) == 0)
		return d;
	call_problem(call, "not_found", "you have no such desktop");
	return NULL;
}

static void my_desktop(struct api_call *call, desktop_action act)
{
	const struct core_desktop *d = desktop_mine(call);
	char id[CORE_ID_SIZE];

	if (!d)
		return;
	memcpy(id, d->id, sizeof(id));
	desktop_act(call, id, act);
}

void api_me_logoff(struct api_call *call)
{
	my_desktop(call, reconciler_logoff);
}

void api_me_restart(struct api_call *call)
{
	my_desktop(call, reconciler_restart);
}
