/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dashboard: what is wrong first, then how much of everything there is. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/api/page.h"
#include "broker/api/words.h"
#include "broker/core/foreign.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "broker/storage/datastores.h"
#include "db/audit.h"
#include "db/backup.h"
#include "db/db.h"
#include "db/login.h"
#include "db/user.h"

#include <stdio.h>
#include <string.h>

#define PROBLEMS_MAX 100

struct problems {
	json_t *errors, *warnings;
};

static void add(struct problems *p, bool is_error, const char *kind, const char *id, const char *name, const char *state,
	const struct core_reason *why)
{
	json_t *list = is_error ? p->errors : p->warnings;

	if (json_array_size(list) >= PROBLEMS_MAX)
		return;
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "severity", is_error ? "error" : "warning",
		"kind", kind, "id", id, "name", name, "state", state, "reason", json_reason(why->code, why->en, why->es)));
}

static void add_links(struct api *api, struct problems *p)
{
	static const struct core_reason gone = {"provisioner_gone",
		"The provisioner is not connected: desktops cannot be made or removed. Start puesto-provisioner.",
		"El aprovisionador no está conectado: no se pueden crear ni quitar escritorios. Arranque puesto-provisioner."};

	if (!api->links->provisioner_is_connected(api->links_arg))
		add(p, true, "provisioner", "", "puesto-provisioner", "failed", &gone);
}

static void add_providers(const struct core_state *st, struct problems *p)
{
	for (size_t i = 0; i < st->provider_count; i++) {
		const struct core_provider *v = &st->providers[i];

		if (v->enabled && !v->healthy && st->provisioner)
			add(p, true, "provider", v->id, v->name, "failed", &v->reason);
	}
}

/* Of providers that answer: one of their hosts does not, or is to be emptied. */
static void add_hosts(const struct core_state *st, struct problems *p)
{
	char name[2 * CORE_WORD_SIZE];
	struct host_view v;

	for (size_t i = 0; i < st->host_count && st->provisioner; i++) {
		const struct core_host *h = &st->hosts[i];
		const struct core_provider *pr = state_provider_named(st, h->provider);

		host_view(st, h, &v);
		if (!pr || !pr->enabled || !pr->healthy || strcmp(v.state, "ready") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", h->provider, h->name);
		add(p, strcmp(v.state, "away") == 0, "provider", pr->id, name, v.state, &v.reason);
	}
}

static void add_datastores(struct api *api, struct problems *p)
{
	struct datastore_view v;

	for (size_t i = 0; datastores_view_at(api->datastores, i, &v); i++) {
		bool is_error = strcmp(v.state, "offline") == 0 || strcmp(v.state, "full") == 0;
		struct core_reason why;

		bool fills = strcmp(v.state, "ready") == 0 && v.row->filling;

		if (!is_error && !fills && strcmp(v.state, "warning") != 0)
			continue;
		CORE_COPY(why.code, v.reason_code);
		CORE_COPY(why.en, v.en);
		CORE_COPY(why.es, v.es);
		add(p, is_error, "datastore", v.row->id, v.row->name, fills ? "filling" : v.state, &why);
	}
}

static void add_pools(const struct core_state *st, int64_t now, struct problems *p, int *ret_waiting)
{
	struct pool_view v;

	for (size_t i = 0; i < st->pool_count; i++) {
		const struct core_pool *pool = &st->pools[i];

		if (!pool_view(st, pool->id, now, &v))
			continue;
		*ret_waiting += v.waiting;
		if (strcmp(v.state, "failed") == 0)
			add(p, true, "pool", pool->id, pool->name, v.state, &v.reason);
		else if (strcmp(v.state, "busy") == 0 || strcmp(v.state, "maintenance") == 0 || v.waiting > 0)
			add(p, false, "pool", pool->id, pool->name, v.state, &v.reason);
		if (v.tier.code[0] && pool->tier.failures)
			add(p, false, "pool", pool->id, pool->name, "warning", &v.tier);
	}
}

static void add_rollouts(const struct core_state *st, struct problems *p)
{
	for (size_t i = 0; i < st->rollout_count; i++) {
		const struct core_rollout *ro = &st->rollouts[i];
		const struct core_image *image = state_image(st, ro->image_id);

		if (image && ro->paused)
			add(p, false, "image", image->id, image->name, "paused", &ro->reason);
	}
}

static void add_failure(const struct backup_row *b, void *arg)
{
	struct core_reason why = {.code = "backup_failed"};
	char es[DB_LONG_SIZE];

	if (!foreign_spanish(b->error, es, sizeof(es)) && !words_spanish(b->error, NULL, es, sizeof(es)))
		CORE_COPY(es, b->error);
	snprintf(why.en, sizeof(why.en), "Its back-up failed: %.220s", b->error);
	snprintf(why.es, sizeof(why.es), "Su copia de seguridad falló: %.220s", es);
	add(arg, false, "desktop", b->desktop_id, b->desktop, "backup", &why);
}

static void add_backups(struct api *api, struct problems *p)
{
	(void)db_backup_failures(api->db, add_failure, p, NULL);
}

struct desktop_counts {
	int ready, assigned, connected, starting, failed, deleting, suspended;
};

static void count(struct desktop_counts *c, const char *state)
{
	static const struct {
		const char *state;
		size_t offset;
	} table[] = {
		{"ready", offsetof(struct desktop_counts, ready)},
		{"assigned", offsetof(struct desktop_counts, assigned)},
		{"disconnected", offsetof(struct desktop_counts, assigned)},
		{"logging_off", offsetof(struct desktop_counts, assigned)},
		{"connected", offsetof(struct desktop_counts, connected)},
		{"creating", offsetof(struct desktop_counts, starting)},
		{"starting", offsetof(struct desktop_counts, starting)},
		{"refreshing", offsetof(struct desktop_counts, starting)},
		{"restarting", offsetof(struct desktop_counts, starting)},
		{"failed", offsetof(struct desktop_counts, failed)},
		{"unreachable", offsetof(struct desktop_counts, failed)},
		{"deleting", offsetof(struct desktop_counts, deleting)},
		{"suspended", offsetof(struct desktop_counts, suspended)},
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		if (strcmp(table[i].state, state) == 0)
			++*(int *)(void *)((char *)c + table[i].offset);
	}
}

static void add_desktops(const struct core_state *st, int64_t now, struct problems *p, struct desktop_counts *c,
	int *ret_sessions)
{
	struct desktop_view v;

	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		desktop_view(st, d, now, &v);
		count(c, v.state);
		*ret_sessions += d->s.id[0] != '\0';
		if (strcmp(v.state, "failed") == 0 || strcmp(v.state, "unreachable") == 0)
			add(p, true, "desktop", d->id, d->name, v.state, &v.reason);
	}
}

