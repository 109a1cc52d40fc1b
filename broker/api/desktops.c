/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Desktops: the core has them all in memory; tombstones and timelines come from the database. */
#include "broker/api/desktops.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/core/view.h"
#include "broker/reconciler.h"
#include "db/audit.h"
#include "db/pool.h"
#include "db/user.h"

#include <string.h>

#define TIMELINE_MAX 100

static json_t *axes_json(const struct core_desktop *d)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:i}", "lifecycle", lifecycle_text(d->x.lifecycle),
		"power", power_text(d->x.power), "agent", agent_text(d->x.agent), "lease", lease_text(d->x.lease), "session",
		session_text(d->x.session), "hygiene", hygiene_text(d->x.hygiene), "sleep", sleep_text(d->x.sleep), "drain", d->x.drain, "parked", d->x.parked, "epoch",
		(json_int_t)d->epoch, "failures", d->failures);
}

static json_t *task_json(const struct core_task *t)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "id", t->id, "kind", task_kind_text(t->kind), "arg", t->arg, "state",
		task_state_text(t->state), "attempts", t->attempts, "error", t->error);
}

/* Where it is, and why it was put there; null where its provider has one host. */
static json_t *place_json(const struct core_desktop *d)
{
	if (!d->place.host[0])
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "host", d->place.host, "en", json_text_or_null(d->place.en), "es", json_text_or_null(d->place.es));
}

void desktop_tasks_json(const struct core_desktop *d, json_t *o)
{
	if (d->t.id[0])
		json_object_set_new(o, "task", task_json(&d->t));
	if (d->last.id[0])
		json_object_set_new(o, "last_task", task_json(&d->last));
}

/* Adds "consoles", where somebody looks at it. */
static void consoles_json(struct api *api, const struct core_desktop *d, json_t *o)
{
	json_t *list = api->links->consoles(api->links_arg, d->id);

	if (json_array_size(list))
		json_object_set(o, "consoles", list);
	json_decref(list);
}

json_t *desktop_state_json(struct api *api, const struct core_desktop *d)
{
	const struct core_state *st = reconciler_state(api->rec);
	const struct core_pool *pool = state_pool(st, d->pool_id);
	const struct core_provider *provider = state_provider(st, d->provider_id);
	const struct core_image *image = state_image(st, d->image_id);
	struct desktop_view v = {.state = ""};

	desktop_view(st, d, (int64_t)pst_mono_ms(), &v);
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "id", d->id, "name", d->name,
		"pool", pool ? json_ref(pool->id, pool->name) : json_null(), "provider",
		provider ? json_ref(provider->id, provider->name) : json_null(), "image",
		image ? json_ref(image->id, image->name) : json_null(), "image_version", d->image_version, "user",
		json_ref(d->a.user_id, d->a.user_name), "state", v.state, "reason",
		json_reason(v.reason.code, v.reason.en, v.reason.es), "created", json_time(d->created_wall), "updated",
		json_time(d->created_wall));
	json_t *axes = axes_json(d);

	json_object_update(o, axes);
	json_decref(axes);
	json_object_set_new(o, "session_id", json_text_or_null(d->s.id));
	json_object_set_new(o, "placement", place_json(d));
	desktop_tasks_json(d, o);
	consoles_json(api, d, o);
	return o;
}

json_t *api_desktop_json(struct api *api, const char *id)
{
	const struct core_desktop *d = state_desktop(reconciler_state(api->rec), id);

	return d ? desktop_state_json(api, d) : NULL;
}

const struct core_desktop *desktop_find(struct api_call *call, const char *id_or_name)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_desktop *d = state_desktop(st, id_or_name);

	for (size_t i = 0; !d && i < st->desktop_count; i++) {
		if (strcmp(st->desktops[i]->name, id_or_name) == 0)
			d = st->desktops[i];
	}
	if (!d)
		call_problem(call, "not_found", "there is no desktop \'%.100s\'", id_or_name);
	return d;
}

struct filter {
	char pool[37], user[37];
	const char *state, *part; /* part: of the name of the desktop or of its owner */
};

static bool read_filter(struct api_call *call, struct filter *f)
{
	const char *pool = call_query(call, "pool"), *user = call_query(call, "user");
	struct pool_row p;
	struct user_row u;

	memset(f, 0, sizeof(*f));
	f->state = call_query(call, "state");
	f->part = call_query(call, "q");
	if (*pool && db_pool_get(call->api->db, pool, &p, NULL) < 0) {
		call_problem(call, "not_found", "there is no pool \'%.100s\'", pool);
		return false;
	}
	if (*user && db_user_get(call->api->db, user, &u, NULL) < 0) {
		call_problem(call, "not_found", "there is no user \'%.100s\'", user);
		return false;
	}
	if (*pool)
		memcpy(f->pool, p.id, sizeof(f->pool));
	if (*user)
		memcpy(f->user, u.id, sizeof(f->user));
	return true;
}

