/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images and their versions. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "db/image.h"

#include <string.h>

#define VERSIONS_MAX 200

struct versions {
	struct api *api;
	json_t *list;
};

static int count_desktops(const struct core_state *st, const struct version_row *v)
{
	int n = 0;

	for (size_t i = 0; i < st->desktop_count; i++)
		n += !strcmp(st->desktops[i]->image_id, v->image_id) && !strcmp(st->desktops[i]->image_version, v->version);
	return n;
}

static void add_version(const struct version_row *v, void *arg)
{
	struct versions *versions = arg;

	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "id", v->id, "version", v->version, "base", v->base,
		"path", v->path, "state", v->state, "notes", v->notes, "desktops",
		count_desktops(reconciler_state(versions->api->rec), v), "verified", json_time(v->verified), "created",
		json_time(v->created), "updated", json_time(v->updated));

	api_version_files_json(versions->api, v, o);
	json_array_append_new(versions->list, o);
}

static json_t *row_json(struct api *api, const struct image_row *i)
{
	struct versions versions = {api, json_array()};
	bool published = i->published[0];

	db_version_list(api->db, i->id, VERSIONS_MAX, add_version, &versions, NULL);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:I, s:o, s:o}", "id", i->id, "name", i->name,
		"display_name", i->display_name, "description", i->description, "os", i->os, "published",
		json_text_or_null(i->published), "state", published ? "published" : "draft", "reason",
		published ? json_reason("", "Pools that ask for the latest version get this one.",
				    "Los grupos que piden la última versión reciben esta.") :
			    json_reason("not_published", "No version is published yet: publish one.",
				    "Todavía no hay una versión publicada: publique una."),
		"versions", versions.list, "rollout", api_rollout_json(api, i->id), "rev", (json_int_t)i->rev, "created", json_time(i->created), "updated",
		json_time(i->updated));
}

json_t *api_image_json(struct api *api, const char *id)
{
	struct image_row i;

	return db_image_get(api->db, id, &i, NULL) == 0 ? row_json(api, &i) : NULL;
}

int image_find(struct api_call *call, struct image_row *i)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = db_image_get(call->api->db, call->params[0], i, &err);

	if (rc < 0)
		call_error(call, &err);
	return rc;
}

static void visit(const struct image_row *i, void *arg)
{
	json_t *ids = arg;

	json_array_append_new(ids, json_pack("[s, s]", i->id, i->name));
}

void api_image_list(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *ids, *pair;
	struct page page;
	size_t n;

	if (page_begin(call, &page) < 0)
		return;
	ids = json_array();
	if (db_image_list(call->api->db, page.after, call_query(call, "q"), page.limit + 1, visit, ids, &err) < 0) {
		json_decref(ids);
		page_drop(&page);
		call_error(call, &err);
		return;
	}
	json_array_foreach(ids, n, pair) {
		json_t *o = api_image_json(call->api, json_string_value(json_array_get(pair, 0)));

		if (o)
			page_add(&page, json_string_value(json_array_get(pair, 1)), o);
	}
	json_decref(ids);
	page_answer(call, &page);
}

static void answer(struct api_call *call, int status, const char *id)
{
	struct pst_err err = PST_ERR_INIT;
	struct image_row i;

	if (db_image_get(call->api->db, id, &i, &err) < 0) {
		call_error(call, &err);
		return;
	}
	call->etag = i.rev;
	call_ok(call, status, row_json(call->api, &i));
}

void api_image_get(struct api_call *call)
{
	answer(call, 200, call->params[0]);
}

static void commit(struct api_call *call, const char *kind, int status, const char *id)
{
	struct pst_err err = PST_ERR_INIT;

	if (write_commit(call, kind, "image", id, call->body ? json_incref(call->body) : NULL) < 0)
		return;
	if (reconciler_config_changed(call->api->rec, &err) < 0)
		call_error(call, &err);
	else if (status == 204)
		call_empty(call);
	else
		answer(call, status, id);
}

static const char *const os_words[] = {"linux", "windows", NULL};

