/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provisioner against a broker's side of the socket: hello, commands, reports. */
#include "broker/hypervisor/provisioner.h"

#include "base/clock.h"
#include "base/ctl_server.h"
#include "base/json.h"
#include "base/loop.h"
#include "broker/hypervisor/fake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define A "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define B "1b4e28ba-2fa1-41d2-883f-0016d3cca428"

struct world {
	uv_loop_t loop;
	char path[64];
	struct driver *fake;
	struct provisioner *p;
	struct pst_ctl_server *server;
	struct pst_ctl *ctl;
	unsigned hellos, replies;
	size_t machines;
	bool healthy; /* as the last hello had it */
	json_t *last; /* last reply */
	json_t *report;
};

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct world *w = arg;
	const char *op = pst_json_str(msg, "op", 32);

	pst_fd_close(&fd);
	if (strcmp(op, "hello") == 0) {
		w->hellos++;
		w->machines = json_array_size(json_object_get(msg, "machines"));
		w->healthy = pst_json_bool(json_array_get(json_object_get(msg, "providers"), 0), "healthy", false);
		pst_ctl_reply(ctl, msg, NULL);
	} else if (strcmp(op, "report") == 0) {
		json_decref(w->report);
		w->report = json_incref(msg);
	}
}

static void on_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct world *w = arg;

	w->ctl = NULL;
}

static const struct pst_ctl_events events = { .message = on_message, .closed = on_closed };

static void on_accept(struct pst_ctl *ctl, void *arg)
{
	struct world *w = arg;

	w->ctl = ctl;
	pst_ctl_set_events(ctl, &events, w);
}

static void on_reply(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct world *w = arg;

	w->replies++;
	json_decref(w->last);
	w->last = json_incref(reply);
}

static void create_call(struct world *w, const char *task, const char *desktop)
{
	pst_ctl_call(w->ctl,
		json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s},s:{}}", "op", "create", "task", task, "desktop",
			desktop, "provider", "fake", "image", "name", "d", "version", "1", "base", "host", "path",
			"/i", "spec"),
		10000, on_reply, w);
}

static void world_open(struct world *w)
{
	struct driver_params params = { .name = "fake", .data = "/", .libexec = "/", .loop = &w->loop };
	struct pst_err err = PST_ERR_INIT;

	memset(w, 0, sizeof(*w));
	uv_loop_init(&w->loop);
	snprintf(w->path, sizeof(w->path), "/tmp/puesto-prov-%d.sock", (int)getpid());
	w->server = pst_ctl_listen(&w->loop, w->path, 0600, 4, on_accept, w, &err);
	cr_assert_not_null(w->server, "%s", err.text);
	w->fake = driver_open(&driver_fake, &params, &err);
	w->p = provisioner_create(&w->loop, w->path, 2);
	cr_assert_eq(provisioner_add(w->p, w->fake, &err), 0, "%s", err.text);
	cr_assert_eq(provisioner_start(w->p, &err), 0, "%s", err.text);
	while (w->hellos == 0)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void count(void *arg)
{
	(*(unsigned *)arg)++;
}

static void world_close(struct world *w)
{
	unsigned closed = 0;

	provisioner_close(w->p, count, &closed);
	while (closed == 0)
		uv_run(&w->loop, UV_RUN_ONCE);
	pst_ctl_close(w->ctl);
	pst_ctl_server_close(w->server);
	json_decref(w->last);
	json_decref(w->report);
	pst_loop_drain(&w->loop);
}

Test(provisioner, same_desktop_commands_keep_their_order_and_ends_are_reported)
{
	struct world w;

	world_open(&w);
	cr_assert_eq(w.machines, 0);
	create_call(&w, A, A);
	pst_ctl_call(w.ctl, json_pack("{s:s,s:s,s:s}", "op", "destroy", "task", B, "desktop", A), 10000,
		on_reply, &w);
	create_call(&w, B, A); /* a conflict, had the destroy overtaken the first create */
	while (w.replies < 3)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_null(json_object_get(w.last, "error"));
	uv_run(&w.loop, UV_RUN_NOWAIT); /* the watch begins in the job's last turn */
	cr_assert_eq(fake_kill(w.fake, A, "the test"), 0);
	while (!w.report)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_str_eq(pst_json_str(w.report, "desktop", 64), A);
	cr_assert_str_eq(pst_json_str(w.report, "state", 64), "failed");
	cr_assert_str_eq(pst_json_str(w.report, "reason", 64), "the test");
	world_close(&w);
}

/* A create that fails after three minutes was asked again twice by then: it is not tried three times. */
Test(provisioner, a_command_that_was_asked_again_meanwhile_is_done_once)
{
	struct world w;

	world_open(&w);
	create_call(&w, A, A);
	create_call(&w, A, A);
	while (w.replies < 2)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_null(json_object_get(w.last, "error"));
	fake_fail_next(w.fake, 1, PST_EINVAL);
	create_call(&w, B, B);
	create_call(&w, B, B);
	while (w.replies < 3)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_not_null(json_object_get(w.last, "error"));
	create_call(&w, A, B); /* a conflict, had the second made it */
	while (w.replies < 4)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_null(json_object_get(w.last, "error"));
	world_close(&w);
}

static void detach_call(struct world *w, const char *desktop)
{
	pst_ctl_call(w->ctl, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "op", "detach", "task", B, "desktop", desktop, "provider", "fake", "owner", "ana", "disk",
		"files"), 60000, on_reply, w);
}

