/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages between broker and datastores, over a socket pair. */
#include "broker/hypervisor/storage/storage.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/unixsock.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/stores_folder.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(storage, .init = stores_folder_make, .fini = stores_folder_remove);

#define TASK "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

struct world {
	uv_loop_t loop;
	struct pst_ctl *broker, *own;
	struct storage *s;
	unsigned datastores, images, replies, closed;
	json_t *last; /* message or reply */
};

static void keep(struct world *w, json_t *msg)
{
	json_decref(w->last);
	w->last = json_incref(msg);
}

static void on_told(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct world *w = arg;
	bool is_image = strcmp(pst_json_str(msg, "op", 32), "image") == 0;

	w->images += is_image;
	w->datastores += !is_image;
	keep(w, msg);
}

static void on_asked(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct world *w = arg;

	cr_assert(storage_take(w->s, ctl, msg));
}

static void on_reply(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct world *w = arg;

	w->replies++;
	keep(w, reply);
}

static void on_gone(struct pst_ctl *ctl, const char *reason, void *arg)
{
}

static const struct pst_ctl_events broker_events = { .message = on_told, .closed = on_gone };
static const struct pst_ctl_events own_events = { .message = on_asked, .closed = on_gone };

static void on_closed(void *arg)
{
	((struct world *)arg)->closed++;
}

static void until(struct world *w, const unsigned *counter, unsigned n)
{
	while (*counter < n)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void ask(struct world *w, json_t *msg, const char *error)
{
	unsigned n = w->replies + 1;

	pst_ctl_call(w->broker, msg, 10000, on_reply, w);
	until(w, &w->replies, n);
	const char *code = pst_json_str(json_object_get(w->last, "error"), "code", 64);
	cr_assert(error ? code && strcmp(code, error) == 0 : !code, "%s", code ? code : "no error");
}

Test(storage, the_broker_is_told_what_there_is_and_says_what_it_wishes)
{
	struct pst_err err = PST_ERR_INIT;
	struct world w = { .replies = 0 };
	json_t *store;
	int fds[2];

	stores_folder_add("fast", NULL);
	uv_loop_init(&w.loop);
	cr_assert_eq(pst_unix_pair(fds, &err), 0);
	w.broker = pst_ctl_create(&w.loop, fds[0], &broker_events, &w);
	w.own = pst_ctl_create(&w.loop, fds[1], &own_events, &w);
	w.s = storage_create(&w.loop, stores_set, &(struct image_tools){ .qemu_img = "/nonexistent/qemu-img", .unpack = "/nonexistent/puesto-unpack" });
	storage_connect(w.s, w.own);
	until(&w, &w.datastores, 1);
	store = json_array_get(json_object_get(w.last, "datastores"), 0);
	cr_assert_str_eq(pst_json_str(store, "name", 64), "fast");
	cr_assert(pst_json_bool(store, "online", false) && !pst_json_bool(store, "maintenance", true));
	cr_assert_gt(pst_json_int(store, "total", 0, INT64_MAX, 0), 0);

	ask(&w, json_pack("{s:s, s:s, s:b}", "op", "datastore", "name", "fast", "maintenance", 1), NULL);
	until(&w, &w.datastores, 2);
	ask(&w, json_pack("{s:s, s:s}", "op", "datastore", "name", "none"), "not_found");
	ask(&w, json_pack("{s:s, s:s}", "op", "image_cancel", "task", TASK), "not_found");
	ask(&w, json_pack("{s:s}", "op", "bin_list"), NULL);
	ask(&w, json_pack("{s:s}", "op", "bin_burn"), "unsupported");
	ask(&w, json_pack("{s:s}", "op", "image"), "invalid");

	/* Begun twice, it is one job, whose end is told both times. */
	for (unsigned n = 1; n <= 2; n++) {
		json_t *import = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "op", "image", "kind", "import", "task", TASK, "datastore",
			"fast", "image", "desk", "version", "1", "file", "none");

		pst_ctl_send(w.broker, import);
		do
			until(&w, &w.images, w.images + 1);
		while (strcmp(pst_json_str(w.last, "state", 16), "failed") != 0);
	}
	storage_disconnect(w.s);
	storage_close(w.s, on_closed, &w);
	until(&w, &w.closed, 1);
	pst_ctl_close(w.broker);
	pst_ctl_close(w.own);
	json_decref(w.last);
	pst_loop_drain(&w.loop);
}
