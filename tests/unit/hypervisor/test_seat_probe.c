/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seats on loopback that answer, lie, hang up, or say nothing.
 * Covers: broker/hypervisor/hosts/probe.c
 */
#include "broker/hypervisor/hosts/probe.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Takes one connection after the other: says its words, and waits for the other to leave. */
struct server {
	const char *words;
	size_t len;
	struct seat seat;
	int fd;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct server *s = arg;
	char byte;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		if (s->len == 0 || send(fd, s->words, s->len, MSG_NOSIGNAL) > 0)
			while (s->words && recv(fd, &byte, 1, 0) > 0)
				;
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *s, enum seat_protocol protocol, const char *words, size_t len)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(me);

	s->words = words;
	s->len = len;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(s->fd, (struct sockaddr *)&me, sizeof(me)), 0);
	cr_assert_eq(listen(s->fd, 512), 0);
	cr_assert_eq(getsockname(s->fd, (struct sockaddr *)&me, &size), 0);
	s->seat = (struct seat){ .protocol = protocol, .port = ntohs(me.sin_port), .address = "127.0.0.1" };
	cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

Test(seat_probe, each_is_told_why_it_does_not_answer, .timeout = 60)
{
	static const struct {
		enum seat_protocol protocol;
		const char *words;
		size_t len;
		const char *reason; /* NULL: it answers */
	} kinds[] = {
		{ SEAT_VNC, "RFB 003.008\n\1\1\0\0\0\0", 18, NULL },
		{ SEAT_VNC, "RFB 003.003\n", 12, NULL },
		{ SEAT_RDP, "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\0\x08\0\1\0\0\0", 19, NULL },
		{ SEAT_AGENT, "\x15\3\3\0\2\2\x28", 7, NULL },
		{ SEAT_VNC, "HTTP/1.1 400 Bad Request\r\n", 26, "it does not speak \"vnc\"" },
		{ SEAT_RDP, NULL, 0, "it closed the connection" },
		{ SEAT_VNC, "", 0, "no answer within 300 ms" },
	};
	struct server servers[sizeof(kinds) / sizeof(kinds[0])];
	struct probe probes[sizeof(kinds) / sizeof(kinds[0]) + 1];
	size_t n = sizeof(kinds) / sizeof(kinds[0]);

	for (size_t i = 0; i < n; i++) {
		server_start(&servers[i], kinds[i].protocol, kinds[i].words, kinds[i].len);
		probes[i].seat = &servers[i].seat;
	}
	/* One that is not there at all: the port of a server that has gone. */
	struct server gone;
	server_start(&gone, SEAT_VNC, "", 0);
	server_stop(&gone);
	probes[n].seat = &gone.seat;
	probe_run(probes, n + 1, 300, -1);
	for (size_t i = 0; i < n; i++) {
		if (kinds[i].reason)
			cr_assert_str_eq(probes[i].reason, kinds[i].reason, "case %zu", i);
		else
			cr_assert(probes[i].answers, "case %zu: %s", i, probes[i].reason);
		server_stop(&servers[i]);
	}
	cr_assert_str_eq(probes[n].reason, "Connection refused");
}

Test(seat_probe, many_are_asked_at_once_and_a_cancel_ends_it, .timeout = 60)
{
	static struct probe probes[300];
	struct server s;
	int fd = eventfd(1, EFD_CLOEXEC);

	server_start(&s, SEAT_VNC, "RFB 003.003\n", 12);
	for (size_t i = 0; i < 300; i++)
		probes[i].seat = &s.seat;
	probe_run(probes, 300, 20000, -1);
	for (size_t i = 0; i < 300; i++)
		cr_assert(probes[i].answers, "%zu: %s", i, probes[i].reason);
	server_stop(&s);
	server_start(&s, SEAT_VNC, "", 0);
	probe_run(probes, 2, 3600000, fd);
	cr_assert_str_eq(probes[0].reason, "not asked to the end");
	server_stop(&s);
	close(fd);
}

Test(seat_probe, only_numeric_addresses_are_taken)
{
	struct sockaddr_storage to;

	cr_assert_eq(probe_address("10.0.0.1", 1, &to), sizeof(struct sockaddr_in));
	cr_assert_eq(probe_address("::1", 1, &to), sizeof(struct sockaddr_in6));
	cr_assert_eq(probe_address("localhost", 1, &to), 0);
}
