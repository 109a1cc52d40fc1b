/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The viewer's byte stream; see stream.h. */
#include "protocol/front/rfb/stream.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
#define READ_CHUNK 16384
#define OUT_KEEP (128u * 1024) /* more is given back when it has left */
#define UNSENT_MAX 16384 /* TCP_NOTSENT_LOWAT: pixels wait here as damage, not as bytes in the kernel */

enum security { PLAIN, SHAKING, SECURED };

struct rfb_stream {
	uv_poll_t poll;
	int watched; /* events */
	int fd;
	struct rfb_stream_events ev;
	void *arg;
	struct pst_buf in, out;
	size_t out_at;      /* first byte of out that has not left */
	size_t tls_pending; /* bytes that GnuTLS took and could not write yet */
	enum security security;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t credentials;
	uint64_t sent, received;
	bool is_dead;
};

static void stream_pump(struct rfb_stream *s);

static void stream_fail(struct rfb_stream *s, int code, const char *reason)
{
	if (s->is_dead)
		return;
	s->is_dead = true;
	uv_poll_stop(&s->poll);
	s->ev.failed(s->arg, code, reason);
}

static void tls_fail(struct rfb_stream *s, int r)
{
	char reason[160];
	snprintf(reason, sizeof(reason), "TLS: %s", gnutls_strerror(r));
	stream_fail(s, r == GNUTLS_E_PREMATURE_TERMINATION ? 0 : PST_EPROTO, reason);
}

static bool tls_is_waiting(int r)
{
	return r == GNUTLS_E_AGAIN || r == GNUTLS_E_INTERRUPTED;
}

/* Bytes read, 0 at the end of the stream, PST_EAGAIN, or another code after stream_fail. */
static ssize_t stream_read(struct rfb_stream *s, uint8_t *to, size_t n)
{
	if (s->security == SECURED) {
		ssize_t r = gnutls_record_recv(s->tls, to, n);
		if (r >= 0)
			return r;
		if (tls_is_waiting((int)r))
			return PST_EAGAIN;
		tls_fail(s, (int)r);
		return PST_EIO;
	}
	ssize_t r = recv(s->fd, to, n, 0);
	if (r >= 0)
		return r;
	if (errno == EAGAIN || errno == EINTR)
		return PST_EAGAIN;
	stream_fail(s, errno == ECONNRESET ? 0 : PST_EIO, "the connection to the viewer broke");
	return PST_EIO;
}

/* As stream_read: bytes written or PST_EAGAIN. */
static ssize_t stream_write(struct rfb_stream *s, const uint8_t *from, size_t n)
{
	if (s->security == SECURED) {
		if (n > READ_CHUNK)
			n = READ_CHUNK;
		ssize_t r = s->tls_pending ? gnutls_record_send(s->tls, NULL, 0) : gnutls_record_send(s->tls, from, n);
		bool is_waiting = r < 0 && tls_is_waiting((int)r);
		s->tls_pending = is_waiting ? PST_MAX(s->tls_pending, n) : 0;
		if (r >= 0)
			return r;
		if (is_waiting)
			return PST_EAGAIN;
		tls_fail(s, (int)r);
		return PST_EIO;
	}
	ssize_t r = send(s->fd, from, n, MSG_NOSIGNAL);
	if (r >= 0)
		return r;
	if (errno == EAGAIN || errno == EINTR)
		return PST_EAGAIN;
	stream_fail(s, errno == EPIPE || errno == ECONNRESET ? 0 : PST_EIO, "the connection to the viewer broke");
	return PST_EIO;
}

static bool stream_fill(struct rfb_stream *s)
{
	for (int rounds = 0; rounds < 16 && !s->is_dead; rounds++) {
		uint8_t *to = pst_buf_reserve(&s->in, READ_CHUNK);
		if (!to) {
			stream_fail(s, PST_ELIMIT, "the viewer sent more than fits the input buffer");
			return false;
		}
		ssize_t n = stream_read(s, to, READ_CHUNK);
		if (n == PST_EAGAIN)
			return true;
		if (n == 0)
			stream_fail(s, 0, "the viewer closed the connection");
		if (n <= 0)
			return false;
		pst_buf_commit(&s->in, (size_t)n);
		s->received += (uint64_t)n;
		s->ev.readable(s->arg, &s->in);
		/* What comes from here on is TLS's to read; on a busy machine it may be there already. */
		if (s->security == SHAKING)
			return true;
	}
	return !s->is_dead;
}

/* True when the queue had something and now has nothing. */
static bool stream_empty(struct rfb_stream *s)
{
	if (s->out_at == s->out.len)
		return false;
	while (s->out_at < s->out.len && !s->is_dead) {
		ssize_t n = stream_write(s, s->out.data + s->out_at, s->out.len - s->out_at);
		if (n <= 0)
			return false;
		s->out_at += (size_t)n;
		s->sent += (uint64_t)n;
	}
	if (s->is_dead)
		return false;
	s->out_at = 0;
	pst_buf_reset_to(&s->out, OUT_KEEP);
	return true;
}

