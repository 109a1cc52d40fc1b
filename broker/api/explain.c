/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Why can't ana open pool-3?": every check in its order, in words. */
#include "broker/api/users.h"

#include "base/clock.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "db/pool.h"
#include "db/db.h"
#include "db/entitlement.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct explain {
	json_t *checks;
	bool allowed;
	json_t *reason; /* of the first check that failed */
};

static void check(struct explain *x, const char *name, bool ok, const char *en, const char *es)
{
	json_array_append_new(x->checks, json_pack("{s:s, s:b, s:s, s:s}", "check", name, "ok", ok, "en", en, "es", es));
	if (ok)
		return;
	x->allowed = false;
	if (!x->reason)
		x->reason = json_reason(name, en, es);
}

static void check_user(struct explain *x, struct api *api, const struct user_row *u)
{
	uint64_t wait_ms = auth_blocked_ms(api->auth, u->name);

	check(x, "user_enabled", u->enabled, u->enabled ? "The account is switched on." : "The account is switched off.",
		u->enabled ? "La cuenta está activada." : "La cuenta está desactivada.");
	check(x, "user_has_password", u->password_hash[0], u->password_hash[0] ? "A password is set." : "No password is set.",
		u->password_hash[0] ? "Tiene contraseña." : "No tiene contraseña.");
	check(x, "user_not_blocked", wait_ms == 0,
		wait_ms == PENALTY_BLOCKED ? "Too many failed log-ins: an administrator must unlock the account." :
		wait_ms ? "Too many failed log-ins: the account waits." : "The account is not blocked.",
		wait_ms == PENALTY_BLOCKED ? "Demasiados intentos fallidos: un administrador debe desbloquear la cuenta." :
		wait_ms ? "Demasiados intentos fallidos: la cuenta espera." : "La cuenta no está bloqueada.");
}

struct through {
	const struct user_row *user;
	struct db *db;
	char en[512], es[512];
	bool found;
	bool in_group;
	const char *group_id;
};

static void match_group(const char *id, const char *name, void *arg)
{
	struct through *t = arg;

	t->in_group |= strcmp(id, t->group_id) == 0;
}

static void add_entitlement(const struct entitlement_row *e, void *arg)
{
	struct through *t = arg;

	if (t->found)
		return;
	if (strcmp(e->user_id, t->user->id) == 0) {
		t->found = true;
		snprintf(t->en, sizeof(t->en), "The user is entitled by name.");
		snprintf(t->es, sizeof(t->es), "El usuario tiene acceso por su nombre.");
		return;
	}
	t->in_group = false;
	t->group_id = e->group_id;
	if (!e->group_id[0] || db_group_of_user(t->db, t->user->id, 1000, match_group, t, NULL) < 0 || !t->in_group)
		return;
	t->found = true;
	snprintf(t->en, sizeof(t->en), "The user is entitled through the group '%s'.", e->group_name);
	snprintf(t->es, sizeof(t->es), "El usuario tiene acceso por el grupo '%s'.", e->group_name);
}

static void check_entitlement(struct explain *x, struct api *api, const struct user_row *u, const struct pool_row *p)
{
	struct entitlement_filter f = {.pool = p->id, .user = "", .group = ""};
	struct through t = {.user = u, .db = api->db,
		.en = "Neither the user nor one of the user's groups is entitled to this pool: add an entitlement.",
		.es = "Ni el usuario ni sus grupos tienen acceso a este grupo de escritorios: añada un acceso."};

	db_entitlement_list(api->db, &f, "", 10000, add_entitlement, &t, NULL);
	check(x, "entitled", t.found, t.en, t.es);
}

/* Where the user's desktop is, and why it was put there; null where there is none, or one host. */
static json_t *placement(struct api *api, const struct user_row *u, const struct pool_row *p)
{
	const struct core_desktop *d = state_lease(reconciler_state(api->rec), u->id, p->id);

	if (!d || !d->place.host[0])
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:o}", "desktop", json_ref(d->id, d->name), "host", d->place.host, "en", json_text_or_null(d->place.en),
		"es", json_text_or_null(d->place.es));
}

static void check_pool(struct explain *x, struct api *api, const struct user_row *u, const struct pool_row *p)
{
	struct user_pool_view v;

	check(x, "pool_enabled", p->enabled && !p->deleting, p->deleting ? "The pool is being deleted." :
		p->enabled ? "The pool is switched on." : "The pool is switched off.",
		p->deleting ? "El grupo se está borrando." : p->enabled ? "El grupo está activado." : "El grupo está desactivado.");
	check(x, "pool_open", !p->maintenance,
		p->maintenance ? "The pool is in maintenance: nobody may connect." : "The pool is not in maintenance.",
		p->maintenance ? "El grupo está en mantenimiento: nadie puede conectarse." : "El grupo no está en mantenimiento.");
	if (!user_pool_view(reconciler_state(api->rec), p->id, u->id, (int64_t)pst_mono_ms(), &v))
		return;
	/* One that is being started, or is made as soon as the user comes, is worth a short wait and no refusal. */
	bool will_come = strcmp(v.state, "starting") == 0 || strcmp(v.reason.code, "pool_empty") == 0;

	check(x, "desktop", v.has_desktop || will_come || strcmp(v.state, "ready") == 0, v.reason.en, v.reason.es);
}

void api_explain_get(struct api_call *call)
{
	const char *user = call_query(call, "user"), *pool = call_query(call, "pool");
	struct explain x = {.allowed = true};
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;
	struct pool_row p;

	if (!*user || !*pool) {
		call_field(call, *user ? "pool" : "user", "%s: it is missing", *user ? "pool" : "user");
		return;
	}
	if (user_find(call, user, &u) < 0)
		return;
	if (db_pool_get(call->api->db, pool, &p, &err) < 0) {
		call_error(call, &err);
		return;
	}
	x.checks = json_array();
	check_user(&x, call->api, &u);
	check_entitlement(&x, call->api, &u, &p);
	check_pool(&x, call->api, &u, &p);
	if (!x.reason)
		x.reason = json_reason("", "The user can open a desktop of this pool now.",
			"El usuario puede abrir ahora un escritorio de este grupo.");
	call_ok(call, 200, json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}", "user", json_ref(u.id, u.name), "pool",
		json_ref(p.id, p.name), "allowed", x.allowed, "reason", x.reason, "checks", x.checks, "placement",
		placement(call->api, &u, &p)));
}
