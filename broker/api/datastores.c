/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datastores: how full they are, and what an administrator sets. They are made in provisioner.conf. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/storage/datastores.h"

#include <string.h>

/* What the provisioner says, by the same names. */
static void report_json(const struct datastore_view *v, json_t *o)
{
	static const char *const keys[] = {"kind", "pool", "about", "path", "pools", "total", "free", "used", "allocated", "promised", "disks", "unreadable",
		"working", "waiting", "jobs", "images", "backups"};

	for (size_t i = 0; i < PST_ARRAY_LEN(keys); i++) {
		json_t *value = v->report ? json_object_get(v->report, keys[i]) : NULL;

		json_object_set_new(o, keys[i], value ? json_incref(value) : json_null());
	}
}

static int limit_of(const struct datastore_view *v, const char *key, int set)
{
	return set || !v->report ? set : (int)pst_json_int(v->report, key, 0, 100, 0);
}

static json_t *view_json(const struct datastore_view *v)
{
	const struct datastore_row *d = v->row;
	json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:i, s:i, s:b, s:o, s:I, s:o, s:o}", "id", d->id, "name", d->name, "state", v->state,
		"reason", json_reason(v->reason_code, v->en, v->es), "online", (int)(v->is_known && v->is_online), "maintenance", (int)d->maintenance,
		"warning", limit_of(v, "warning", d->warning), "critical", limit_of(v, "critical", d->critical), "limits_set", d->warning != 0, "seen",
		json_time(d->seen), "rev", (json_int_t)d->rev, "created", json_time(d->created), "updated", json_time(d->updated));

	if (o)
		report_json(v, o);
	json_object_set_new(o, "full_in_s", v->is_known && v->full_s >= 0 ? json_integer(v->full_s) : json_null());
	return o;
}

json_t *api_datastore_json(struct api *api, const char *id)
{
	struct datastore_view v;

	return datastores_view(api->datastores, id, &v) ? view_json(&v) : NULL;
}

void api_datastore_list(struct api_call *call)
{
	const char *part = call_query(call, "q");
	struct datastore_view v;
	struct page page;

	if (page_begin(call, &page) < 0)
		return;
	for (size_t i = 0; datastores_view_at(call->api->datastores, i, &v); i++) {
		if (strcmp(v.row->name, page.after) > 0 && strstr(v.row->name, part))
			page_add(&page, v.row->name, view_json(&v));
	}
	page_answer(call, &page);
}

static bool find(struct api_call *call, struct datastore_view *v)
{
	if (datastores_view(call->api->datastores, call->params[0], v))
		return true;
	call_problem(call, "not_found", "there is no datastore '%s'", call->params[0]);
	return false;
}

static void answer(struct api_call *call, const char *id)
{
	struct datastore_view v;

	if (!datastores_view(call->api->datastores, id, &v)) {
		call_problem(call, "not_found", NULL);
		return;
	}
	call->etag = v.row->rev;
	call_ok(call, 200, view_json(&v));
}

void api_datastore_get(struct api_call *call)
{
	struct datastore_view v;

	if (find(call, &v))
		answer(call, v.row->id);
}

/* Both limits, or none of its own: then those of provisioner.conf hold. */
static bool limits_are_good(struct api_call *call, const struct datastore_row *d)
{
	if ((d->warning == 0) != (d->critical == 0))
		call_field(call, d->warning ? "critical" : "warning", "%s: give both limits, or 0 for both", d->warning ? "critical" : "warning");
	else if (d->warning && d->warning >= d->critical)
		call_field(call, "warning", "warning: it must be below critical");
	return !call_is_answered(call);
}

void api_datastore_patch(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "maintenance", .kind = FIELD_BOOL, FIELD(struct datastore_row, maintenance)},
		{.name = "warning", .kind = FIELD_INT, FIELD(struct datastore_row, warning), .max = 99},
		{.name = "critical", .kind = FIELD_INT, FIELD(struct datastore_row, critical), .max = 100},
	};
	struct pst_err err = PST_ERR_INIT;
	struct datastore_view v;
	struct datastore_row d;

	if (!find(call, &v) || !write_if_match(call, v.row->rev))
		return;
	d = *v.row;
	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &d, NULL) < 0 || !limits_are_good(call, &d) || write_begin(call) < 0)
		return;
	d.updated = pst_wall_ms();
	if (db_datastore_update(call->api->db, &d, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	const char *kind = d.maintenance == v.row->maintenance ? "datastore.changed" :
		d.maintenance                                  ? "datastore.maintenance_on" :
								 "datastore.maintenance_off";
	if (write_commit(call, kind, "datastore", d.id, call->body ? json_incref(call->body) : NULL) < 0)
		return;
	datastores_reload(call->api->datastores, d.id);
	answer(call, d.id);
}

/* Only what the provisioner does not tell of any more: else it would come back. */
void api_datastore_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_view v;
	char id[DB_ID_SIZE];

	if (!find(call, &v) || !write_if_match(call, v.row->rev))
		return;
	if (v.is_known) {
		call_problem(call, "in_use", "the provisioner has it: take its section out of provisioner.conf first");
		return;
	}
	memcpy(id, v.row->id, sizeof(id));
	if (write_begin(call) < 0)
		return;
	if (db_datastore_delete(call->api->db, id, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "datastore.deleted", "datastore", id, json_pack("{s:s}", "datastore", v.row->name)) < 0)
		return;
	datastores_reload(call->api->datastores, id);
	call_empty(call);
}
