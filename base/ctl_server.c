/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listening unix socket that hands out control connections. */
#include "base/ctl_server.h"

#include "base/ctl_priv.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 128
#define ACCEPTS_PER_TURN 32
#define PAUSE_MS 100 /* after the process ran out of descriptors */

struct pst_ctl_server {
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_timer_t pause;
	int fd;
	char *path;
	size_t max, connections;
	pst_ctl_accept_cb on_accept;
	void *arg;
	/* Handles and connections that still point here; freed at zero. */
	size_t users;
};

static void unuse(struct pst_ctl_server *s)
{
	if (--s->users > 0)
		return;

	free(s->path);
	free(s);
}

static void connection_freed(void *arg)
{
	struct pst_ctl_server *s = arg;

	s->connections--;
	unuse(s);
}

static void hand_out(struct pst_ctl_server *s, int fd)
{
	if (s->connections >= s->max) {
		pst_fd_close(&fd);
		return;
	}

	struct pst_ctl *ctl = pst_ctl_create(s->loop, fd, NULL, NULL);
	if (!ctl)
		return;
	ctl->on_freed = connection_freed;
	ctl->on_freed_arg = s;
	s->connections++;
	s->users++;
	s->on_accept(ctl, s->arg);
	PRE(ctl->events || pst_ctl_is_closing(ctl));
}

static void listener_ready(uv_poll_t *poll, int status, int events);

static void pause_over(uv_timer_t *timer)
{
	struct pst_ctl_server *s = timer->data;

	uv_poll_start(&s->poll, UV_READABLE, listener_ready);
}

static void listener_ready(uv_poll_t *poll, int status, int events)
{
	struct pst_ctl_server *s = poll->data;

	for (int i = 0; i < ACCEPTS_PER_TURN && s->fd >= 0; i++) {
		int fd = pst_unix_accept(s->fd);

		if (fd == PST_EAGAIN)
			return;
		if (fd < 0) {
			/* The listener stays readable: without a pause this would spin. */
			uv_poll_stop(&s->poll);
			uv_timer_start(&s->pause, pause_over, PAUSE_MS, 0);
			return;
		}
		hand_out(s, fd);
	}
}

struct pst_ctl_server *pst_ctl_listen(uv_loop_t *loop, const char *path, mode_t mode,
	size_t max_connections, pst_ctl_accept_cb on_accept, void *arg, struct pst_err *err)
{
	struct pst_ctl_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s || !(s->path = strdup(path))) {
		pst_err_set(err, PST_ENOMEM, "%s: out of memory", path);
		goto fail;
	}
	s->loop = loop;
	s->max = max_connections;
	s->on_accept = on_accept;
	s->arg = arg;
	s->fd = pst_unix_listen(path, mode, BACKLOG, err);
	if (s->fd < 0)
		goto fail;
	rc = uv_poll_init(loop, &s->poll, s->fd);
	if (rc < 0) {
		pst_err_set(err, PST_EIO, "%s: %s", path, uv_strerror(rc));
		pst_fd_close(&s->fd);
		goto fail;
	}

	uv_timer_init(loop, &s->pause);
	s->poll.data = s->pause.data = s;
	s->users = 2;
	uv_poll_start(&s->poll, UV_READABLE, listener_ready);
	return s;
fail:
	if (s)
		free(s->path);
	free(s);
	return NULL;
}

static void server_handle_closed(uv_handle_t *handle)
{
	unuse(handle->data);
}

void pst_ctl_server_close(struct pst_ctl_server *s)
{
	if (!s)
		return;

	unlink(s->path);
	uv_close((uv_handle_t *)&s->poll, server_handle_closed);
	uv_close((uv_handle_t *)&s->pause, server_handle_closed);
	pst_fd_close(&s->fd);
}

size_t pst_ctl_server_connections(const struct pst_ctl_server *s)
{
	return s->connections;
}
