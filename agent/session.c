/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control messages: {"op":"logoff","id":n}. */
#include "agent/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ctl_server.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"

#define CONNECTIONS_MAX 4
#define FRAME_MAX 1024
#define ANSWER_MS 5000

struct session {
	struct pst_ctl_server *server;
	void (*logoff)(void *arg);
	void *arg;
};

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct session *s = arg;
	const char *op = pst_json_str(msg, "op", 32);

	pst_fd_close(&fd);
	if (!op || strcmp(op, "logoff") != 0) {
		pst_ctl_close(ctl);
		return;
	}
	pst_ctl_reply(ctl, msg, NULL);
	pst_ctl_close_flush(ctl);
	s->logoff(s->arg);
}

static const struct pst_ctl_events events = { .message = on_message };

static void on_accept(struct pst_ctl *ctl, void *arg)
{
	const struct pst_peer *peer = pst_ctl_peer(ctl);

	if (peer->uid != getuid() && peer->uid != 0) {
		pst_ctl_close(ctl);
		return;
	}
	pst_ctl_set_frame_max(ctl, FRAME_MAX);
	pst_ctl_set_events(ctl, &events, arg);
}

struct session *session_open(
	uv_loop_t *loop, const char *path, void (*logoff)(void *arg), void *arg, struct pst_err *err)
{
	struct session *s = pst_zalloc(1, sizeof(*s));
	if (!s) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}

	s->logoff = logoff;
	s->arg = arg;
	s->server = pst_ctl_listen(loop, path, 0600, CONNECTIONS_MAX, on_accept, s, err);
	if (!s->server) {
		free(s);
		return NULL;
	}
	return s;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	pst_ctl_server_close(s->server);
	free(s);
}

struct question {
	uv_loop_t loop;
	int rc;
	struct pst_err *err;
};

static void on_answer(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct question *q = arg;

	pst_fd_close(&fd);
	q->rc = pst_ctl_reply_check(reply, call_err, q->err);
	uv_stop(&q->loop);
}

static void on_lost(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct question *q = arg;

	uv_stop(&q->loop);
}

int session_ask_logoff(const char *path, struct pst_err *err)
{
	static const struct pst_ctl_events none = { .closed = on_lost };
	struct question q = { .rc = PST_EAGAIN, .err = err };
	int fd = pst_unix_connect(path, err);
	if (fd < 0)
		return pst_err_wrap(err, "no agent answers at %s", path);

	uv_loop_init(&q.loop);
	struct pst_ctl *ctl = pst_ctl_create(&q.loop, fd, &none, &q);
	if (!ctl)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_ctl_call(ctl, json_pack("{s:s}", "op", "logoff"), ANSWER_MS, on_answer, &q);
	uv_run(&q.loop, UV_RUN_DEFAULT);
	pst_loop_drain(&q.loop);
	return q.rc == PST_EAGAIN ? pst_err_set(err, PST_ECLOSED, "the agent closed the connection without an answer") : q.rc;
}
