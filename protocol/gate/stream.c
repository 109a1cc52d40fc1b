/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TLS connection on the loop. */
#include "protocol/gate/stream.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/loop.h"
#include "protocol/gate/tls_server.h"

#define READ_SIZE 16384 /* one TLS record */
#define READS_PER_TURN 16
#define RECORD_SIZE 16384
#define LINGER_MS 2000 /* an ended stream reads on so long: a reset would take our last words away */

struct stream {
	int fd;
	uv_poll_t poll;
	int watched; /* events */
	uv_timer_t kick; /* reads on after a pause when GnuTLS still holds bytes */
	unsigned open_handles;
	struct tls_server *tls;
	gnutls_session_t session;
	const struct stream_events *ev;
	void *arg;
	struct pst_buf out;
	size_t out_at;      /* bytes of out already sent */
	bool in_record;     /* GnuTLS holds a record that the socket did not take whole */
	const char *broken; /* why the stream must end at the loop's next turn */
	bool is_open, is_paused, is_ending, is_lingering, is_closed, want_write;
};

static void on_event(uv_poll_t *poll, int status, int events);

static void handle_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	if (--s->open_handles)
		return;
	gnutls_deinit(s->session);
	tls_server_unref(s->tls);
	close(s->fd);
	pst_buf_finish(&s->out);
	free(s);
}

void stream_close(struct stream *s)
{
	if (!s || s->is_closed)
		return;
	s->is_closed = true;
	uv_close((uv_handle_t *)&s->poll, handle_closed);
	uv_close((uv_handle_t *)&s->kick, handle_closed);
}

static void fail(struct stream *s, const char *reason)
{
	const struct stream_events *ev = s->ev;
	void *arg = s->arg;

	if (s->is_closed)
		return;
	stream_close(s);
	ev->closed(arg, reason);
}

static void on_kick(uv_timer_t *timer);

/* Ends it from the loop, so that closed never comes from inside a call of the owner. */
static void fail_later(struct stream *s, const char *reason)
{
	s->broken = reason;
	uv_timer_start(&s->kick, on_kick, 0, 0);
}

static void watch(struct stream *s)
{
	int events = 0;

	if (s->is_closed)
		return;
	if (!s->is_paused || !s->is_open)
		events |= UV_READABLE;
	if (s->want_write)
		events |= UV_WRITABLE;
	pst_poll_watch(&s->poll, events ? events : UV_DISCONNECT, on_event, &s->watched);
}

static void handshake(struct stream *s)
{
	int rc = gnutls_handshake(s->session), one = 1;

	if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED || (rc < 0 && !gnutls_error_is_fatal(rc))) {
		s->want_write = gnutls_record_get_direction(s->session) == 1;
		return;
	}
	if (rc < 0) {
		if (rc != GNUTLS_E_PREMATURE_TERMINATION && rc != GNUTLS_E_PULL_ERROR)
			gnutls_alert_send_appropriate(s->session, rc);
		fail(s, gnutls_strerror(rc));
		return;
	}
	s->is_open = true;
	s->want_write = false;
	/* A client with Nagle's algorithm holds its request back until its Finished is acknowledged: 40 ms, if we wait for data to send. */
	setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
	s->ev->opened(s->arg);
}

/* Sends one record; false when the socket is full or the stream ended. */
static bool send_record(struct stream *s)
{
	size_t left = s->out.len - s->out_at;
	ssize_t n;

	if (s->in_record)
		n = gnutls_record_send(s->session, NULL, 0);
	else
		n = gnutls_record_send(s->session, s->out.data + s->out_at, left < RECORD_SIZE ? left : RECORD_SIZE);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
		s->in_record = true;
		return false;
	}
	if (n < 0) {
		fail_later(s, gnutls_strerror((int)n));
		return false;
	}
	s->out_at += (size_t)n;
	s->in_record = false;
	return true;
}

static void finish(struct stream *s)
{
	gnutls_bye(s->session, GNUTLS_SHUT_WR);
	shutdown(s->fd, SHUT_WR);
	s->is_lingering = true;
	uv_timer_start(&s->kick, on_kick, LINGER_MS, 0);
}

