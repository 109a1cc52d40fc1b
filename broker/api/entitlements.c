/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entitlements: who may use which pool. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "db/pool.h"
#include "db/db.h"
#include "db/entitlement.h"

#include <string.h>

static json_t *row_json(const struct entitlement_row *e)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "id", e->id, "pool", json_ref(e->pool_id, e->pool_name), "user",
		json_ref(e->user_id, e->user_name), "group", json_ref(e->group_id, e->group_name), "created",
		json_time(e->created), "updated", json_time(e->created));
}

json_t *api_entitlement_json(struct api *api, const char *id)
{
	struct entitlement_row e;

	return db_entitlement_get(api->db, id, &e, NULL) == 0 ? row_json(&e) : NULL;
}

/* Names of a body or a query, and then their ids; "" stays "". */
struct refs {
	char pool[257], user[257], group[257];
	struct pool_row pool_row;
	struct user_row user_row;
	struct group_row group_row;
};

static int resolve(struct api_call *call, struct refs *r)
{
	struct pst_err err = PST_ERR_INIT;
	const char *field = "pool";
	int rc = r->pool[0] ? db_pool_get(call->api->db, r->pool, &r->pool_row, &err) : 0;

	if (rc == 0 && r->user[0]) {
		field = "user";
		rc = db_user_get(call->api->db, r->user, &r->user_row, &err);
	}
	if (rc == 0 && r->group[0]) {
		field = "group";
		rc = db_group_get(call->api->db, r->group, &r->group_row, &err);
	}
	if (rc < 0)
		call_field(call, field, "%s: %s", field, err.text);
	return rc;
}

static void visit(const struct entitlement_row *e, void *arg)
{
	page_add(arg, e->id, row_json(e));
}

static void copy_query(const struct api_call *call, const char *name, char *out, size_t out_size)
{
	const char *value = call_query(call, name);

	if (strlen(value) < out_size)
		strcpy(out, value);
}

void api_entitlement_list(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct refs r = {.pool = ""};
	struct page page;

	copy_query(call, "pool", r.pool, sizeof(r.pool));
	copy_query(call, "user", r.user, sizeof(r.user));
	copy_query(call, "group", r.group, sizeof(r.group));
	if (resolve(call, &r) < 0 || page_begin(call, &page) < 0)
		return;
	struct entitlement_filter f = {.pool = r.pool_row.id, .user = r.user_row.id, .group = r.group_row.id};
	if (db_entitlement_list(call->api->db, &f, page.after, page.limit + 1, visit, &page, &err) < 0) {
		page_drop(&page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &page);
}

void api_entitlement_create(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "pool", .kind = FIELD_REF, .required = true, FIELD(struct refs, pool)},
		{.name = "user", .kind = FIELD_REF, FIELD(struct refs, user)},
		{.name = "group", .kind = FIELD_REF, FIELD(struct refs, group)},
	};
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct entitlement_row e = {.created = pst_wall_ms()};
	struct refs r = {.pool = ""};

	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &r, NULL) < 0)
		return;
	if (!r.user[0] == !r.group[0]) {
		call_field(call, "user", "user: give exactly one of the two");
		return;
	}
	if (resolve(call, &r) < 0 || write_begin(call) < 0)
		return;
	pst_uuid_text(&id, e.id);
	memcpy(e.pool_id, r.pool_row.id, sizeof(e.pool_id));
	memcpy(e.user_id, r.user_row.id, sizeof(e.user_id));
	memcpy(e.group_id, r.group_row.id, sizeof(e.group_id));
	if (db_entitlement_insert(call->api->db, &e, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	json_t *detail = json_pack("{s:s, s:s, s:s}", "pool", r.pool_row.name, "user", r.user_row.name, "group",
		r.group_row.name);
	if (write_commit(call, "entitlement.created", "entitlement", e.id, detail) == 0)
		call_ok(call, 201, api_entitlement_json(call->api, e.id));
}

void api_entitlement_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct entitlement_row e;

	if (db_entitlement_get(call->api->db, call->params[0], &e, &err) < 0) {
		call_error(call, &err);
		return;
	}
	if (write_begin(call) < 0)
		return;
	if (db_entitlement_delete(call->api->db, e.id, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	json_t *detail = json_pack("{s:s, s:s, s:s}", "pool", e.pool_name, "user", e.user_name, "group", e.group_name);
	if (write_commit(call, "entitlement.deleted", "entitlement", e.id, detail) < 0)
		return;
	revoke_strays(call);
	call_empty(call);
}
