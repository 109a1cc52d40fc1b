/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Providers: connections to what makes desktops. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "db/provider.h"

#include <stdlib.h>
#include <string.h>

/* The kinds, and what their drivers are tried against by the tests that came with this version (docs/hypervisors.md). */
static const char *const kinds[] = {"local", "libvirt", "container", "lxc", "ssh", "vsphere", "hosts", "proxmox", "kubevirt", "qemu", "hyperv", NULL};
static const char *const checked[] = {"real", "real", "real", "real", "real", "simulator", "real", "double", "double", "real", "double"};
_Static_assert(PST_ARRAY_LEN(kinds) == PST_ARRAY_LEN(checked) + 1, "each kind is checked against something");

static const char *checked_of(const char *kind)
{
	for (size_t i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i], kind))
			return checked[i];
	return "";
}

static json_t *can_json(const char *words)
{
	json_t *list = json_array();

	while (*words) {
		size_t n = strcspn(words, ",");

		json_array_append_new(list, json_stringn(words, n));
		words += n + (words[n] == ',');
	}
	return list;
}

static json_t *row_json(struct api *api, const struct provider_row *p)
{
	const struct core_provider *live = state_provider(reconciler_state(api->rec), p->id);
	json_t *config = json_loads(p->config, 0, NULL);
	struct core_reason why = {{0}, {0}, {0}};
	const struct core_served *served = live ? state_served(reconciler_state(api->rec), live->name) : NULL;
	bool healthy = live && live->healthy;

	if (live)
		why = live->reason;
	if (healthy && !why.code[0])
		why = (struct core_reason){"", "It is working.", "Funciona."};
	else if (!why.code[0])
		why = (struct core_reason){"not_seen", "No provisioner has reported it: start puesto-provisioner.",
			"Ningún aprovisionador ha informado de él: arranque puesto-provisioner."};
	if (!p->enabled)
		why = (struct core_reason){"disabled", "It is switched off.", "Está desactivado."};
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:b, s:b, s:o, s:o, s:s, s:o, s:I, s:o, s:o, s:o}", "id", p->id, "name",
		p->name, "kind", p->kind, "checked", checked_of(p->kind), "capacity", p->capacity, "reported_capacity", live ? live->reported : 0, "max_creates",
		p->max_creates, "enabled", p->enabled, "healthy", healthy, "config", config ? config : json_object(), "seen",
		json_time(p->seen), "state", !p->enabled ? "disabled" : healthy ? "ready" : "failed", "reason",
		json_reason(why.code, why.en, why.es), "rev", (json_int_t)p->rev, "created", json_time(p->created), "updated",
		json_time(p->updated), "can", can_json(served ? served->can : ""));
}

json_t *api_provider_json(struct api *api, const char *id)
{
	struct provider_row p;

	return db_provider_get(api->db, id, &p, NULL) == 0 ? row_json(api, &p) : NULL;
}

struct list {
	struct api *api;
	struct page page;
};

static void visit(const struct provider_row *p, void *arg)
{
	struct list *l = arg;

	page_add(&l->page, p->name, row_json(l->api, p));
}

void api_provider_list(struct api_call *call)
{
	struct list l = {.api = call->api};
	struct pst_err err = PST_ERR_INIT;

	if (page_begin(call, &l.page) < 0)
		return;
	if (db_provider_list(call->api->db, l.page.after, call_query(call, "q"), l.page.limit + 1, visit, &l, &err) < 0) {
		page_drop(&l.page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &l.page);
}

static int find(struct api_call *call, struct provider_row *p)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = db_provider_get(call->api->db, call->params[0], p, &err);

	if (rc < 0)
		call_error(call, &err);
	return rc;
}

static void answer(struct api_call *call, int status, const char *id)
{
	struct pst_err err = PST_ERR_INIT;
	struct provider_row p;

	if (db_provider_get(call->api->db, id, &p, &err) < 0) {
		call_error(call, &err);
		return;
	}
	call->etag = p.rev;
	call_ok(call, status, row_json(call->api, &p));
}

void api_provider_get(struct api_call *call)
{
	answer(call, 200, call->params[0]);
}

struct body {
	struct provider_row row;
	json_t *config;
};

static int read_body(struct api_call *call, struct body *b, bool is_new)
{
	const struct field table[] = {
		{.name = "name", .kind = FIELD_SLUG, .required = is_new, FIELD(struct body, row.name)},
		{.name = "kind", .kind = FIELD_WORD, FIELD(struct body, row.kind), .words = kinds},
		{.name = "capacity", .kind = FIELD_INT, FIELD(struct body, row.capacity), .max = 100000},
		{.name = "max_creates", .kind = FIELD_INT, FIELD(struct body, row.max_creates), .min = 1, .max = 256},
		{.name = "enabled", .kind = FIELD_BOOL, FIELD(struct body, row.enabled)},
		{.name = "config", .kind = FIELD_OBJECT, FIELD(struct body, config)},
	};

	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), b, NULL) < 0)
		return PST_EINVAL;
	if (!b->config)
		return 0;
	char *text = pst_json_text(b->config, NULL);
	int rc = text ? pst_strlcpy(b->row.config, sizeof(b->row.config), text) : PST_ENOMEM;
	free(text);
	if (rc < 0)
		call_field(call, "config", "config: it is too long");
	return rc;
}

static void commit(struct api_call *call, const char *kind, int status, const char *id)
{
	struct pst_err err = PST_ERR_INIT;

	if (write_commit(call, kind, "provider", id, call->body ? json_incref(call->body) : NULL) < 0)
		return;
	if (reconciler_config_changed(call->api->rec, &err) < 0)
		call_error(call, &err);
	else if (status == 204)
		call_empty(call);
	else
		answer(call, status, id);
}

void api_provider_create(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct body b = {.row = {.kind = "local", .config = "{}", .max_creates = 2, .enabled = true}};

	if (read_body(call, &b, true) < 0 || write_begin(call) < 0)
		return;
	pst_uuid_text(&id, b.row.id);
	b.row.created = b.row.updated = pst_wall_ms();
	if (db_provider_insert(call->api->db, &b.row, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "provider.created", 201, b.row.id);
}

void api_provider_patch(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct body b = {.config = NULL};

	if (find(call, &b.row) < 0 || !write_if_match(call, b.row.rev) || read_body(call, &b, false) < 0 ||
		write_begin(call) < 0)
		return;
	b.row.updated = pst_wall_ms();
	if (db_provider_update(call->api->db, &b.row, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "provider.changed", 200, b.row.id);
}

void api_provider_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_users users;
	struct provider_row p;

	if (find(call, &p) < 0 || !write_if_match(call, p.rev) || write_begin(call) < 0)
		return;
	if (db_provider_users(call->api->db, p.id, &users, &err) < 0)
		write_fail(call, &err);
	else if (!write_is_free(call, &users))
		return;
	else if (db_provider_delete(call->api->db, p.id, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "provider.deleted", 204, p.id);
}

void api_provider_reap(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;

	call_actor(call, &by);
	if (reconciler_reap_allow(call->api->rec, &by, &err) < 0)
		call_error(call, &err);
	else
		call_empty(call);
}
