/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes between a TLS connection and a local socket, at the pace of the slower side. */
#include "base/tls_pipe_priv.h"

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 16384        /* one TLS record, and what waits at most in each direction */
#define PIECES_PER_TURN 64
#define SILENCE_MS 45000   /* of an unreachable host */

struct piece {
	uint8_t bytes[PIECE];
	size_t at, len;
	bool is_over; /* the source has ended */
};

struct pst_tls_pipe {
	struct pst_tls_pipe_params params;
	char wanted[96];
	const struct pst_tls_pipe_events *events;
	void *arg;
	int net, local;
	uv_poll_t net_poll, local_poll;
	bool has_local, is_open, is_closed, in_record;
	unsigned handles;
	struct pst_timer *timer; /* the deadline, then turns that go on */
	gnutls_session_t session;
	struct piece in, out; /* net → local, local → net */
	char reason[200];
};

static void handle_closed(uv_handle_t *h)
{
	struct pst_tls_pipe *p = h->data;

	if (--p->handles)
		return;
	gnutls_deinit(p->session);
	pst_tls_trust_unref(p->params.trust);
	close(p->net);
	if (p->local >= 0)
		close(p->local);
	free(p);
}

void pst_tls_pipe_close(struct pst_tls_pipe *p)
{
	if (!p || p->is_closed)
		return;

	p->is_closed = true;
	pst_timer_destroy(p->timer);
	uv_close((uv_handle_t *)&p->net_poll, handle_closed);
	if (p->has_local)
		uv_close((uv_handle_t *)&p->local_poll, handle_closed);
}

static void fail(struct pst_tls_pipe *p, const char *reason)
{
	if (p->is_closed)
		return;

	pst_strlcpy(p->reason, sizeof(p->reason), reason);
	pst_tls_pipe_close(p);
	p->events->closed(p, p->is_open, p->reason, p->arg);
}

static bool is_later(ssize_t n)
{
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
}

/* ---- carrying ------------------------------------------------------------------ */

