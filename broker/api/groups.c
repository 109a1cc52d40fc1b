/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups and their members. */
#include "broker/api/users.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "db/db.h"
#include "db/group.h"

#include <string.h>

#define MEMBERS_MAX 1000

static json_t *row_json(const struct group_row *g)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "id", g->id, "name", g->name, "display_name",
		g->display_name, "member_count", (json_int_t)g->members, "rev", (json_int_t)g->rev, "created",
		json_time(g->created), "updated", json_time(g->updated));
}

json_t *api_group_json(struct api *api, const char *id)
{
	struct group_row g;

	return db_group_get(api->db, id, &g, NULL) == 0 ? row_json(&g) : NULL;
}

static void visit(const struct group_row *g, void *arg)
{
	page_add(arg, g->name, row_json(g));
}

void api_group_list(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct page page;

	if (page_begin(call, &page) < 0)
		return;
	if (db_group_list(call->api->db, page.after, call_query(call, "q"), page.limit + 1, visit, &page, &err) < 0) {
		page_drop(&page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &page);
}

static int find(struct api_call *call, struct group_row *g)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = db_group_get(call->api->db, call->params[0], g, &err);

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
	struct pst_err err = PST_ERR_INIT;
	struct group_row g;

	if (db_group_get(call->api->db, id, &g, &err) < 0) {
		call_error(call, &err);
		return;
	}
	json_t *o = row_json(&g), *members = json_array();
	db_group_members(call->api->db, g.id, MEMBERS_MAX, add_ref, members, NULL);
	json_object_set_new(o, "members", members);
	call->etag = g.rev;
	call_ok(call, status, o);
}

void api_group_get(struct api_call *call)
{
	answer(call, 200, call->params[0]);
}

static int read_body(struct api_call *call, struct group_row *g, bool is_new)
{
	const struct field table[] = {
		{.name = "name", .kind = FIELD_NAME, .required = is_new, FIELD(struct group_row, name)},
		{.name = "display_name", .kind = FIELD_LABEL, FIELD(struct group_row, display_name)},
	};

	return fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), g, NULL);
}

void api_group_create(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct group_row g = {.rev = 1};

	if (read_body(call, &g, true) < 0 || write_begin(call) < 0)
		return;
	pst_uuid_text(&id, g.id);
	g.created = g.updated = pst_wall_ms();
	if (db_group_insert(call->api->db, &g, &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "group.created", "group", g.id, json_incref(call->body)) == 0)
		answer(call, 201, g.id);
}

void api_group_patch(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct group_row g;

	if (find(call, &g) < 0 || !write_if_match(call, g.rev) || read_body(call, &g, false) < 0 || write_begin(call) < 0)
		return;
	g.updated = pst_wall_ms();
	json_t *detail = call->body ? json_incref(call->body) : NULL;
	if (db_group_update(call->api->db, &g, &err) < 0) {
		json_decref(detail);
		write_fail(call, &err);
	} else if (write_commit(call, "group.changed", "group", g.id, detail) == 0) {
		answer(call, 200, g.id);
	}
}

void api_group_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct group_row g;

	if (find(call, &g) < 0 || !write_if_match(call, g.rev) || write_begin(call) < 0)
		return;
	if (db_group_delete(call->api->db, g.id, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "group.deleted", "group", g.id, json_pack("{s:s}", "name", g.name)) < 0)
		return;
	revoke_strays(call);
	call_empty(call);
}

static void change_member(struct api_call *call, bool add)
{
	struct pst_err err = PST_ERR_INIT;
	struct group_row g;
	struct user_row u;

	if (find(call, &g) < 0 || user_find(call, call->params[1], &u) < 0 || write_begin(call) < 0)
		return;
	int rc = add ? db_group_add(call->api->db, g.id, u.id, pst_wall_ms(), &err) :
		       db_group_remove(call->api->db, g.id, u.id, &err);
	if (rc < 0) {
		write_fail(call, &err);
		return;
	}
	json_t *detail = json_pack("{s:s, s:s, s:s}", "group", g.name, "user", u.name, "user_id", u.id);
	if (write_commit(call, add ? "group.member_added" : "group.member_removed", "group", g.id, detail) < 0)
		return;
	if (!add)
		revoke_strays(call);
	call_empty(call);
}

void api_group_member_put(struct api_call *call)
{
	change_member(call, true);
}

void api_group_member_delete(struct api_call *call)
{
	change_member(call, false);
}
