/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client and server over a real socket: reconnecting, limits, refused calls. Covers: base/ctl_server.c */
#include "base/ctl_client.h"
#include "base/ctl_server.h"

#include "base/json.h"
#include "base/loop.h"
#include "tests/unit/base/util.h"

#include <sys/socket.h>

struct world {
	uv_loop_t loop;
	char dir[64], path[96];
	struct pst_ctl_server *server;
	struct pst_ctl_client *client;
	struct pst_timer *guard;
	uv_timer_t tick; /* a turn of the loop that has run its timers would block for the guard */
	struct pst_ctl *conns[8];
	size_t n_conns;
	int connected, closed, messages, dones, code;
	bool call_again;
};

static void tick_fired(uv_timer_t *tick)
{
}

static void guard_fired(void *arg)
{
	cr_assert_fail("the test waits for an event that does not come");
}

static void conn_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	pst_fd_close(&fd);
	pst_ctl_reply(ctl, msg, NULL);
	pst_ctl_send(ctl, json_pack("{s:s}", "op", "hello"));
}

static void conn_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct world *w = arg;

	for (size_t i = 0; i < w->n_conns; i++)
		if (w->conns[i] == ctl)
			w->conns[i] = NULL;
}

static const struct pst_ctl_events conn_events = { .message = conn_message, .closed = conn_closed };

static void on_accept(struct pst_ctl *ctl, void *arg)
{
	struct world *w = arg;

	pst_ctl_set_events(ctl, &conn_events, w);
	w->conns[w->n_conns++ % 8] = ctl;
}

static void connected(struct pst_ctl_client *client, struct pst_ctl *ctl, void *arg)
{
	struct world *w = arg;

	w->connected++;
}

static void message(struct pst_ctl_client *client, json_t *msg, int fd, void *arg)
{
	struct world *w = arg;

	pst_fd_close(&fd);
	w->messages++;
}

static void closed(struct pst_ctl_client *client, const char *reason, void *arg)
{
	struct world *w = arg;

	w->closed++;
}

static const struct pst_ctl_client_events client_events = { connected, message, closed };

static void done(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct world *w = arg;

	w->dones++;
	w->code = pst_ctl_reply_check(reply, err, NULL);
	if (w->call_again && w->dones < 3)
		pst_ctl_client_call(w->client, json_object(), 1000, done, w);
}

static void serve(struct world *w, size_t max)
{
	struct pst_err err = PST_ERR_INIT;

	w->server = pst_ctl_listen(&w->loop, w->path, 0600, max, on_accept, w, &err);
	cr_assert_not_null(w->server, "%s", err.text);
}

static void drop_connections(struct world *w)
{
	for (size_t i = 0; i < 8; i++) {
		pst_ctl_close(w->conns[i]);
		w->conns[i] = NULL;
	}
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	uv_loop_init(&w->loop);
	temp_dir_make(w->dir);
	snprintf(w->path, sizeof(w->path), "%s/s.sock", w->dir);
	w->guard = pst_timer_create(&w->loop);
	pst_timer_start(w->guard, 20000, guard_fired, NULL);
	uv_timer_init(&w->loop, &w->tick);
	uv_timer_start(&w->tick, tick_fired, 2, 2);
}

static void world_finish(struct world *w)
{
	pst_ctl_client_close(w->client);
	drop_connections(w);
	pst_ctl_server_close(w->server);
	pst_timer_destroy(w->guard);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&w->loop), 0, "a handle is left open");
	temp_dir_remove(w->dir);
}

#define RUN_UNTIL(w, cond) \
	do { \
		while (!(cond)) \
			uv_run(&(w)->loop, UV_RUN_ONCE); \
	} while (0)

Test(ctl_client, waits_for_its_server_and_comes_back)
{
	struct world w;

	world_init(&w);
	w.client = pst_ctl_client_create(&w.loop, w.path, &client_events, &w);
	cr_assert_null(pst_ctl_client_ctl(w.client));
	RUN_UNTIL(&w, strstr(pst_ctl_client_reason(w.client), "No such file"));
	serve(&w, 4);
	RUN_UNTIL(&w, w.connected == 1);
	cr_assert_str_eq(pst_ctl_client_reason(w.client), "");
	pst_ctl_client_call(w.client, json_object(), 1000, done, &w);
	RUN_UNTIL(&w, w.dones == 1 && w.messages == 1);
	cr_assert_eq(w.code, 0);

	drop_connections(&w);
	RUN_UNTIL(&w, w.closed == 1 && w.connected == 2);
	cr_assert_eq(pst_ctl_client_send(w.client, json_pack("{s:s}", "op", "x")), 0);
	RUN_UNTIL(&w, w.messages == 2);

	/* The whole server goes and comes. */
	pst_ctl_server_close(w.server);
	drop_connections(&w);
	RUN_UNTIL(&w, w.closed == 2);
	serve(&w, 4);
	RUN_UNTIL(&w, w.connected == 3);
	world_finish(&w);
}

Test(ctl_client, calls_without_a_connection_are_refused_later)
{
	struct world w, other = { 0 };

	world_init(&w);
	w.client = pst_ctl_client_create(&w.loop, w.path, &client_events, &w);
	w.call_again = true;
	pst_ctl_client_call(w.client, json_object(), 1000, done, &w);
	pst_ctl_client_call(w.client, json_object(), 1000, done, &other);
	pst_ctl_client_call_cancel(w.client, &other);
	cr_assert_eq(w.dones, 0);
	RUN_UNTIL(&w, w.dones == 3);
	cr_assert_eq(w.code, PST_ECLOSED);
	cr_assert_eq(other.dones, 0);
	cr_assert_eq(pst_ctl_client_send(w.client, json_object()), PST_ECLOSED);
	pst_ctl_client_call(w.client, json_object(), 1000, done, &w);
	pst_ctl_client_close(w.client);
	pst_ctl_client_close(NULL);
	w.client = NULL;
	RUN_UNTIL(&w, w.dones == 4);
	world_finish(&w);
}

Test(ctl_client, the_server_keeps_its_ceiling)
{
	struct pst_err err;
	struct world w;
	int fds[3];
	char byte;

	world_init(&w);
	serve(&w, 2);
	cr_assert_null(pst_ctl_listen(&w.loop, w.path, 0600, 2, on_accept, &w, &err));
	cr_assert_eq(err.code, PST_EBUSY);
	cr_assert_null(pst_ctl_listen(&w.loop, "/nonexistent/x", 0600, 2, on_accept, &w, &err));
	RUN_UNTIL(&w, w.n_conns == 1 && pst_ctl_server_connections(w.server) == 0);
	for (int i = 0; i < 3; i++)
		fds[i] = pst_unix_connect(w.path, NULL);
	RUN_UNTIL(&w, pst_ctl_server_connections(w.server) == 2);
	RUN_UNTIL(&w, recv(fds[2], &byte, 1, 0) == 0);
	close(fds[0]);
	RUN_UNTIL(&w, pst_ctl_server_connections(w.server) == 1);
	close(fds[1]);
	close(fds[2]);
	world_finish(&w);
}
