/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recycle bins of datastores and providers: what lies there is asked of the provisioner when somebody looks. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/unixsock.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "broker/recycling.h"
#include "db/personal.h"
#include "db/pool.h"
#include "db/recycle.h"
#include "db/user.h"

#include <stdlib.h>
#include <string.h>

/* A call that waits for the provisioner. */
struct wait {
	struct api_call *call; /* NULL: the client left */
	/* True: the call is answered; false: another question was put with next. */
	bool (*answer)(struct wait *w, const json_t *reply);
	struct db_personal disk; /* that comes back */
	struct db *db;
	bool is_back; /* it has, once the answer is good: with a client or without */
};

static void cancelled(struct api_call *call)
{
	struct wait *w = call->state;

	w->call = NULL;
}

static void answered(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct pst_err err = PST_ERR_INIT;
	struct wait *w = arg;
	struct api_call *call = w->call;
	int rc = pst_ctl_reply_check(reply, call_err, &err);
	bool is_over = true;

	pst_fd_close(&fd);
	if (call && rc < 0)
		call_error(call, &err);
	else if (call)
		is_over = w->answer(w, reply);
	else if (rc == 0 && w->is_back && db_personal_restored(w->db, &w->disk, pst_wall_ms(), &err) < 0)
		pst_warn("a user's disk is back, which is not written: %s", err.text);
	if (!is_over)
		return;
	if (call) {
		call->cancelled = NULL;
		call_finish(call);
	}
	free(w);
}

/* False: it cannot be asked, and the call is answered. */
static bool next(struct wait *w, json_t *msg, bool (*answer)(struct wait *w, const json_t *reply))
{
	struct api *api = w->call->api;

	w->answer = answer;
	if (api->links->provisioner_ask(api->links_arg, msg, answered, w))
		return true;
	call_problem(w->call, "unavailable", "the provisioner is not connected");
	return false;
}

static void ask(struct api_call *call, json_t *msg, bool (*answer)(struct wait *w, const json_t *reply))
{
	struct wait *w = pst_zalloc(1, sizeof(*w));

	if (!w) {
		json_decref(msg);
		call_problem(call, "internal", NULL);
		return;
	}
	w->call = call;
	w->db = call->api->db;
	if (!next(w, msg, answer)) {
		free(w);
		return;
	}
	call->pending = true;
	call->state = w;
	call->cancelled = cancelled;
}

/* --- the list -------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = pst_json_str(o, key, 1000);

	return s ? s : "";
}

/* A desktop's uuid becomes its name, its pool and its user; only with all three can it come back. */
static void desktop_json(struct api *api, const json_t *item, json_t *o)
{
	struct recycled_row r;
	bool is_known = db_recycled_desktop(api->db, text_of(item, "name"), &r, NULL) == 0;

	json_object_set_new(o, "id", json_string(text_of(item, "name")));
	json_object_set_new(o, "can_restore", json_boolean(is_known && r.pool[0] && r.user_id[0]));
	if (!is_known)
		return;
	json_object_set_new(o, "name", json_string(r.name));
	json_object_set_new(o, "pool", json_ref(r.pool_id, r.pool));
	json_object_set_new(o, "user", r.user_id[0] ? json_ref(r.user_id, r.user) : json_null());
}

/* OWNER/DISK is a user's id and a pool's. PST_ENOTFOUND when one of them is no more. */
static int disk_of(struct api *api, const char *name, struct db_personal *ret, struct pst_err *err)
{
	const char *slash = strchr(name, '/');
	char owner[DB_ID_SIZE] = "";
	struct pool_row pool;
	struct user_row user;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (!slash || (size_t)(slash - name) >= sizeof(owner))
		return pst_err_set(err, PST_ENOTFOUND, "'%.100s' is no user's disk", name);
	memcpy(owner, name, (size_t)(slash - name));
	rc = db_user_get(api->db, owner, &user, err);
	if (rc == 0) {
		CORE_COPY(ret->user_id, user.id);
		CORE_COPY(ret->user_name, user.name);
		rc = db_pool_get(api->db, slash + 1, &pool, err);
	}
	pst_wipe(&user, sizeof(user));
	if (rc < 0)
		return rc;
	CORE_COPY(ret->pool_id, pool.id);
	CORE_COPY(ret->pool_name, pool.name);
	CORE_COPY(ret->provider_id, pool.provider_id);
	return 0;
}

static bool has_disk(struct api *api, const struct db_personal *p)
{
	struct db_personal row;

	return db_personal_get(api->db, p->user_id, p->pool_id, &row, NULL) == 0;
}

/* Whose it is, by name; it can come back while he has no new one. */
static void disk_json(struct api *api, const json_t *item, json_t *o)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct db_personal p;
	int rc = disk_of(api, text_of(item, "name"), &p, &ignored);

	json_object_set_new(o, "can_restore", json_boolean(rc == 0 && !has_disk(api, &p)));
	json_object_set_new(o, "name", json_string(p.user_id[0] ? p.user_name : text_of(item, "reason")));
	if (p.user_id[0])
		json_object_set_new(o, "user", json_ref(p.user_id, p.user_name));
	if (rc == 0)
		json_object_set_new(o, "pool", json_ref(p.pool_id, p.pool_name));
}