/* Each returns true when it moved something. */
static bool net_read(struct pst_tls_pipe *p)
{
	ssize_t n;

	if (p->in.at < p->in.len || p->in.is_over)
		return false;
	n = gnutls_record_recv(p->session, p->in.bytes, PIECE);
	if (is_later(n) || (n < 0 && !gnutls_error_is_fatal((int)n)))
		return false;
	p->in.is_over = n <= 0;
	if (n < 0 && n != GNUTLS_E_PREMATURE_TERMINATION)
		pst_strlcpy(p->reason, sizeof(p->reason), gnutls_strerror((int)n));
	p->in.at = 0;
	p->in.len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool local_write(struct pst_tls_pipe *p)
{
	ssize_t n;

	if (p->in.at == p->in.len)
		return false;
	n = send(p->local, p->in.bytes + p->in.at, p->in.len - p->in.at, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		p->out.is_over = true; /* nobody reads, so nobody writes any more */
		p->in.at = p->in.len;
		return false;
	}
	p->in.at += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool local_read(struct pst_tls_pipe *p)
{
	ssize_t n;

	if (p->out.at < p->out.len || p->out.is_over)
		return false;
	n = recv(p->local, p->out.bytes, PIECE, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	p->out.is_over = n <= 0;
	p->out.at = 0;
	p->out.len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool net_write(struct pst_tls_pipe *p)
{
	ssize_t n;

	if (p->out.at == p->out.len)
		return false;
	/* A record that the socket did not take is GnuTLS's own: it is sent on with nothing. */
	n = p->in_record ? gnutls_record_send(p->session, NULL, 0) :
			   gnutls_record_send(p->session, p->out.bytes + p->out.at, p->out.len - p->out.at);
	p->in_record = is_later(n);
	if (p->in_record)
		return false;
	if (n < 0) {
		p->in.is_over = true;
		p->out.at = p->out.len;
		return false;
	}
	p->out.at += (size_t)n;
	return true;
}

static void on_net(uv_poll_t *poll, int status, int events);
static void on_local(uv_poll_t *poll, int status, int events);

static void watch(uv_poll_t *poll, int events, uv_poll_cb cb)
{
	if (events)
		uv_poll_start(poll, events, cb);
	else
		uv_poll_stop(poll);
}

static void carry(void *arg)
{
	struct pst_tls_pipe *p = arg;
	int turns = 0;

	/* Not '||': each direction has its turn. */
	while (turns < PIECES_PER_TURN && (net_read(p) | local_write(p) | local_read(p) | net_write(p)))
		turns++;
	bool in_left = p->in.at < p->in.len, out_left = p->out.at < p->out.len;
	if ((p->in.is_over && !in_left) || (p->out.is_over && !out_left)) {
		gnutls_bye(p->session, GNUTLS_SHUT_WR);
		fail(p, p->reason[0] ? p->reason : p->in.is_over ? "the other side ended it" : "we ended it");
		return;
	}
	watch(&p->net_poll, (in_left ? 0 : UV_READABLE) | (out_left ? UV_WRITABLE : 0), on_net);
	watch(&p->local_poll, (out_left ? 0 : UV_READABLE) | (in_left ? UV_WRITABLE : 0), on_local);
	/* GnuTLS may hold a record that the socket no longer announces. */
	if (turns == PIECES_PER_TURN)
		pst_timer_start(p->timer, 0, carry, p);
}

static void on_local(uv_poll_t *poll, int status, int events)
{
	carry(poll->data);
}

/* ---- opening ------------------------------------------------------------------- */

static bool watch_local(struct pst_tls_pipe *p)
{
	if (uv_poll_init(p->params.loop, &p->local_poll, p->local) < 0)
		return false;
	p->local_poll.data = p;
	p->has_local = true;
	p->handles++;
	return true;
}

int pst_tls_pipe_join(struct pst_tls_pipe *p, int local)
{
	PRE(p->local < 0);
	p->local = local;
	return watch_local(p) ? 0 : PST_ENOMEM;
}

static void opened(struct pst_tls_pipe *p)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_tls_peer peer;

	if (tls_trust_check(p->session, p->params.is_server, p->params.may_be_nameless, p->wanted, &peer, &err) < 0) {
		gnutls_alert_send(p->session, GNUTLS_AL_FATAL, GNUTLS_A_BAD_CERTIFICATE);
		fail(p, err.text);
		return;
	}
	p->is_open = true;
	pst_timer_stop(p->timer);
	if (p->events->opened)
		p->events->opened(p, &peer, p->arg);
	if (!p->is_closed && !p->has_local)
		fail(p, "nobody takes it");
	else if (!p->is_closed)
		carry(p);
}

static void handshake(struct pst_tls_pipe *p)
{
	int error = 0, rc;
	socklen_t len = sizeof(error);

	if (getsockopt(p->net, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		fail(p, strerror(error ? error : errno));
		return;
	}
	rc = gnutls_handshake(p->session);
	if (is_later(rc) || (rc < 0 && !gnutls_error_is_fatal(rc))) {
		watch(&p->net_poll, gnutls_record_get_direction(p->session) ? UV_WRITABLE : UV_READABLE, on_net);
		return;
	}
	if (rc < 0) {
		gnutls_alert_send_appropriate(p->session, rc);
		fail(p, gnutls_strerror(rc));
		return;
	}
	opened(p);
}

static void on_net(uv_poll_t *poll, int status, int events)
{
	struct pst_tls_pipe *p = poll->data;

	if (p->is_open)
		carry(p);
	else
		handshake(p);
}

static void on_deadline(void *arg)
{
	fail(arg, "it did not answer in time");
}

/* Whoever has dialled asks more often: it may have been suspended, and the other end gone meanwhile. */
static void set_socket(int fd, bool is_server)
{
	int one = 1, silence = SILENCE_MS, idle = is_server ? 20 : 5;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence));
}

static int start(struct pst_tls_pipe *p, struct pst_err *err)
{
	p->timer = pst_timer_create(p->params.loop);
	if (!p->timer)
		return pst_err_set(err, PST_ENOMEM, "no memory for a TLS connection");
	if (tls_trust_session(p->params.trust, p->params.is_server, &p->session, err) < 0)
		return err->code;
	set_socket(p->net, p->params.is_server);
	gnutls_transport_set_int(p->session, p->net);
	if (uv_poll_init(p->params.loop, &p->net_poll, p->net) < 0)
		return pst_err_set(err, PST_EIO, "a TLS connection cannot be watched");
	p->net_poll.data = p;
	p->handles = 1;
	if (p->local >= 0 && !watch_local(p)) {
		p->local = -1;
		pst_tls_pipe_close(p);
		return pst_err_set(err, PST_EIO, "a TLS connection's local end cannot be watched");
	}
	return 0;
}

struct pst_tls_pipe *pst_tls_pipe_create(const struct pst_tls_pipe_params *params, int net, int local, const struct pst_tls_pipe_events *events,
	void *arg, struct pst_err *err)
{
	struct pst_tls_pipe *p = pst_zalloc(1, sizeof(*p));

	if (!p) {
		pst_err_set(err, PST_ENOMEM, "no memory for a TLS connection");
		goto fail;
	}
	p->params = *params;
	p->net = net;
	p->local = local;
	p->events = events;
	p->arg = arg;
	pst_strlcpy(p->wanted, sizeof(p->wanted), params->peer);
	pst_tls_trust_ref(params->trust);
	if (start(p, err) < 0) {
		if (p->is_closed)
			return NULL; /* it frees itself, and the descriptors */
		pst_timer_destroy(p->timer);
		if (p->session)
			gnutls_deinit(p->session);
		pst_tls_trust_unref(p->params.trust);
		goto fail;
	}
	pst_timer_start(p->timer, params->deadline_ms, on_deadline, p);
	watch(&p->net_poll, params->is_server ? UV_READABLE : UV_WRITABLE, on_net);
	return p;
fail:
	free(p);
	close(net);
	if (local >= 0)
		close(local);
	return NULL;
}

int pst_tcp_dial(const char *address, uint16_t port, struct pst_err *err)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	int fd, rc;

	if (!is_v6 && inet_pton(AF_INET, address, &v4.sin_addr) != 1)
		return pst_err_set(err, PST_EINVAL, "%.60s is no numeric address", address);
	fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "socket");
	rc = is_v6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6)) : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (rc < 0 && errno != EINPROGRESS) {
		rc = pst_err_sys(err, PST_EIO, errno, "%s port %u", address, port);
		close(fd);
		return rc;
	}
	return fd;
}
