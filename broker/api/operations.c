/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a desktop's provider may carry beyond making it: power, snapshots, sizes, moves. Each is
 * answered at once and goes on as the desktop's task; "last_task" tells how it ended.
 */
#include "broker/api/desktops.h"

#include "base/mem.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "db/pool.h"
#include "db/snapshot.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 64

static void operate(struct api_call *call, const struct core_desktop *d, enum task_kind kind, const char *arg)
{
	struct pst_err err = PST_ERR_INIT;
	struct core_actor by;
	char id[CORE_ID_SIZE];

	memcpy(id, d->id, sizeof(id)); /* the core may free it */
	call_actor(call, &by);
	if (reconciler_operate(call->api->rec, id, kind, arg, &by, &err) < 0)
		call_error(call, &err);
	else
		call_ok(call, 202, api_desktop_json(call->api, id));
}

/* --- administrators ----------------------------------------------------------------- */

void api_desktop_power(struct api_call *call)
{
	static const char *const words[] = {"start", "stop", "suspend", NULL};
	static const struct field table[] = {{.name = "power", .kind = FIELD_WORD, .required = true, .size = 16, .words = words}};
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	enum task_kind kind = TASK_START;
	char word[16] = "";

	if (!d || fields_read(call, call->body, "", table, 1, word, NULL) < 0 || !task_kind_parse(word, &kind))
		return;
	operate(call, d, kind, "");
}

struct size_body {
	int memory_mb, cpus, disk_mb;
};

void api_desktop_resize(struct api_call *call)
{
	static const struct field table[] = {
		{.name = "memory_mb", .kind = FIELD_INT, FIELD(struct size_body, memory_mb), .max = 1048576},
		{.name = "cpus", .kind = FIELD_INT, FIELD(struct size_body, cpus), .max = 1024},
		{.name = "disk_mb", .kind = FIELD_INT, FIELD(struct size_body, disk_mb), .max = 67108864},
	};
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	struct size_body b = {0};
	char arg[NAME_SIZE];

	if (!d || fields_read(call, call->body, "", table, PST_ARRAY_LEN(table), &b, NULL) < 0)
		return;
	if (!b.memory_mb && !b.cpus && !b.disk_mb) {
		call_field(call, "disk_mb", "one of memory_mb, cpus and disk_mb must be given");
		return;
	}
	snprintf(arg, sizeof(arg), "%d,%d,%d", b.memory_mb, b.cpus * 100, b.disk_mb);
	operate(call, d, TASK_RESIZE, arg);
}

/* The one word of a body, a name for the provider; false: answered. */
static bool read_name(struct api_call *call, const char *field, char name[NAME_SIZE])
{
	const struct field table[] = {{.name = field, .kind = FIELD_SLUG, .required = true, .size = NAME_SIZE}};

	return fields_read(call, call->body, "", table, 1, name, NULL) == 0;
}

void api_desktop_migrate(struct api_call *call)
{
	static const struct field table[] = {{.name = "host", .kind = FIELD_SLUG, .size = NAME_SIZE}}; /* none: the best one */
	const struct core_desktop *d = desktop_find(call, call->params[0]);
	char host[NAME_SIZE] = "";

	if (d && fields_read(call, call->body, "", table, 1, host, NULL) == 0)
		operate(call, d, TASK_MIGRATE, host);
}

/* --- snapshots ---------------------------------------------------------------------- */

static void add_snapshot(const struct db_snapshot *row, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s, s:s, s:o}", "name", row->name, "by", row->by, "created", json_time(row->created)));
}

static json_t *snapshots(struct api_call *call, const struct core_desktop *d)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *items = json_array();

	if (db_snapshot_each(call->api->db, d->id, add_snapshot, items, &err) == 0)
		return items;
	json_decref(items);
	call_error(call, &err);
	return NULL;
}

static void list_snapshots(struct api_call *call, const struct core_desktop *d)
{
	json_t *items = snapshots(call, d);

	if (items)
		call_ok(call, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}

/* The snapshot of the call's second parameter, or NULL: answered. */
static const char *find_snapshot(struct api_call *call, const struct core_desktop *d)
{
	json_t *items = snapshots(call, d), *o;
	const char *found = NULL;
	size_t i;

	if (!items)
		return NULL;
	json_array_foreach(items, i, o) {
		if (strcmp(json_string_value(json_object_get(o, "name")), call->params[1]) == 0)
			found = call->params[1];
	}
	json_decref(items);
	if (!found)
		call_problem(call, "not_found", "desktop %s has no snapshot \'%.100s\'", d->name, call->params[1]);
	return found;
}

static void take_snapshot(struct api_call *call, const struct core_desktop *d)
{
	char name[NAME_SIZE] = "";

	if (read_name(call, "name", name))
		operate(call, d, TASK_SNAPSHOT, name);
}

static void use_snapshot(struct api_call *call, const struct core_desktop *d, enum task_kind kind)
{
	const char *name = find_snapshot(call, d);

	if (name)
		operate(call, d, kind, name);
}

void api_desktop_snapshots(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);

	if (d)
		list_snapshots(call, d);
}

void api_desktop_snapshot_take(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);

	if (d)
		take_snapshot(call, d);
}

void api_desktop_snapshot_revert(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);

	if (d)
		use_snapshot(call, d, TASK_REVERT);
}

void api_desktop_snapshot_drop(struct api_call *call)
{
	const struct core_desktop *d = desktop_find(call, call->params[0]);

	if (d)
		use_snapshot(call, d, TASK_DROP);
}

/* --- a user's own desktop ------------------------------------------------------------- */

/* His desktop, of a pool that lets its users keep snapshots; NULL: answered. */
static const struct core_desktop *my_snapshots(struct api_call *call, int *ret_max)
{
	const struct core_desktop *d = desktop_mine(call);
	struct pool_row pool;

	if (!d)
		return NULL;
	*ret_max = db_pool_get(call->api->db, d->pool_id, &pool, NULL) == 0 ? pool.user_snapshots : 0;
	if (*ret_max)
		return d;
	call_problem(call, "snapshots_off", NULL);
	return NULL;
}

void api_me_snapshots(struct api_call *call)
{
	int max;
	const struct core_desktop *d = my_snapshots(call, &max);

	if (d)
		list_snapshots(call, d);
}

void api_me_snapshot_take(struct api_call *call)
{
	int max;
	const struct core_desktop *d = my_snapshots(call, &max);
	json_t *items = d ? snapshots(call, d) : NULL;

	if (items && json_array_size(items) >= (size_t)max)
		call_problem(call, "limit", "you may keep %d snapshots of this desktop: remove one first", max);
	else if (items)
		take_snapshot(call, d);
	json_decref(items);
}

void api_me_snapshot_revert(struct api_call *call)
{
	int max;
	const struct core_desktop *d = my_snapshots(call, &max);

	if (d)
		use_snapshot(call, d, TASK_REVERT);
}

void api_me_snapshot_drop(struct api_call *call)
{
	int max;
	const struct core_desktop *d = my_snapshots(call, &max);

	if (d)
		use_snapshot(call, d, TASK_DROP);
}