static void stream_shake(struct rfb_stream *s)
{
	int r = gnutls_handshake(s->tls);
	if (r == GNUTLS_E_SUCCESS) {
		s->security = SECURED;
		s->ev.secured(s->arg);
	} else if (gnutls_error_is_fatal(r)) {
		tls_fail(s, r);
	}
}

static int stream_interest(const struct rfb_stream *s)
{
	if (s->security == SHAKING)
		return gnutls_record_get_direction(s->tls) ? UV_WRITABLE : UV_READABLE;
	return UV_READABLE | (s->out_at < s->out.len ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct rfb_stream *s = poll->data;
	if (status < 0)
		return stream_fail(s, PST_ECLOSED, "the viewer went away"); /* a reset connection: libuv calls it a bad descriptor */
	if (s->security == SHAKING)
		stream_shake(s);
	if (s->security != SHAKING && !s->is_dead) {
		if (events & UV_READABLE || (s->tls && gnutls_record_check_pending(s->tls)))
			stream_fill(s);
		if (!s->is_dead && stream_empty(s))
			s->ev.drained(s->arg);
	}
	stream_pump(s);
}

static void stream_pump(struct rfb_stream *s)
{
	if (!s->is_dead && !uv_is_closing((uv_handle_t *)&s->poll))
		pst_poll_watch(&s->poll, stream_interest(s), on_poll, &s->watched);
}

static void stream_tune(int fd)
{
	int one = 1, unsent = UNSENT_MAX;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

struct rfb_stream *rfb_stream_create(uv_loop_t *loop, int fd, const struct rfb_stream_events *ev, void *arg)
{
	struct rfb_stream *s = pst_zalloc(1, sizeof(*s));
	if (!s || uv_poll_init(loop, &s->poll, fd) < 0) {
		free(s);
		close(fd);
		return NULL;
	}
	s->poll.data = s;
	s->fd = fd;
	s->ev = *ev;
	s->arg = arg;
	pst_buf_init(&s->in, RFB_IN_MAX);
	pst_buf_init(&s->out, RFB_OUT_MAX);
	stream_tune(fd);
	stream_pump(s);
	return s;
}

static void on_closed(uv_handle_t *handle)
{
	struct rfb_stream *s = handle->data;
	if (s->tls)
		gnutls_deinit(s->tls);
	if (s->credentials)
		gnutls_certificate_free_credentials(s->credentials);
	pst_buf_finish(&s->in);
	pst_buf_finish(&s->out);
	close(s->fd);
	free(s);
}

void rfb_stream_destroy(struct rfb_stream *s)
{
	if (!s || uv_is_closing((uv_handle_t *)&s->poll))
		return;
	if (!s->is_dead) {
		s->is_dead = true;
		uv_poll_stop(&s->poll);
		if (s->security == SECURED)
			(void)gnutls_bye(s->tls, GNUTLS_SHUT_WR);
		(void)shutdown(s->fd, SHUT_RDWR);
	}
	uv_close((uv_handle_t *)&s->poll, on_closed);
}

int rfb_stream_secure(struct rfb_stream *s, const char *cert_pem, const char *key_pem, struct pst_err *err)
{
	const gnutls_datum_t cert = { (unsigned char *)(uintptr_t)cert_pem, (unsigned)strlen(cert_pem) };
	const gnutls_datum_t key = { (unsigned char *)(uintptr_t)key_pem, (unsigned)strlen(key_pem) };
	int r = gnutls_certificate_allocate_credentials(&s->credentials);
	if (r == 0)
		r = gnutls_certificate_set_x509_key_mem(s->credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (r == 0)
		r = gnutls_init(&s->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (r == 0)
		r = gnutls_priority_set_direct(s->tls, TLS_PRIORITY, NULL);
	if (r == 0)
		r = gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, s->credentials);
	if (r < 0)
		return pst_err_set(err, PST_EIO, "TLS for the VNC viewer cannot start: %s", gnutls_strerror(r));
	gnutls_transport_set_int(s->tls, s->fd);
	s->security = SHAKING;
	stream_pump(s);
	return 0;
}

struct pst_buf *rfb_stream_out(struct rfb_stream *s)
{
	return &s->out;
}

void rfb_stream_flush(struct rfb_stream *s)
{
	if (s->is_dead || s->security == SHAKING)
		return;
	/* An overfull output has lost bytes: the stream's meaning is gone. */
	if (s->out.failed)
		return stream_fail(s, PST_ELIMIT, "a frame did not fit the output buffer");
	stream_empty(s);
	stream_pump(s);
}

size_t rfb_stream_queued(const struct rfb_stream *s)
{
	return s->out.len - s->out_at;
}

uint64_t rfb_stream_sent(const struct rfb_stream *s)
{
	return s->sent;
}

uint64_t rfb_stream_received(const struct rfb_stream *s)
{
	return s->received;
}