static bool fits(const struct core_state *st, const struct filter *f, const struct core_desktop *d)
{
	struct desktop_view v;

	if ((f->pool[0] && strcmp(f->pool, d->pool_id) != 0) || (f->user[0] && strcmp(f->user, d->a.user_id) != 0))
		return false;
	if (*f->part && !strcasestr(d->name, f->part) && !strcasestr(d->a.user_name, f->part))
		return false;
	if (!*f->state)
		return true;
	desktop_view(st, d, (int64_t)pst_mono_ms(), &v);
	return strcmp(f->state, v.state) == 0;
}

/* The first ones by name, in order: the rest of ten thousand is not sorted for the sake of a page. */
struct first {
	const struct core_desktop *items[PAGE_LIMIT_MAX + 1];
	size_t count, max;
};

static void first_add(struct first *f, const struct core_desktop *d)
{
	size_t low = 0, high = f->count;

	if (f->count == f->max && strcmp(d->name, f->items[f->count - 1]->name) >= 0)
		return;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(f->items[mid]->name, d->name) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	f->count -= f->count == f->max; /* the last one has no place any more */
	memmove(f->items + low + 1, f->items + low, (f->count - low) * sizeof(*f->items));
	f->items[low] = d;
	f->count++;
}

void api_desktop_list(struct api_call *call)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	struct first found;
	struct filter f;
	struct page page;

	if (!read_filter(call, &f) || page_begin(call, &page) < 0)
		return;
	found.count = 0;
	found.max = (size_t)page.limit + 1; /* one more tells that there is another page */
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		if (strcmp(d->name, page.after) > 0 && fits(st, &f, d))
			first_add(&found, d);
	}
	for (size_t i = 0; i < found.count; i++)
		page_add(&page, found.items[i]->name, desktop_state_json(call->api, found.items[i]));
	page_answer(call, &page);
}

static void add_event(const struct audit_row *row, void *arg)
{
	json_array_append_new(arg, api_event_json(row));
}

void api_desktop_get(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	struct audit_filter f = {.kind = "", .object = d ? d->id : "", .actor = "", .before = INT64_MAX};
	struct desktop_view v;

	if (!d)
		return;
	json_t *o = desktop_state_json(call->api, d), *timeline = json_array();
	desktop_view(reconciler_state(call->api->rec), d, (int64_t)pst_mono_ms(), &v);
	db_audit_list(call->api->db, &f, TIMELINE_MAX, add_event, timeline, NULL);
	json_object_set_new(o, "timeline", timeline);
	json_object_set_new(o, "why", json_string(call_wants_spanish(call) ? v.reason.es : v.reason.en));
	call_ok(call, 200, o);
}

void desktop_act(struct api_call *call, const char *id, desktop_action act)
{
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;

	call_actor(call, &by);
	if (act(call->api->rec, id, &by, &err) < 0) {
		call_error(call, &err);
		return;
	}
	json_t *o = api_desktop_json(call->api, id);
	call_ok(call, 202, o ? o : json_pack("{s:s, s:s}", "id", id, "state", "deleting"));
}

static void admin_act(struct api_call *call, desktop_action act)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	char id[CORE_ID_SIZE];

	if (!d)
		return;
	memcpy(id, d->id, sizeof(id)); /* the core may free it */
	desktop_act(call, id, act);
}

void api_desktop_delete(struct api_call *call)
{
	admin_act(call, reconciler_delete);
}

void api_desktop_restart(struct api_call *call)
{
	admin_act(call, reconciler_restart);
}

void api_desktop_logoff(struct api_call *call)
{
	admin_act(call, reconciler_logoff);
}

void api_desktop_refresh(struct api_call *call)
{
	admin_act(call, reconciler_refresh);
}

void api_desktop_drain(struct api_call *call)
{
	static const struct field table[] = {{.name = "drain", .kind = FIELD_BOOL, .required = true, .size = sizeof(bool)}};
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;
	bool on = false;

	if (!d || fields_read(call, call->body, "", table, 1, &on, NULL) < 0)
		return;
	call_actor(call, &by);
	if (reconciler_drain(call->api->rec, d->id, on, &by, &err) < 0)
		call_error(call, &err);
	else
		call_ok(call, 200, api_desktop_json(call->api, d->id));
}

void api_desktop_message(struct api_call *call)
{
	static const struct field table[] = {{.name = "text", .kind = FIELD_TEXT, .required = true, .size = 1300, .max = 300}};
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;
	char text[1300] = "";

	if (!d || fields_read(call, call->body, "", table, 1, text, NULL) < 0)
		return;
	if (!*text) {
		call_field(call, "text", "text: it is empty");
		return;
	}
	call_actor(call, &by);
	if (reconciler_message(call->api->rec, d->id, text, &by, &err) < 0)
		call_error(call, &err);
	else
		call_ok(call, 202, api_desktop_json(call->api, d->id));
}