static json_t *counts_json(struct api *api, const struct core_state *st, const struct desktop_counts *c, int waiting,
	int sessions)
{
	int64_t users = 0, logins = 0;

	db_user_count(api->db, &users, NULL);
	db_login_count(api->db, pst_wall_ms(), &logins, NULL);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I}", "pools", (int)st->pool_count,
		"desktops", (int)st->desktop_count, "ready", c->ready, "assigned", c->assigned, "connected", c->connected,
		"starting", c->starting, "failed", c->failed, "deleting", c->deleting, "suspended", c->suspended, "waiting", waiting, "sessions", sessions,
		"users", (json_int_t)users, "logins", (json_int_t)logins);
}

void api_status_get(struct api_call *call)
{
	struct api *api = call->api;
	const struct core_state *st = reconciler_state(api->rec);
	struct problems p = {.errors = json_array(), .warnings = json_array()};
	struct desktop_counts c = {0};
	int64_t now = (int64_t)pst_mono_ms(), last_seq = 0;
	int waiting = 0, sessions = 0;

	static const struct core_reason paused = {"reap_paused",
		"Many machines without an owner were found at once, so none was removed: look at them, then POST /reap.",
		"Se han encontrado muchas máquinas sin dueño a la vez y no se ha quitado ninguna: revíselas y haga POST /reap."};

	static const struct core_reason missing = {"missing_paused",
		"Many desktops were not in their provider's last list at once, so none was given up: look at the provider, then POST /reap.",
		"La última lista de su proveedor no incluía muchos escritorios a la vez y no se ha dado ninguno por perdido: revise el proveedor y haga POST /reap."};

	add_links(api, &p);
	if (st->missing_paused)
		add(&p, true, "provisioner", "", "sweeper", "paused", &missing);
	if (st->reap_paused)
		add(&p, true, "provisioner", "", "sweeper", "paused", &paused);
	add_providers(st, &p);
	add_hosts(st, &p);
	add_datastores(api, &p);
	add_backups(api, &p);
	add_pools(st, now, &p, &waiting);
	add_rollouts(st, &p);
	add_desktops(st, now, &p, &c, &sessions);
	db_audit_last(api->db, &last_seq, NULL);
	const char *state = json_array_size(p.errors) ? "failed" : json_array_size(p.warnings) ? "warning" : "ok";
	json_array_extend(p.errors, p.warnings);
	json_decref(p.warnings);
	call_ok(call, 200, json_pack("{s:o, s:s, s:I, s:s, s:o, s:o, s:{s:b}, s:o, s:I}", "time", json_time(pst_wall_ms()),
		"version", PACKAGE_VERSION, "uptime_s", (json_int_t)((now - api->started_ms) / 1000), "state", state, "problems",
		p.errors, "counts", counts_json(api, st, &c, waiting, sessions), "provisioner", "connected",
		api->links->provisioner_is_connected(api->links_arg), "gateways", api->links->gateways(api->links_arg),
		"last_seq", (json_int_t)last_seq));
}