static void flush(struct stream *s, bool is_event)
{
	bool had = s->out.len > s->out_at;

	while (!s->broken && s->out.len > s->out_at && send_record(s))
		;
	s->want_write = !s->broken && s->out.len > s->out_at;
	if (s->broken)
		return;
	if (s->want_write) {
		if (s->out_at > s->out.len / 2) {
			pst_buf_consume(&s->out, s->out_at);
			s->out_at = 0;
		}
		return;
	}
	pst_buf_reset(&s->out);
	s->out_at = 0;
	if (s->is_ending && !s->is_lingering)
		finish(s);
	else if (had && is_event && s->ev->drained)
		s->ev->drained(s->arg);
}

static void read_some(struct stream *s)
{
	uint8_t bytes[READ_SIZE];

	for (int i = 0; !s->is_closed && !s->is_paused && s->is_open; i++) {
		ssize_t n;

		if (i >= READS_PER_TURN && !gnutls_record_check_pending(s->session))
			break;
		n = gnutls_record_recv(s->session, bytes, sizeof(bytes));
		if (n > 0 && !s->is_ending)
			s->ev->data(s->arg, bytes, (size_t)n);
		else if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			break;
		else if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
			fail(s, "the client left");
		else if (n < 0 && gnutls_error_is_fatal((int)n))
			fail(s, gnutls_strerror((int)n));
		else if (n == GNUTLS_E_REHANDSHAKE)
			fail(s, "the client asked for a renegotiation");
	}
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;

	if (status < 0) {
		fail(s, "the client left"); /* a reset connection: libuv calls it a bad descriptor */
		return;
	}
	if (events & UV_DISCONNECT && !(events & UV_READABLE)) {
		fail(s, "the client left");
		return;
	}
	if (!s->is_open)
		handshake(s);
	/* Input before output: a key does not wait for a picture. */
	if (!s->is_closed && s->is_open && (events & UV_READABLE || gnutls_record_check_pending(s->session)))
		read_some(s);
	if (!s->is_closed && s->is_open && events & UV_WRITABLE)
		flush(s, true);
	watch(s);
}

static void on_kick(uv_timer_t *timer)
{
	struct stream *s = timer->data;

	if (s->broken || s->is_lingering) {
		fail(s, s->broken ? s->broken : "ended");
		return;
	}
	read_some(s);
	watch(s);
}

struct stream *stream_create(uv_loop_t *loop, int fd, struct tls_server *tls, size_t queue_max, const struct stream_events *ev, void *arg,
			     struct pst_err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s || tls_server_session(tls, fd, &s->session, err) < 0) {
		if (!s)
			pst_err_set(err, PST_ENOMEM, "no memory for a connection");
		free(s);
		close(fd);
		return NULL;
	}
	s->fd = fd;
	s->tls = tls_server_ref(tls);
	s->ev = ev;
	s->arg = arg;
	pst_buf_init(&s->out, queue_max);
	uv_poll_init(loop, &s->poll, fd);
	uv_timer_init(loop, &s->kick);
	s->poll.data = s->kick.data = s;
	s->open_handles = 2;
	watch(s);
	return s;
}

void stream_set_events(struct stream *s, const struct stream_events *ev, void *arg)
{
	s->ev = ev;
	s->arg = arg;
}

int stream_write(struct stream *s, const void *data, size_t len)
{
	if (s->is_closed || s->is_ending)
		return PST_ECLOSED;
	return pst_buf_append(&s->out, data, len);
}

void stream_flush(struct stream *s)
{
	if (s->is_closed || !s->is_open || s->want_write || s->broken)
		return;
	flush(s, false);
	watch(s);
}

size_t stream_queued(const struct stream *s)
{
	return s->out.len - s->out_at;
}

void stream_pause(struct stream *s, bool is_paused)
{
	if (s->is_paused == is_paused || s->is_closed)
		return;
	s->is_paused = is_paused;
	if (!is_paused && s->is_open && gnutls_record_check_pending(s->session))
		uv_timer_start(&s->kick, on_kick, 0, 0);
	watch(s);
}

void stream_end(struct stream *s)
{
	if (s->is_closed || s->is_ending)
		return;
	s->is_ending = true;
	s->is_paused = false;
	if (!s->is_open) {
		fail_later(s, "ended");
		return;
	}
	/* Even an empty queue ends from the loop, so that closed never comes from inside this call. */
	s->want_write = true;
	watch(s);
}
