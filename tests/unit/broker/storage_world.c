/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the storage tests stand on. */
#include "tests/unit/broker/storage_world.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "db/db.h"

#include <criterion/criterion.h>
#include <string.h>

static bool op_ask(void *arg, json_t *msg, pst_ctl_done_cb done, void *done_arg)
{
	struct storage_world *w = arg;

	if (w->is_connected) {
		json_array_append(w->asked, msg);
		w->done = done;
		w->done_arg = done_arg;
	}
	json_decref(msg);
	return w->is_connected;
}

static int op_audit(void *arg, const struct core_actor *by, const char *kind, const char *object_kind, const char *object_id, json_t *detail,
	struct pst_err *err)
{
	struct storage_world *w = arg;

	cr_assert(db_in_transaction(w->db));
	json_array_append_new(w->events, json_string(kind));
	json_decref(detail);
	return 0;
}

static void op_changed(void *arg, const char *kind, const char *id)
{
	((struct storage_world *)arg)->changes++;
}

static void op_images_changed(void *arg)
{
	((struct storage_world *)arg)->image_changes++;
}

static int op_restore(void *arg, const struct recycled_row *was, struct pst_err *err)
{
	struct storage_world *w = arg;

	w->restored++;
	return w->restore_error ? pst_err_set(err, w->restore_error, "the pool is full") : 0;
}

static bool op_can_back_up(void *arg, const char *desktop_id)
{
	return !((struct storage_world *)arg)->carries_none;
}

const struct storage_ops storage_world_ops = {.ask = op_ask, .audit = op_audit, .changed = op_changed, .images_changed = op_images_changed,
	.restore = op_restore, .can_back_up = op_can_back_up};

void storage_world_open(struct storage_world *w)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;

	memset(w, 0, sizeof(*w));
	uv_loop_init(&w->loop);
	cr_assert_eq(db_open(":memory:", &w->db, &err), 0, "%s", err.text);
	cr_assert_eq(db_migrate(w->db, &err), 0, "%s", err.text);
	db_query_begin(&q, w->db, "INSERT INTO images (id, name, created, updated) VALUES ('" WORLD_IMAGE "', 'desk', 1, 1)", &err);
	cr_assert_eq(db_query_run(&q), 0, "%s", err.text);
	db_query_begin(&q, w->db, "INSERT INTO image_versions (id, image_id, version, base, state, created, updated) VALUES "
		"('" WORLD_VERSION "', '" WORLD_IMAGE "', '7', 'building', 'building', 1, 1)", &err);
	cr_assert_eq(db_query_run(&q), 0, "%s", err.text);
	w->asked = json_array();
	w->events = json_array();
}

void storage_world_close(struct storage_world *w)
{
	json_decref(w->asked);
	json_decref(w->events);
	db_close(w->db);
	pst_loop_drain(&w->loop);
}

const char *storage_world_asked(const struct storage_world *w, const char *key)
{
	json_t *last = json_array_get(w->asked, json_array_size(w->asked) - 1);
	const char *text = last ? pst_json_str(last, key, 200) : NULL;

	return text ? text : "";
}

const char *storage_world_events(const struct storage_world *w)
{
	static char text[400];
	json_t *kind;
	size_t i;

	text[0] = '\0';
	json_array_foreach(w->events, i, kind) {
		if (i)
			strcat(text, " ");
		strcat(text, json_string_value(kind));
	}
	return text;
}

void storage_world_answer(struct storage_world *w, int error, const char *text)
{
	struct pst_err err = {.code = error};
	json_t *reply = json_object();
	pst_ctl_done_cb done = w->done;

	w->done = NULL;
	pst_strlcpy(err.text, sizeof(err.text), text ? text : "");
	done(error ? NULL : reply, -1, &err, w->done_arg);
	json_decref(reply);
}
