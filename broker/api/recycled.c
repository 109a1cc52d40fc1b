/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recycle bins of the datastores: what lies there is asked of the provisioner when somebody looks. */
#include "broker/api/desktops.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "broker/recycling.h"
#include "db/recycle.h"

#include <stdlib.h>
#include <string.h>

/* A call that waits for the provisioner. */
struct wait {
	struct api_call *call; /* NULL: the client left */
	void (*answer)(struct api_call *call, const json_t *reply);
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

	pst_fd_close(&fd);
	if (call) {
		if (pst_ctl_reply_check(reply, call_err, &err) < 0)
			call_error(call, &err);
		else
			w->answer(call, reply);
		call->cancelled = NULL;
		call_finish(call);
	}
	free(w);
}

static void ask(struct api_call *call, json_t *msg, void (*answer)(struct api_call *call, const json_t *reply))
{
	struct api *api = call->api;
	struct wait *w = pst_zalloc(1, sizeof(*w));

	if (!w) {
		json_decref(msg);
		call_problem(call, "internal", NULL);
		return;
	}
	w->call = call;
	w->answer = answer;
	if (!api->links->provisioner_ask(api->links_arg, msg, answered, w)) {
		free(w);
		call_problem(call, "unavailable", "the provisioner is not connected");
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

static json_t *item_json(struct api *api, const json_t *item)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I}", "id", text_of(item, "token"), "datastore",
		text_of(item, "datastore"), "token", text_of(item, "token"), "kind", text_of(item, "kind"), "name", text_of(item, "name"), "reason",
		text_of(item, "reason"), "can_restore", 0, "pool", json_null(), "user", json_null(), "removed",
		json_time(pst_json_int(item, "removed_ms", 0, INT64_MAX, 0)), "until", json_time(pst_json_int(item, "until_ms", 0, INT64_MAX, 0)),
		"bytes", (json_int_t)pst_json_int(item, "bytes", 0, INT64_MAX, 0));

	if (o && strcmp(text_of(item, "kind"), "desktop") == 0)
		desktop_json(api, item, o);
	return o;
}

static void list_answer(struct api_call *call, const json_t *reply)
{
	json_t *items = json_array(), *item, *unlisted = json_object_get(reply, "unlisted");
	size_t i;

	json_array_foreach(json_object_get(reply, "items"), i, item) {
		json_t *o = item_json(call->api, item);

		if (o)
			json_array_append_new(items, o);
	}
	call_ok(call, 200, json_pack("{s:o, s:o, s:o}", "items", items, "next", json_null(), "unlisted",
		json_is_array(unlisted) ? json_incref(unlisted) : json_array()));
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

static void delete_answer(struct api_call *call, const json_t *reply)
{
	if (write_event(call, "recycled.removed", "datastore", call->params[0], json_pack("{s:s}", "name", call->params[1])) == 0)
		call_empty(call);
}

void api_recycled_delete(struct api_call *call)
{
	ask(call, json_pack("{s:s, s:s, s:s}", "op", "bin_remove", "datastore", call->params[0], "token", call->params[1]), delete_answer);
}
