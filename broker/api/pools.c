/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools: reading them, and the acts that are not edits. */
#include "broker/api/pools.h"

#include "base/clock.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "db/backup.h"
#include "db/personal.h"
#include "db/recycle.h"

#include <string.h>

static json_t *counts_json(const struct pool_counts *c)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "total", c->total, "ready", c->ready, "assigned",
		c->assigned, "connected", c->connected, "starting", c->starting, "failed", c->failed, "deleting", c->deleting, "suspended", c->suspended);
}

static json_t *spec_json(const struct pool_row *p)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:s, s:s, s:s}", "memory_mb", p->memory_mb, "cpus", p->cpus, "pids",
		p->pids, "disk_mb", p->disk_mb, "network", p->network, "max_width", p->max_width, "max_height", p->max_height, "locale", p->locale,
		"layout", p->layout, "display", p->display);
}

json_t *pool_row_json(struct api *api, const struct pool_row *p)
{
	struct pool_view v = {.state = "starting"};
	struct backup_wish backup;
	int recycle_set, recycle_days, personal_mb;
	char store[DB_WORD_SIZE];

	if (!pool_view(reconciler_state(api->rec), p->id, (int64_t)pst_mono_ms(), &v))
		v.state = p->deleting ? "deleting" : "starting";
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:i, s:i, s:i, s:s, s:i, s:i, s:o}", "id", p->id,
		"name", p->name, "display_name", p->display_name, "description", p->description, "kind", p->kind, "provider",
		json_ref(p->provider_id, p->provider_name), "image", json_ref(p->image_id, p->image_name), "image_version",
		p->image_version, "min", p->min, "max", p->max, "spare", p->spare, "on_logoff", p->on_logoff,
		"idle_disconnect_s", p->idle_disconnect_s, "logoff_after_disconnect_s", p->logoff_after_disconnect_s, "spec",
		spec_json(p));
	json_t *rest = json_pack("{s:b, s:b, s:s, s:i, s:b, s:b, s:b, s:s, s:o, s:o, s:i, s:I, s:o, s:o}", "clipboard_in",
		p->clipboard_in, "clipboard_out", p->clipboard_out, "watching", p->watching, "user_snapshots",
		p->user_snapshots, "enabled", p->enabled, "drain", p->drain, "maintenance",
		p->maintenance, "state", v.state, "reason", json_reason(v.reason.code, v.reason.en, v.reason.es), "counts",
		counts_json(&v.counts), "waiting", v.waiting, "rev", (json_int_t)p->rev, "created", json_time(p->created),
		"updated", json_time(p->updated));

	json_object_update(o, rest);
	json_object_set_new(o, "spare_suspended", json_integer(p->spare_suspended));
	json_object_set_new(o, "suspended_reason", v.tier.code[0] ? json_reason(v.tier.code, v.tier.en, v.tier.es) : json_null());
	json_decref(rest);
	if (db_recycle_days(api->db, p->id, &recycle_set, &recycle_days, NULL) == 0) {
		json_object_set_new(o, "recycle_days", json_integer(recycle_set));
		json_object_set_new(o, "recycled_for", json_integer(recycle_days));
	}
	if (db_personal_settings(api->db, p->id, &personal_mb, store, NULL) == 0) {
		json_object_set_new(o, "personal_disk_mb", json_integer(personal_mb));
		json_object_set_new(o, "personal_datastore", json_string(store));
	}
	if (db_backup_wish_get(api->db, p->id, &backup, NULL) == 0) {
		json_object_set_new(o, "backup_every_h", json_integer(backup.every_h));
		json_object_set_new(o, "backup_full_every_d", json_integer(backup.full_every_d));
		json_object_set_new(o, "backup_keep_d", json_integer(backup.keep_d));
		json_object_set_new(o, "backup_chain", json_integer(backup.chain));
	}
	return o;
}

json_t *api_pool_json(struct api *api, const char *id)
{
	struct pool_row p;

	return db_pool_get(api->db, id, &p, NULL) == 0 ? pool_row_json(api, &p) : NULL;
}

int pool_find(struct api_call *call, const char *id, struct pool_row *ret)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = db_pool_get(call->api->db, id, ret, &err);

	if (rc < 0)
		call_error(call, &err);
	return rc;
}

void pool_answer(struct api_call *call, int status, const char *id)
{
	struct pool_row p;

	if (pool_find(call, id, &p) < 0)
		return;
	call->etag = p.rev;
	call_ok(call, status, pool_row_json(call->api, &p));
}

struct list {
	struct api *api;
	struct page page;
};

static void visit(const struct pool_row *p, void *arg)
{
	struct list *l = arg;

	page_add(&l->page, p->name, pool_row_json(l->api, p));
}

void api_pool_list(struct api_call *call)
{
	struct list l = {.api = call->api};
	struct pst_err err = PST_ERR_INIT;

	if (page_begin(call, &l.page) < 0)
		return;
	if (db_pool_list(call->api->db, l.page.after, call_query(call, "q"), l.page.limit + 1, visit, &l, &err) < 0) {
		page_drop(&l.page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &l.page);
}

void api_pool_get(struct api_call *call)
{
	pool_answer(call, 200, call->params[0]);
}

void api_pool_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;
	struct pool_row p;

	if (pool_find(call, call->params[0], &p) < 0 || !write_if_match(call, p.rev))
		return;
	call_actor(call, &by);
	json_t *before = pool_row_json(call->api, &p);
	if (reconciler_pool_delete(call->api->rec, p.id, &by, &err) < 0) {
		json_decref(before);
		call_error(call, &err);
		return;
	}
	json_t *after = api_pool_json(call->api, p.id);
	if (!after) { /* it was empty and is gone already */
		json_object_set_new(before, "state", json_string("deleting"));
		call_ok(call, 202, before);
		return;
	}
	json_decref(before);
	call_ok(call, 202, after);
}

static void set_flag(struct api_call *call, const char *field, const char *kind_on, const char *kind_off)
{
	struct pst_err err = PST_ERR_INIT;
	struct pool_row p;
	bool on = false;
	const struct field table[] = {{.name = field, .kind = FIELD_BOOL, .required = true, .size = sizeof(bool)}};

	if (fields_read(call, call->body, "", table, 1, &on, NULL) < 0 || pool_find(call, call->params[0], &p) < 0 ||
		!write_if_match(call, p.rev) || write_begin(call) < 0)
		return;
	if (strcmp(field, "drain") == 0)
		p.drain = on;
	else
		p.maintenance = on;
	p.updated = pst_wall_ms();
	if (db_pool_update(call->api->db, &p, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, on ? kind_on : kind_off, "pool", p.id, json_pack("{s:s}", "name", p.name)) < 0)
		return;
	if (reconciler_config_changed(call->api->rec, &err) < 0) {
		call_error(call, &err);
		return;
	}
	pool_answer(call, 200, p.id);
}

void api_pool_drain(struct api_call *call)
{
	set_flag(call, "drain", "pool.drain_on", "pool.drain_off");
}

void api_pool_maintenance(struct api_call *call)
{
	set_flag(call, "on", "pool.maintenance_on", "pool.maintenance_off");
}
