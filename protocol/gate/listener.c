/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening sockets. */
#include "protocol/gate/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/http_conn.h"
#include "protocol/gate/intake.h"

#define BACKLOG 512
#define ACCEPTS_PER_TURN 32
#define ROOM_AGE_MS 500 /* younger ones are not pushed out */
#define NO_FILES_MS 200  /* pause when the process has no descriptors left */
#define NOTSENT_LOWAT 16384

struct listener {
	struct gate *gate;
	struct listener *next;
	enum gate_port kind;
	int fd;
	uv_poll_t poll;
	struct pst_timer *pause;
	struct pst_log_gate log_gate;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void resume(void *arg)
{
	struct listener *l = arg;

	uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void address_text(const struct sockaddr_storage *a, char *out, size_t size)
{
	const void *bytes = &((const struct sockaddr_in *)a)->sin_addr;
	int family = a->ss_family;

	if (family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)a)->sin6_addr;

		bytes = in6;
		if (IN6_IS_ADDR_V4MAPPED(in6)) {
			family = AF_INET;
			bytes = in6->s6_addr + 12;
		}
	}
	if (!inet_ntop(family, bytes, out, (socklen_t)size))
		snprintf(out, size, "?");
}

static void tune(int fd)
{
	int one = 1, low = NOTSENT_LOWAT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low));
	/* Where the administrator allows it (net.ipv4.tcp_allowed_congestion_control): it keeps queues on the way short. */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static void refuse(struct listener *l, int fd, const char *remote, const char *why)
{
	uint32_t held;

	close(fd);
	if (pst_log_every(&l->log_gate, pst_mono_ms(), 1000, &held))
		pst_warn("connection refused remote=%s reason=\"%s\" held_back=%u", remote, why, held);
}

/*
 * Many addresses together can fill all half-open places with silence. Then the one that waits longest goes: a person's client is through in
 * a moment, so it is hardly ever the oldest, and the flood only pushes itself out.
 */
static bool make_room(struct gate *g)
{
	uint64_t intake = intake_oldest_ms(g), http = http_conn_oldest_ms(g), oldest = intake < http ? intake : http;

	if (oldest == UINT64_MAX || pst_mono_ms() - oldest < ROOM_AGE_MS)
		return false;
	if (intake <= http)
		intake_drop_oldest(g);
	else
		http_conn_drop_oldest(g);
	return true;
}

static bool accept_one(struct listener *l)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char remote[64];
	struct limits_key key;
	enum limits_answer answer;
	int fd = accept4(l->fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			pst_error("no descriptors left: accepting pauses");
			uv_poll_stop(&l->poll);
			pst_timer_start(l->pause, NO_FILES_MS, resume, l);
			return false;
		}
		return errno == ECONNABORTED || errno == EINTR;
	}
	address_text(&addr, remote, sizeof(remote));
	key = limits_key(&addr);
	if (l->kind != GATE_HTTPS && limits_penalty(l->gate->limits, &key, pst_mono_ns())) {
		refuse(l, fd, remote, "displays from this address crashed several times and have to wait");
		return true;
	}
	answer = limits_accept(l->gate->limits, &key, pst_mono_ns());
	if (answer == LIMITS_TOTAL_FULL && make_room(l->gate))
		answer = limits_accept(l->gate->limits, &key, pst_mono_ns());
	if (answer != LIMITS_OK) {
		refuse(l, fd, remote, limits_answer_text(answer));
		return true;
	}
	tune(fd);
	intake_start(l->gate, l->kind, fd, &key, remote);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	for (int i = 0; status == 0 && i < ACCEPTS_PER_TURN; i++)
		if (!accept_one(l))
			return;
}

static int make_address(const struct gate_address *a, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (*a->host && inet_pton(AF_INET, a->host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		*ret_len = sizeof(*in);
		return AF_INET;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	if (*a->host)
		inet_pton(AF_INET6, a->host, &in6->sin6_addr);
	*ret_len = sizeof(*in6);
	return AF_INET6;
}

static int open_socket(const struct gate_address *a, struct pst_err *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int family = make_address(a, &addr, &len), one = 1, zero = 0;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EAFNOSUPPORT && !*a->host) {
		struct sockaddr_in *in = (struct sockaddr_in *)&addr;

		/* A machine without IPv6. */
		memset(&addr, 0, sizeof(addr));
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		len = sizeof(*in);
		family = AF_INET;
		fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	}
	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "no socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, *a->host ? &one : &zero, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 || listen(fd, BACKLOG) < 0) {
		int error = errno;

		close(fd);
		if (error == EADDRINUSE)
			return pst_err_set(err, PST_EBUSY, "port %u is taken by another program; choose another one or stop that program (ss -ltnp shows it)",
					   a->port);
		return pst_err_sys(err, PST_EIO, error, "port %u cannot be opened", a->port);
	}
	return fd;
}

static int listener_open(struct gate *g, const struct gate_address *a, struct pst_err *err)
{
	struct listener *l = calloc(1, sizeof(*l));
	int fd = l ? open_socket(a, err) : pst_err_set(err, PST_ENOMEM, "no memory for a listener");

	if (l)
		l->pause = pst_timer_create(g->loop);
	if (fd < 0 || !l->pause) {
		pst_timer_destroy(l ? l->pause : NULL);
		free(l);
		if (fd >= 0) {
			close(fd);
			return pst_err_set(err, PST_ENOMEM, "no memory for a listener");
		}
		return fd;
	}
	l->gate = g;
	l->kind = a->port_kind;
	l->fd = fd;
	uv_poll_init(g->loop, &l->poll, fd);
	l->poll.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_readable);
	l->next = g->listeners;
	g->listeners = l;
	return 0;
}

int listener_open_all(struct gate *g, struct pst_err *err)
{
	for (unsigned i = 0; i < g->config->n_addresses; i++)
		if (listener_open(g, &g->config->addresses[i], err) < 0)
			return err->code;
	return 0;
}

static void poll_closed(uv_handle_t *h)
{
	struct listener *l = h->data;

	close(l->fd);
	free(l);
}

void listener_close_all(struct gate *g)
{
	while (g->listeners) {
		struct listener *l = g->listeners;

		g->listeners = l->next;
		pst_timer_destroy(l->pause);
		uv_close((uv_handle_t *)&l->poll, poll_closed);
	}
}
