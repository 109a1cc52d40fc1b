/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads requests as an HTTP server would, and leaves the answers to the test. */
#include "tests/unit/hypervisor/http_peer.h"

#include "base/err.h"
#include "base/unixsock.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Something to read; false when only a new connection has come: whoever keeps an old one without a word waits. */
static bool request_await(struct http_peer *p, int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = p->listener, .events = POLLIN } };

	return poll(fds, 2, -1) > 0 && fds[0].revents;
}

/* A head and the body that its Content-Length announces; false at the end of the connection. */
static bool request_read(struct http_peer *p, int fd)
{
	size_t used = 0, want = 0;

	if (!request_await(p, fd))
		return false;
	while (used + 1 < sizeof(p->request)) {
		ssize_t n = read(fd, p->request + used, sizeof(p->request) - 1 - used);
		char *end, *length;

		if (n <= 0)
			return false;
		used += (size_t)n;
		p->request[used] = '\0';
		end = strstr(p->request, "\r\n\r\n");
		length = strcasestr(p->request, "content-length: ");
		if (end && length && length < end)
			want = strtoul(length + strlen("content-length: "), NULL, 10);
		if (end && used >= (size_t)(end + 4 - p->request) + want)
			return true;
	}
	return false;
}

static void connection_serve(struct http_peer *p, int fd)
{
	pst_fd_set_nonblock(fd, 0);
	while (request_read(p, fd)) {
		if (!p->serve(p, p->served++, fd))
			break;
	}
	close(fd);
}

static void *peer_main(void *arg)
{
	struct http_peer *p = arg;
	struct pollfd f = { .fd = p->listener, .events = POLLIN };

	for (;;) {
		int fd;

		poll(&f, 1, -1);
		fd = accept(p->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		connection_serve(p, fd);
	}
}

void http_peer_start(struct http_peer *p, const char *dir)
{
	struct pst_err err = PST_ERR_INIT;

	snprintf(p->socket, sizeof(p->socket), "%s/peer.sock", dir);
	p->listener = pst_unix_listen(p->socket, 0600, 8, &err);
	cr_assert_geq(p->listener, 0, "%s", err.text);
	cr_assert_eq(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

void http_peer_stop(struct http_peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->listener);
	unlink(p->socket);
}

void http_peer_answer(int fd, int status, const char *head, const char *body)
{
	dprintf(fd, "HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), head, body);
}