/* It is asked again until the guest has let go; what comes after it for the desktop waits, and others have the threads. */
Test(provisioner, a_guest_that_takes_its_time_holds_no_thread)
{
	struct world w;

	world_open(&w);
	create_call(&w, A, A);
	while (w.replies < 1)
		uv_run(&w.loop, UV_RUN_ONCE);
	fake_fail_next(w.fake, 2, PST_EAGAIN);
	detach_call(&w, A);
	while (w.replies < 2)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_null(json_object_get(w.last, "error"), "two looks, and then it was gone");
	world_close(&w);
}

Test(provisioner, a_lost_broker_is_dialled_again_and_told_what_there_is)
{
	struct world w;

	world_open(&w);
	create_call(&w, A, A);
	while (w.replies < 1)
		uv_run(&w.loop, UV_RUN_ONCE);
	pst_ctl_close(w.ctl);
	w.ctl = NULL;
	while (w.hellos < 2)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_eq(w.machines, 1);
	create_call(&w, A, A);
	while (w.replies < 2)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_null(json_object_get(w.last, "error"), "the same task, the same answer");
	world_close(&w);
}

Test(provisioner, garbage_is_answered_and_harms_nobody)
{
	struct world w;

	world_open(&w);
	for (unsigned i = 0; i < 100; i++)
		pst_ctl_call(w.ctl, json_pack("{s:s,s:s}", "op", i % 2 ? "create" : "explode", "desktop", "/"),
			10000, on_reply, &w);
	while (w.replies < 100)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_not_null(json_object_get(w.last, "error"));
	create_call(&w, A, A);
	while (w.replies < 101)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_assert_null(json_object_get(w.last, "error"));
	world_close(&w);
}

Test(provisioner, a_failed_command_leads_to_a_look_at_health_and_the_return_is_told_soon)
{
	uint64_t began = pst_mono_ms();
	struct world w;

	world_open(&w);
	cr_assert(w.healthy);
	fake_fail_next(w.fake, 3, PST_EIO); /* the command, the look, the hello */
	create_call(&w, A, A);
	while (w.hellos < 2)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_expect_not(w.healthy);
	while (w.hellos < 3)
		uv_run(&w.loop, UV_RUN_ONCE);
	cr_expect(w.healthy);
	cr_expect_lt(pst_mono_ms() - began, 10000);
	world_close(&w);
}
