/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connect, one packet each way, a handshake, close. */
#include "agent/windows/probe.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdlib.h>
#include <string.h>

#include "agent/windows/greeting.h"
#include "agent/windows/schannel.h"
#include "agent/windows/wide.h"
#include "base/mem.h"
#include "base/text.h"

#define ANSWER_MS 5000
#define AGAIN_MS 1000
#define UP_AGAIN_MS 300000 /* one that answers is not bothered: each look is a line in its event log */
#define DOUBT_AGAIN_MS 10000
#define CIPHER_MAX (64u << 10)
#define PIECE 4096

struct probe {
	uint16_t port;
	SOCKET socket; /* INVALID_SOCKET: between two looks */
	WSAEVENT event;
	uint64_t next_ms; /* the next look, or the end of this one */
	uint8_t answer[GREETING_ANSWER_MAX];
	size_t len;
	struct schannel *channel; /* NULL before the service has confirmed */
	struct pst_buf in, out;   /* its bytes */
	char pin[PST_SHA256_HEX_SIZE];
	unsigned failures;
	bool is_up;
	struct pst_err why;
};

static void close_socket(struct probe *p)
{
	schannel_destroy(p->channel);
	p->channel = NULL;
	pst_buf_finish(&p->in);
	pst_buf_finish(&p->out);
	if (p->socket != INVALID_SOCKET)
		closesocket(p->socket);
	p->socket = INVALID_SOCKET;
	p->len = 0;
}

static bool decide(struct probe *p, bool is_good, uint64_t now_ms)
{
	bool was = p->is_up, is_other = is_good && p->channel && strcmp(p->pin, schannel_fingerprint(p->channel)) != 0;

	if (is_other)
		pst_strlcpy(p->pin, sizeof(p->pin), schannel_fingerprint(p->channel));
	close_socket(p);
	p->failures = is_good ? 0 : p->failures + 1;
	p->is_up = is_good || (was && p->failures < PROBE_FAILURES);
	p->next_ms = now_ms + (is_good ? UP_AGAIN_MS : p->is_up ? DOUBT_AGAIN_MS : AGAIN_MS);
	return p->is_up != was || is_other;
}

static bool dial(struct probe *p, uint64_t now_ms)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	p->socket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	p->next_ms = now_ms + ANSWER_MS;
	if (p->socket == INVALID_SOCKET || WSAEventSelect(p->socket, p->event, FD_CONNECT | FD_READ | FD_CLOSE) != 0)
		return false;
	return connect(p->socket, (struct sockaddr *)&a, sizeof(a)) == 0 || WSAGetLastError() == WSAEWOULDBLOCK;
}

/* What is sent here is small, and a new socket has room for it. */
static int say(struct probe *p, const void *data, size_t len)
{
	if (len == 0 || send(p->socket, data, (int)len, 0) == (int)len)
		return 0;
	return wide_err(&p->why, PST_ECLOSED, (DWORD)WSAGetLastError(), "the Remote Desktop service");
}

/* Goes on with what came; 1: a viewer would be let in, and its certificate is known. */
static int handshake(struct probe *p)
{
	struct pst_buf none;

	pst_buf_init(&none, CIPHER_MAX);
	int rc = schannel_step(p->channel, &p->in, &p->out, &none, &p->why);
	pst_buf_finish(&none);
	/* What it says once the channel is open is of no interest, whatever it is. */
	if (schannel_is_open(p->channel))
		return 1;
	if (rc < 0)
		return pst_err_wrap(&p->why, "the Remote Desktop service");
	rc = say(p, p->out.data, p->out.len);
	pst_buf_consume(&p->out, p->out.len);
	return rc;
}

static int handshake_begin(struct probe *p)
{
	pst_buf_init(&p->in, CIPHER_MAX);
	pst_buf_init(&p->out, CIPHER_MAX);
	p->channel = schannel_create(NULL, NULL, "", &p->why);
	return p->channel ? handshake(p) : p->why.code;
}

static int hear(struct probe *p, void *room, size_t size)
{
	int n = recv(p->socket, room, (int)size, 0);

	if (n > 0)
		return n;
	if (n < 0 && WSAGetLastError() == WSAEWOULDBLOCK)
		return 0;
	return pst_err_set(&p->why, PST_ECLOSED, "the Remote Desktop service hung up");
}

static int greeting(struct probe *p)
{
	int n = hear(p, p->answer + p->len, sizeof(p->answer) - p->len);

	if (n <= 0)
		return n;
	p->len += (size_t)n;
	n = greeting_check(p->answer, p->len, &p->why);
	return n == 1 ? handshake_begin(p) : n;
}

static int records(struct probe *p)
{
	uint8_t *room = pst_buf_reserve(&p->in, PIECE);
	int n = room ? hear(p, room, PIECE) : pst_err_set(&p->why, PST_ELIMIT, "the Remote Desktop service sends too much");

	if (n <= 0)
		return n;
	pst_buf_commit(&p->in, (size_t)n);
	return handshake(p);
}

/* 1: it is up. 0: more to come. PST_E…: it is not. */
static int look(struct probe *p, const WSANETWORKEVENTS *events)
{
	const uint8_t *request;
	size_t len;

	if (events->lNetworkEvents & FD_CONNECT) {
		if (events->iErrorCode[FD_CONNECT_BIT])
			return pst_err_set(&p->why, PST_ECLOSED, "nobody answers at port %u", p->port);
		request = greeting_request(&len);
		if (say(p, request, len) < 0)
			return p->why.code;
	}
	if (!(events->lNetworkEvents & (FD_READ | FD_CLOSE)))
		return 0;
	return p->channel ? records(p) : greeting(p);
}

bool probe_step(struct probe *p, uint64_t now_ms)
{
	WSANETWORKEVENTS events = { 0 };

	if (p->socket == INVALID_SOCKET) {
		if (now_ms < p->next_ms)
			return false;
		if (dial(p, now_ms))
			return false;
		wide_err(&p->why, PST_EIO, (DWORD)WSAGetLastError(), "the Remote Desktop service");
		return decide(p, false, now_ms);
	}
	if (WSAEnumNetworkEvents(p->socket, p->event, &events) != 0)
		return decide(p, false, now_ms);
	int rc = look(p, &events);
	if (rc == 0 && now_ms >= p->next_ms)
		rc = pst_err_set(&p->why, PST_ETIMEOUT, "the Remote Desktop service does not answer");
	return rc != 0 && decide(p, rc == 1, now_ms);
}

struct probe *probe_create(uint16_t port)
{
	struct probe *p = pst_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->port = port;
	p->socket = INVALID_SOCKET;
	p->event = WSACreateEvent();
	pst_err_set(&p->why, PST_EAGAIN, "the Remote Desktop service was not asked yet");
	if (p->event != WSA_INVALID_EVENT)
		return p;
	free(p);
	return NULL;
}

void probe_destroy(struct probe *p)
{
	if (!p)
		return;
	close_socket(p);
	WSACloseEvent(p->event);
	free(p);
}

void *probe_event(const struct probe *p)
{
	return p->event;
}

uint64_t probe_next_ms(const struct probe *p)
{
	return p->next_ms;
}

bool probe_is_up(const struct probe *p)
{
	return p->is_up;
}

const char *probe_pin(const struct probe *p)
{
	return p->pin;
}

const char *probe_reason(const struct probe *p)
{
	return p->why.text;
}
