/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hosts and networks of a provider: what its provisioner says, and taking a host out of service. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "db/provider.h"

#include <stdlib.h>
#include <string.h>

/* The provider of the call's first parameter; false: answered. */
static bool find_provider(struct api_call *call, struct provider_row *p)
{
	struct pst_err err = PST_ERR_INIT;

	if (db_provider_get(call->api->db, call->params[0], p, &err) == 0)
		return true;
	call_error(call, &err);
	return false;
}

static json_t *maintenance_json(const struct core_host *h, const struct host_view *v)
{
	if (!h->maintenance)
		return json_null();
	return json_pack("{s:i, s:i, s:i, s:i, s:s, s:o}", "at_once", h->at_once, "total", v->total, "moved", v->moved, "moving", h->moving, "by",
		h->by, "since", json_time(h->since_wall));
}

static json_t *host_json(const struct core_state *st, const struct core_host *h)
{
	struct host_view v;

	host_view(st, h, &v);
	if (!v.reason.code[0])
		v.reason = (struct core_reason){"", "It takes desktops.", "Admite escritorios."};
	return json_pack("{s:s, s:s, s:o, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "name", h->name, "state", v.state, "reason",
		json_reason(v.reason.code, v.reason.en, v.reason.es), "usable", h->usable && h->reported, "processors", h->processors,
		"memory_mb", h->memory_mb, "free_mb", h->free_mb > 0 ? h->free_mb : 0, "machines", h->machines, "capacity", h->capacity,
		"desktops", h->here, "maintenance", maintenance_json(h, &v));
}

static int by_name(const void *a, const void *b)
{
	const struct core_host *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void api_host_list(struct api_call *call)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_host **found;
	struct provider_row p;
	json_t *items;
	size_t n = 0;

	if (!find_provider(call, &p))
		return;
	items = json_array();
	found = calloc(st->host_count + 1, sizeof(*found));
	for (size_t i = 0; found && i < st->host_count; i++) {
		if (strcmp(st->hosts[i].provider, p.name) == 0)
			found[n++] = &st->hosts[i];
	}
	if (found)
		qsort(found, n, sizeof(*found), by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, host_json(st, found[i]));
	free(found);
	call_ok(call, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}

/* A desktop that is still there: is it on its way, does it wait, or why can it not be moved? */
static json_t *staying_json(const struct core_state *st, const struct core_desktop *d)
{
	bool is_moving = d->t.id[0] && d->t.kind == TASK_MIGRATE;
	struct core_reason why;

	move_view(st, d, &why);
	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o}", "id", d->id, "name", d->name, "user", json_ref(d->a.user_id, d->a.user_name), "state",
		is_moving ? "moving" : why.code[0] ? "stays" : "waits", "to", json_text_or_null(is_moving ? d->t.arg : ""), "reason",
		why.code[0] ? json_reason(why.code, why.en, why.es) : json_null());
}

static void answer(struct api_call *call, int status, const char *provider, const char *host)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_host *h = state_host(st, provider, host);
	json_t *staying, *o;

	if (!h) {
		call_problem(call, "not_found", "provider %s has no host \'%.64s\'", provider, host);
		return;
	}
	o = host_json(st, h);
	staying = json_array();
	for (size_t i = 0; i < st->desktop_count && h->maintenance; i++) {
		if (state_host_of(st, st->desktops[i]) == h)
			json_array_append_new(staying, staying_json(st, st->desktops[i]));
	}
	json_object_set_new(o, "staying", staying);
	call_ok(call, status, o);
}

void api_host_get(struct api_call *call)
{
	struct provider_row p;

	if (find_provider(call, &p))
		answer(call, 200, p.name, call->params[1]);
}

struct body {
	bool on;
	int at_once;
};

void api_host_maintenance(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "on", .kind = FIELD_BOOL, .required = true, FIELD(struct body, on)},
		{.name = "at_once", .kind = FIELD_INT, FIELD(struct body, at_once), .min = 1, .max = HOST_AT_ONCE_MAX},
	};
	struct body b = {.at_once = 1};
	struct pst_err err = PST_ERR_INIT;
	struct provider_row p;
	struct core_actor by;

	if (!find_provider(call, &p) || fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &b, NULL) < 0)
		return;
	call_actor(call, &by);
	if (reconciler_maintenance(call->api->rec, p.id, call->params[1], b.on, b.at_once, &by, &err) < 0)
		call_error(call, &err);
	else
		answer(call, 202, p.name, call->params[1]);
}

void api_network_list(struct api_call *call)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	struct provider_row p;
	json_t *items;

	if (!find_provider(call, &p))
		return;
	items = json_array();
	for (size_t i = 0; i < st->network_count; i++) {
		const struct core_network *n = &st->networks[i];

		if (strcmp(n->provider, p.name) == 0)
			json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:b}", "name", n->name, "kind", n->kind, "about", n->about, "peers",
				n->peers));
	}
	call_ok(call, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}
