/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests to the spawner. */
#include "protocol/gate/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

struct spawn_call {
	struct spawn_call *next;
	uint32_t serial;
	spawn_done_cb done;
	void *arg;
};

struct spawn {
	int fd;
	uv_poll_t poll;
	const struct spawn_events *ev;
	void *arg;
	uint32_t last_serial;
	bool is_closed;
	struct spawn_call *calls;
};

static void poll_closed(uv_handle_t *h)
{
	struct spawn *s = h->data;

	close(s->fd);
	free(s);
}

static struct spawn_call *take_call(struct spawn *s, uint32_t serial)
{
	for (struct spawn_call **at = &s->calls; *at; at = &(*at)->next)
		if ((*at)->serial == serial) {
			struct spawn_call *call = *at;

			*at = call->next;
			return call;
		}
	return NULL;
}

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static void dispatch(struct spawn *s, const struct spawn_reply *r, int *fds, size_t n_fds)
{
	struct spawn_call *call;

	if (r->op == SPAWN_EXITED) {
		close_fds(fds, n_fds);
		s->ev->exited(s->arg, r->serial, r->status);
		return;
	}
	call = take_call(s, r->serial);
	if (!call || !call->done) {
		close_fds(fds, n_fds);
		free(call);
		return;
	}
	call->done(call->arg, r->error, r->pid, fds, n_fds);
	free(call);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct spawn *s = poll->data;

	while (!s->is_closed) {
		struct spawn_reply reply;
		int fds[SPAWN_FDS_MAX];
		size_t n_fds = 0;
		ssize_t n = pst_fd_recv(s->fd, &reply, sizeof(reply), fds, SPAWN_FDS_MAX, &n_fds);

		if (n == PST_EAGAIN)
			return;
		if (n <= 0) {
			uv_poll_stop(&s->poll);
			s->ev->lost(s->arg);
			return;
		}
		if ((size_t)n == sizeof(reply))
			dispatch(s, &reply, fds, n_fds);
		else
			close_fds(fds, n_fds);
	}
}

struct spawn *spawn_create(uv_loop_t *loop, int fd, const struct spawn_events *ev, void *arg)
{
	struct spawn *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return NULL;
	}
	s->fd = fd;
	s->ev = ev;
	s->arg = arg;
	pst_fd_set_nonblock(fd, 1);
	uv_poll_init(loop, &s->poll, fd);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_readable);
	return s;
}

void spawn_close(struct spawn *s)
{
	if (!s || s->is_closed)
		return;
	s->is_closed = true;
	while (s->calls)
		free(take_call(s, s->calls->serial));
	uv_close((uv_handle_t *)&s->poll, poll_closed);
}

/* Sends a request and notes who waits for its answer. */
static uint32_t request(struct spawn *s, struct spawn_request *r, const int *fds, size_t n_fds, spawn_done_cb done, void *arg)
{
	struct spawn_call *call = calloc(1, sizeof(*call));

	if (!call)
		return 0;
	if (++s->last_serial == 0)
		++s->last_serial;
	r->serial = s->last_serial;
	*call = (struct spawn_call){ s->calls, r->serial, done, arg };
	if (pst_fd_send(s->fd, r, sizeof(*r), fds, n_fds) != (ssize_t)sizeof(*r)) {
		free(call);
		return 0;
	}
	s->calls = call;
	return r->serial;
}

uint32_t spawn_worker(struct spawn *s, enum spawn_front front, int ctl_fd, int client_fd, spawn_done_cb done, void *arg)
{
	struct spawn_request r = { .op = SPAWN_WORKER, .front = front };
	int fds[2] = { ctl_fd, client_fd };

	return request(s, &r, fds, 2, done, arg);
}

uint32_t spawn_connect(struct spawn *s, const json_t *grant, spawn_done_cb done, void *arg)
{
	const json_t *endpoint = json_object_get(grant, "endpoint");
	const char *desktop = pst_json_str(grant, "desktop", PST_UUID_SIZE - 1), *kind = pst_json_str(endpoint, "kind", 16);
	const char *host = pst_json_str(endpoint, "host", sizeof(((struct spawn_request *)0)->host) - 1);
	struct spawn_request r = { .op = SPAWN_CONNECT, .port = (uint32_t)pst_json_int(endpoint, "port", 1, 65535, 0) };

	if (!desktop)
		return 0;
	pst_strlcpy(r.desktop, sizeof(r.desktop), desktop);
	if (kind && strcmp(kind, "tls") == 0) {
		if (!host || !r.port)
			return 0;
		pst_strlcpy(r.host, sizeof(r.host), host);
	}
	return request(s, &r, NULL, 0, done, arg);
}

uint32_t spawn_credentials(struct spawn *s, spawn_done_cb done, void *arg)
{
	struct spawn_request r = { .op = SPAWN_CREDENTIALS };

	return request(s, &r, NULL, 0, done, arg);
}

void spawn_kill(struct spawn *s, uint32_t serial)
{
	struct spawn_request r = { .op = SPAWN_KILL, .serial = serial };

	pst_fd_send(s->fd, &r, sizeof(r), NULL, 0);
}

void spawn_cancel(struct spawn *s, uint32_t serial)
{
	for (struct spawn_call *call = s->calls; call; call = call->next)
		if (call->serial == serial)
			call->done = NULL;
}
