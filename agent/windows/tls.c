/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A socket and its two buffers of encrypted bytes; what is in them is schannel.c's matter. */
#include "agent/windows/tls.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdlib.h>

#include "agent/windows/schannel.h"
#include "agent/windows/wide.h"
#include "base/mem.h"

#define CIPHER_MAX (128u << 10) /* in each direction; a record has 16 KB, a handshake message of ours less */
#define PIECE 16384
#define SEND_AT_MOST 16384

struct tls {
	SOCKET socket;
	WSAEVENT event;
	struct schannel *channel;
	struct pst_buf in, out; /* encrypted */
	uint64_t end_ms;
	bool is_connected, is_over;
};

static int dial(struct tls *t, const struct tls_params *p, struct pst_err *err)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(p->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(p->port) };
	bool is_v6 = inet_pton(AF_INET6, p->host, &v6.sin6_addr) == 1;
	BOOL one = TRUE;

	if (!is_v6 && inet_pton(AF_INET, p->host, &v4.sin_addr) != 1)
		return pst_err_set(err, PST_EINVAL, "%.60s is no numeric address", p->host);
	t->socket = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (t->socket == INVALID_SOCKET)
		return wide_err(err, PST_EIO, (DWORD)WSAGetLastError(), "socket");
	setsockopt(t->socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof(one));
	setsockopt(t->socket, SOL_SOCKET, SO_KEEPALIVE, (const char *)&one, sizeof(one));
	/* This makes it non-blocking, too. */
	if (WSAEventSelect(t->socket, t->event, FD_CONNECT | FD_READ | FD_WRITE | FD_CLOSE) != 0)
		return wide_err(err, PST_EIO, (DWORD)WSAGetLastError(), "the connection cannot be watched");
	int rc = is_v6 ? connect(t->socket, (struct sockaddr *)&v6, sizeof(v6)) : connect(t->socket, (struct sockaddr *)&v4, sizeof(v4));
	if (rc != 0 && WSAGetLastError() != WSAEWOULDBLOCK)
		return wide_err(err, PST_EIO, (DWORD)WSAGetLastError(), "the broker cannot be reached");
	return 0;
}

struct tls *tls_dial(const struct tls_params *p, uint64_t now_ms, struct pst_err *err)
{
	struct tls *t = pst_zalloc(1, sizeof(*t));

	if (!t) {
		pst_err_set(err, PST_ENOMEM, "no memory for a connection");
		return NULL;
	}
	t->socket = INVALID_SOCKET;
	t->end_ms = now_ms + TLS_DEADLINE_MS;
	pst_buf_init(&t->in, CIPHER_MAX);
	pst_buf_init(&t->out, CIPHER_MAX);
	t->event = WSACreateEvent();
	t->channel = schannel_create(p->ca, p->cert, p->peer, err);
	if (t->channel && dial(t, p, err) == 0)
		return t;
	tls_close(t);
	return NULL;
}

/* ---- the socket ---------------------------------------------------------------- */

static bool is_later(void)
{
	int e = WSAGetLastError();

	return e == WSAEWOULDBLOCK || e == WSAENOTCONN;
}

static int out_flush(struct tls *t, struct pst_err *err)
{
	while (t->out.len > 0) {
		int n = send(t->socket, (const char *)t->out.data, (int)PST_MIN(t->out.len, (size_t)PIECE), 0);

		if (n < 0)
			return is_later() ? 0 : wide_err(err, PST_ECLOSED, (DWORD)WSAGetLastError(), "sending");
		pst_buf_consume(&t->out, (size_t)n);
	}
	return 0;
}

static int in_fill(struct tls *t, struct pst_err *err)
{
	while (!t->is_over && t->in.len + PIECE <= CIPHER_MAX) {
		uint8_t *room = pst_buf_reserve(&t->in, PIECE);
		int n = room ? recv(t->socket, (char *)room, PIECE, 0) : 0;

		if (!room)
			return pst_err_set(err, PST_ENOMEM, "no memory for what the broker sends");
		if (n < 0)
			return is_later() ? 0 : wide_err(err, PST_ECLOSED, (DWORD)WSAGetLastError(), "receiving");
		t->is_over = n == 0;
		pst_buf_commit(&t->in, (size_t)n);
	}
	return 0;
}

static int connected(struct tls *t, struct pst_err *err)
{
	WSANETWORKEVENTS events;

	if (WSAEnumNetworkEvents(t->socket, t->event, &events) != 0)
		return wide_err(err, PST_EIO, (DWORD)WSAGetLastError(), "the connection");
	if (events.lNetworkEvents & FD_CONNECT) {
		if (events.iErrorCode[FD_CONNECT_BIT])
			return wide_err(err, PST_ECLOSED, (DWORD)events.iErrorCode[FD_CONNECT_BIT], "the broker cannot be reached");
		t->is_connected = true;
	}
	return 0;
}

int tls_step(struct tls *t, uint64_t now_ms, struct pst_buf *in, struct pst_err *err)
{
	if (connected(t, err) < 0)
		return err->code;
	if (!schannel_is_open(t->channel) && now_ms >= t->end_ms)
		return pst_err_set(err, PST_ETIMEOUT, "the broker did not answer in time");
	if (!t->is_connected)
		return 0;
	if (in_fill(t, err) < 0 || schannel_step(t->channel, &t->in, &t->out, in, err) < 0) {
		struct pst_err none = PST_ERR_INIT;

		out_flush(t, &none); /* an alert tells the other side why */
		return err->code;
	}
	if (out_flush(t, err) < 0)
		return err->code;
	return t->is_over ? pst_err_set(err, PST_ECLOSED, "the broker closed the connection") : 0;
}

int tls_send(struct tls *t, struct pst_buf *out, struct pst_err *err)
{
	while (schannel_is_open(t->channel) && out->len > 0 && t->out.len + 2 * SEND_AT_MOST <= CIPHER_MAX) {
		size_t n = PST_MIN(out->len, (size_t)SEND_AT_MOST);
		int rc = schannel_seal(t->channel, out->data, &n, &t->out, err);

		if (rc < 0)
			return rc;
		pst_buf_consume(out, n);
	}
	return out_flush(t, err);
}

void *tls_event(const struct tls *t)
{
	return t->event;
}

bool tls_is_open(const struct tls *t)
{
	return schannel_is_open(t->channel);
}

uint64_t tls_next_ms(const struct tls *t)
{
	return schannel_is_open(t->channel) ? UINT64_MAX : t->end_ms;
}

const char *tls_version(const struct tls *t)
{
	return schannel_version(t->channel);
}

void tls_close(struct tls *t)
{
	struct pst_err none = PST_ERR_INIT;

	if (!t)
		return;
	if (t->channel && schannel_is_open(t->channel) && schannel_bye(t->channel, &t->out) == 0)
		out_flush(t, &none);
	if (t->socket != INVALID_SOCKET)
		closesocket(t->socket);
	if (t->event != WSA_INVALID_EVENT)
		WSACloseEvent(t->event);
	schannel_destroy(t->channel);
	pst_buf_finish(&t->in);
	pst_buf_finish(&t->out);
	free(t);
}