static json_t *item_json(struct api *api, const json_t *item)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I}", "id", text_of(item, "token"), "datastore",
		text_of(item, "datastore"), "token", text_of(item, "token"), "kind", text_of(item, "kind"), "name", text_of(item, "name"), "reason",
		text_of(item, "reason"), "can_restore", 0, "pool", json_null(), "user", json_null(), "removed",
		json_time(pst_json_int(item, "removed_ms", 0, INT64_MAX, 0)), "until", json_time(pst_json_int(item, "until_ms", 0, INT64_MAX, 0)),
		"bytes", (json_int_t)pst_json_int(item, "bytes", 0, INT64_MAX, 0));

	if (o && strcmp(text_of(item, "kind"), "desktop") == 0)
		desktop_json(api, item, o);
	if (o && strcmp(text_of(item, "kind"), "personal") == 0)
		disk_json(api, item, o);
	return o;
}

static bool list_answer(struct wait *w, const json_t *reply)
{
	struct api_call *call = w->call;
	json_t *items = json_array(), *item, *unlisted = json_object_get(reply, "unlisted");
	size_t i;

	json_array_foreach(json_object_get(reply, "items"), i, item) {
		json_t *o = item_json(call->api, item);

		if (o)
			json_array_append_new(items, o);
	}
	call_ok(call, 200, json_pack("{s:o, s:o, s:o}", "items", items, "next", json_null(), "unlisted",
		json_is_array(unlisted) ? json_incref(unlisted) : json_array()));
	return true;
}

void api_recycled_list(struct api_call *call)
{
	ask(call, json_pack("{s:s}", "op", "bin_list"), list_answer);
}

/* --- back, and away ------------------------------------------------------------------------ */

void api_recycled_restore(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct recycled_row r;
	struct core_actor by;

	if (db_recycled_desktop(call->api->db, call->params[0], &r, &err) < 0) {
		call_error(call, &err);
		return;
	}
	if (!r.pool[0] || !r.user_id[0]) {
		call_problem(call, "conflict", "the pool or the user of the desktop '%s' is no more", r.name);
		return;
	}
	call_actor(call, &by);
	if (reconciler_restore(call->api->rec, &r, &by, &err) < 0)
		call_error(call, &err);
	else
		call_ok(call, 202, api_desktop_json(call->api, r.id));
}

static bool disk_back_answer(struct wait *w, const json_t *reply)
{
	struct api_call *call = w->call;
	const struct db_personal *p = &w->disk;
	struct pst_err err = PST_ERR_INIT;

	if (write_begin(call) < 0)
		return true;
	if (db_personal_restored(call->api->db, p, pst_wall_ms(), &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "personal.restored", "user", p->user_id, json_pack("{s:s, s:s}", "name", p->user_name, "pool", p->pool_name)) == 0)
		call_empty(call);
	return true;
}

static const json_t *item_find(const json_t *reply, const char *datastore, const char *token)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(reply, "items"), i, item) {
		if (strcmp(text_of(item, "datastore"), datastore) == 0 && strcmp(text_of(item, "token"), token) == 0)
			return item;
	}
	return NULL;
}

/* What lies there is known: whose is it, and may it come back? */
static bool disk_look_answer(struct wait *w, const json_t *reply)
{
	struct api_call *call = w->call;
	const json_t *item = item_find(reply, call->params[0], call->params[1]);
	struct pst_err err = PST_ERR_INIT;

	w->is_back = true;
	if (!item || strcmp(text_of(item, "kind"), "personal") != 0)
		call_problem(call, "not_found", "no user's disk lies in the recycle bin under that name");
	else if (disk_of(call->api, text_of(item, "name"), &w->disk, &err) < 0)
		call_problem(call, "conflict", "the pool or the user of the disk is no more");
	else if (has_disk(call->api, &w->disk))
		call_problem(call, "conflict", "user '%s' has a new disk of the pool '%s': remove that first", w->disk.user_name, w->disk.pool_name);
	else
		return !next(w, json_pack("{s:s, s:s, s:s}", "op", "bin_restore", "datastore", call->params[0], "token", call->params[1]), disk_back_answer);
	return true;
}

void api_recycled_disk_restore(struct api_call *call)
{
	ask(call, json_pack("{s:s}", "op", "bin_list"), disk_look_answer);
}

static bool delete_answer(struct wait *w, const json_t *reply)
{
	struct api_call *call = w->call;

	if (write_event(call, "recycled.removed", "datastore", call->params[0], json_pack("{s:s}", "name", call->params[1])) == 0)
		call_empty(call);
	return true;
}

void api_recycled_delete(struct api_call *call)
{
	ask(call, json_pack("{s:s, s:s, s:s}", "op", "bin_remove", "datastore", call->params[0], "token", call->params[1]), delete_answer);
}
