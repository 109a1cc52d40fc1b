/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An RFB client on a socket as a source. */
#include "protocol/source/rfb/rfb.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "protocol/source/rfb/client.h"

#define FIRST_PICTURE_MS 10000
#define READ_SIZE (64 * 1024)
#define READS_MAX 8 /* in one turn of the loop: the viewer gets his share */

struct rfb_source {
	struct source base;
	uv_poll_t poll;
	int watched; /* events */
	int fd;
	const struct source_events *events;
	void *arg;
	struct rfb_client *client;
	struct pst_timer *deadline;
	struct pst_buf in;
	bool is_over;
};

static struct rfb_source *rfb_of(struct source *s)
{
	return pst_container_of(s, struct rfb_source, base);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct rfb_source *r)
{
	int events = UV_READABLE | (rfb_client_out(r->client)->len ? UV_WRITABLE : 0);

	pst_poll_watch(&r->poll, r->is_over ? 0 : events, on_poll, &r->watched);
}

static void over(struct rfb_source *r, const struct pst_err *err)
{
	char reason[sizeof(err->text) + 64];

	if (r->is_over)
		return;
	r->is_over = true;
	pst_timer_stop(r->deadline);
	watch(r);
	snprintf(reason, sizeof(reason), "The machine's screen cannot be shown: %s", err->text);
	r->events->closed(r->arg, err->code, reason);
}

static void over_for(struct rfb_source *r, int code, const char *reason)
{
	struct pst_err err;

	pst_err_set(&err, code, "%s", reason);
	over(r, &err);
}

/* Writes what the socket takes. */
static void flush(struct rfb_source *r)
{
	struct pst_buf *out = rfb_client_out(r->client);
	ssize_t n = 1;

	while (!r->is_over && out->len && n > 0) {
		n = pst_fd_send(r->fd, out->data, out->len, NULL, 0);
		if (n > 0)
			pst_buf_consume(out, (size_t)n);
		else if (n != PST_EAGAIN)
			over_for(r, PST_ECLOSED, "its server closed the connection; was the machine stopped or moved?");
	}
	watch(r);
}

/* False: there is no more for now, or it is over. */
static bool read_once(struct rfb_source *r)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t *room = pst_buf_reserve(&r->in, READ_SIZE);
	ssize_t n = room ? recv(r->fd, room, READ_SIZE, MSG_DONTWAIT) : -1;
	long used;

	if (n < 0 && room && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		over_for(r, room ? PST_ECLOSED : PST_ENOMEM,
			room ? "its server closed the connection; was the machine stopped or moved?" : "there is no memory for it");
		return false;
	}
	pst_buf_commit(&r->in, (size_t)n);
	used = rfb_client_take(r->client, r->in.data, r->in.len, &err);
	if (used < 0) {
		over(r, &err);
		return false;
	}
	pst_buf_consume(&r->in, (size_t)used);
	return n == READ_SIZE && !r->is_over;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct rfb_source *r = poll->data;

	if (status < 0) {
		r->watched = 0;
		over_for(r, PST_ECLOSED, "its server closed the connection; was the machine stopped or moved?");
		return;
	}
	for (int i = 0; (events & UV_READABLE) && i < READS_MAX && read_once(r); i++)
		;
	if (!r->is_over)
		flush(r);
}

static void on_deadline(void *arg)
{
	over_for(arg, PST_ETIMEOUT, "its server sent no picture in time; open it again, or look whether the machine runs");
}

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct rfb_source *r = arg;

	pst_timer_stop(r->deadline);
	r->events->surface(r->arg, screen);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct rfb_source *r = arg;

	r->events->damage(r->arg, rects, n);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct rfb_source *r = arg;

	r->events->cursor(r->arg, image);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct rfb_source *r = arg;

	r->events->clipboard(r->arg, utf8, len);
}

static void on_bell(void *arg)
{
	struct rfb_source *r = arg;

	r->events->bell(r->arg);
}

static const struct rfb_client_events client_events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.clipboard = on_clipboard,
	.bell = on_bell,
};

static void on_poll_closed(uv_handle_t *handle)
{
	struct rfb_source *r = handle->data;

	close(r->fd);
	free(r);
}

static void rfb_free(struct rfb_source *r)
{
	pst_timer_destroy(r->deadline);
	rfb_client_destroy(r->client);
	pst_buf_finish(&r->in);
	uv_close((uv_handle_t *)&r->poll, on_poll_closed);
}

static struct source *rfb_open(
	const struct source_params *p, const struct source_events *ev, void *arg, struct pst_err *err)
{
	struct rfb_client_params client = { .password = p->grant ? p->grant : "", .events = &client_events };
	struct rfb_source *r = p->fd >= 0 ? pst_zalloc(1, sizeof(*r)) : NULL;
	int on = 1;

	if (!r || pst_fd_set_nonblock(p->fd, 1) < 0 || uv_poll_init(p->loop, &r->poll, p->fd) < 0) {
		pst_err_set(err, PST_EINVAL, "an RFB source needs a connection to its server, and memory");
		if (p->fd >= 0)
			close(p->fd);
		free(r);
		return NULL;
	}
	r->poll.data = r;
	r->fd = p->fd;
	r->events = ev;
	r->arg = arg;
	r->base.type = &source_rfb;
	pst_buf_init(&r->in, RFB_WAIT_MAX + 2 * READ_SIZE);
	client.is_near = source_fd_is_unix(p->fd);
	client.is_shared = p->is_shared;
	client.arg = r;
	if (!client.is_near)
		setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r->client = rfb_client_create(&client);
	r->deadline = pst_timer_create(p->loop);
	if (!r->client || !r->deadline) {
		pst_err_set(err, PST_ENOMEM, "no memory for an RFB source");
		rfb_free(r);
		return NULL;
	}
	pst_timer_start(r->deadline, FIRST_PICTURE_MS, on_deadline, r);
	watch(r);
	return &r->base;
}

/* Called by the worker, which may not be told of an end from inside: a dead socket tells it itself in the
 * next turn. */
static void send_soon(struct rfb_source *r)
{
	if (!r->is_over)
		watch(r);
}

static int rfb_input(struct source *s, const struct input_event *ev)
{
	rfb_client_input(rfb_of(s)->client, ev);
	send_soon(rfb_of(s));
	return 0;
}

static int rfb_resize(struct source *s, int32_t width, int32_t height)
{
	bool is_asked = rfb_client_resize(rfb_of(s)->client, width, height);

	send_soon(rfb_of(s));
	return is_asked ? 0 : PST_EUNSUPPORTED;
}

static int rfb_clipboard(struct source *s, const char *utf8, size_t len)
{
	rfb_client_clipboard(rfb_of(s)->client, utf8, len);
	send_soon(rfb_of(s));
	return 0;
}

static void rfb_ready(struct source *s)
{
	rfb_client_ready(rfb_of(s)->client);
	send_soon(rfb_of(s));
}

/* No key stays down at a server that does not see to that itself. */
static void rfb_close(struct source *s, const char *reason)
{
	static const struct input_event release = { .kind = INPUT_RELEASE_ALL };
	struct rfb_source *r = rfb_of(s);
	struct pst_buf *out = rfb_client_out(r->client);

	rfb_client_input(r->client, &release);
	if (!r->is_over && out->len)
		(void)pst_fd_send(r->fd, out->data, out->len, NULL, 0);
	rfb_free(r);
}

const struct source_type source_rfb = {
	.name = "rfb",
	.open = rfb_open,
	.input = rfb_input,
	.resize = rfb_resize,
	.clipboard = rfb_clipboard,
	.ready = rfb_ready,
	.close = rfb_close,
};
