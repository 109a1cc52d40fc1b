/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connect, one packet each way, close. */
#include "agent/windows/probe.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdlib.h>

#include "agent/windows/greeting.h"
#include "agent/windows/wide.h"
#include "base/mem.h"

#define ANSWER_MS 5000
#define AGAIN_MS 1000
#define UP_AGAIN_MS 300000 /* one that answers is not bothered: each look is a line in its event log */
#define DOUBT_AGAIN_MS 10000

struct probe {
	uint16_t port;
	SOCKET socket; /* INVALID_SOCKET: between two looks */
	WSAEVENT event;
	uint64_t next_ms; /* the next look, or the end of this one */
	uint8_t answer[GREETING_ANSWER_MAX];
	size_t len;
	unsigned failures;
	bool is_up;
	struct pst_err why;
};

static void close_socket(struct probe *p)
{
	if (p->socket != INVALID_SOCKET)
		closesocket(p->socket);
	p->socket = INVALID_SOCKET;
	p->len = 0;
}

static bool decide(struct probe *p, bool is_good, uint64_t now_ms)
{
	bool was = p->is_up;

	close_socket(p);
	p->failures = is_good ? 0 : p->failures + 1;
	p->is_up = is_good || (was && p->failures < PROBE_FAILURES);
	p->next_ms = now_ms + (is_good ? UP_AGAIN_MS : p->is_up ? DOUBT_AGAIN_MS : AGAIN_MS);
	return p->is_up != was;
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

/* 1: it is up. 0: more to come. PST_E…: it is not. */
static int look(struct probe *p, const WSANETWORKEVENTS *events)
{
	const uint8_t *request;
	size_t len;

	if (events->lNetworkEvents & FD_CONNECT) {
		if (events->iErrorCode[FD_CONNECT_BIT])
			return pst_err_set(&p->why, PST_ECLOSED, "nobody answers at port %u", p->port);
		request = greeting_request(&len);
		send(p->socket, (const char *)request, (int)len, 0); /* a new socket has room for it */
	}
	if (!(events->lNetworkEvents & (FD_READ | FD_CLOSE)))
		return 0;
	int n = recv(p->socket, (char *)p->answer + p->len, (int)(sizeof(p->answer) - p->len), 0);
	if (n <= 0)
		return n < 0 && WSAGetLastError() == WSAEWOULDBLOCK ? 0 : pst_err_set(&p->why, PST_ECLOSED, "the Remote Desktop service hung up");
	p->len += (size_t)n;
	return greeting_check(p->answer, p->len, &p->why);
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

const char *probe_reason(const struct probe *p)
{
	return p->why.text;
}