static int read_body(struct api_call *call, struct image_row *i, bool is_new)
{
	const struct field table[] = {
		{.name = "name", .kind = FIELD_SLUG, .required = is_new, FIELD(struct image_row, name)},
		{.name = "display_name", .kind = FIELD_LABEL, FIELD(struct image_row, display_name)},
		{.name = "description", .kind = FIELD_TEXT, FIELD(struct image_row, description), .max = 1000},
		{.name = "os", .kind = FIELD_WORD, FIELD(struct image_row, os), .words = os_words},
	};

	return fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), i, NULL);
}

void api_image_create(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct image_row i = {.os = "linux"};

	if (read_body(call, &i, true) < 0 || write_begin(call) < 0)
		return;
	pst_uuid_text(&id, i.id);
	i.created = i.updated = pst_wall_ms();
	if (db_image_insert(call->api->db, &i, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "image.created", 201, i.id);
}

void api_image_patch(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct image_row i;

	if (image_find(call, &i) < 0 || !write_if_match(call, i.rev) || read_body(call, &i, false) < 0 || write_begin(call) < 0)
		return;
	i.updated = pst_wall_ms();
	if (db_image_update(call->api->db, &i, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "image.changed", 200, i.id);
}

static bool path_is_good(const char *path)
{
	return *path == '/' && !strstr(path, "/../") && !pst_str_ends(path, "/..");
}

/* "ref:NAME": what a hypervisor calls it. The provisioner checks the name again. */
static bool base_is_good(const char *base)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
	const char *name = base + strlen("ref:");

	/* A disk on a server that the hypervisor reaches by itself. */
	if (pst_str_starts(base, "iscsi://") || pst_str_starts(base, "nfs://"))
		return !strpbrk(base, "\"'\\<>&?#%, ") && !strstr(base, "/../");
	if (!pst_str_starts(base, "ref:"))
		return strcmp(base, "host") == 0 || path_is_good(base);
	return *name && *name != '.' && *name != '-' && name[strspn(name, plain)] == '\0' && !strstr(name, "..");
}

void api_image_version_add(struct api_call *call)
{
	const struct field table[] = {
		{.name = "version", .kind = FIELD_SLUG, .required = true, FIELD(struct version_row, version)},
		{.name = "base", .kind = FIELD_TEXT, FIELD(struct version_row, base), .max = 1000},
		{.name = "path", .kind = FIELD_TEXT, FIELD(struct version_row, path), .max = 1000},
		{.name = "notes", .kind = FIELD_TEXT, FIELD(struct version_row, notes), .max = 1000},
	};
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct version_row v = {.base = "host", .state = "ready"};
	struct image_row i;

	if (image_find(call, &i) < 0)
		return;
	if (json_object_get(call->body, "import") || json_object_get(call->body, "capture")) {
		api_version_make(call, &i);
		return;
	}
	if (fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &v, NULL) < 0)
		return;
	if (strcmp(v.version, "latest") == 0)
		call_field(call, "version", "version: 'latest' stands for the published one: choose another word");
	else if (!base_is_good(v.base))
		call_field(call, "base", "base: use 'host', an absolute path without '..', iscsi:// or nfs://, or 'ref:NAME' for what the hypervisor has by that name");
	else if (v.path[0] && !path_is_good(v.path))
		call_field(call, "path", "path: use an absolute path without '..'");
	if (call_is_answered(call) || write_begin(call) < 0)
		return;
	pst_uuid_text(&id, v.id);
	memcpy(v.image_id, i.id, sizeof(v.image_id));
	v.created = v.updated = pst_wall_ms();
	if (db_version_insert(call->api->db, &v, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "image.version_added", 201, i.id);
}

void api_image_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_users users;
	struct image_row i;

	if (image_find(call, &i) < 0 || !write_if_match(call, i.rev) || write_begin(call) < 0)
		return;
	if (db_image_users(call->api->db, i.id, &users, &err) < 0)
		write_fail(call, &err);
	else if (!write_is_free(call, &users) || !api_image_has_no_files(call, i.id))
		return;
	else if (db_image_delete(call->api->db, i.id, &err) < 0)
		write_fail(call, &err);
	else
		commit(call, "image.deleted", 204, i.id);
}
