/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connects, exchanges greetings, and hangs up. */
#include "broker/hypervisor/hosts/probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE 128 /* connections */

/* connecting → talking → over (fd -1) */
struct talk {
	struct probe *p;
	int fd;
	bool is_connected;
	size_t sent; /* of replies */
	size_t len;
	uint8_t data[GREETING_ANSWER_MAX];
};

socklen_t probe_address(const char *address, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		return 0;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return sizeof(*six);
}

static void talk_end(struct talk *t, const char *reason)
{
	t->p->answers = reason == NULL;
	pst_strlcpy(t->p->reason, sizeof(t->p->reason), reason ? reason : "");
	pst_fd_close(&t->fd);
}

static void talk_begin(struct talk *t, struct probe *p)
{
	struct sockaddr_storage to;
	socklen_t len = probe_address(p->seat->address, p->seat->port, &to);

	memset(t, 0, sizeof(*t));
	t->p = p;
	t->fd = len ? socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	if (t->fd < 0 || (connect(t->fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS))
		talk_end(t, strerror(errno));
}

/* Greetings are short: what a fresh connection does not take at once is no connection. */
static bool say(struct talk *t, const uint8_t *data, size_t len)
{
	return len == 0 || send(t->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void on_connected(struct talk *t)
{
	uint8_t hello[GREETING_HELLO_MAX];
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		talk_end(t, strerror(error));
		return;
	}
	t->is_connected = true;
	if (!say(t, hello, greeting_hello(t->p->seat->protocol, hello)))
		talk_end(t, "it closed the connection");
}

static void answer_check(struct talk *t)
{
	enum seat_protocol protocol = t->p->seat->protocol;
	uint8_t reply[GREETING_HELLO_MAX];
	char words[64];
	size_t n;

	switch (greeting_check(protocol, t->data, t->len, t->sent)) {
	case GREETING_MORE:
		if (t->len == sizeof(t->data))
			talk_end(t, "it says too much");
		return;
	case GREETING_RIGHT:
		talk_end(t, NULL);
		return;
	case GREETING_WRONG:
		snprintf(words, sizeof(words), "it does not speak \"%s\"", seat_protocol_name(protocol));
		talk_end(t, words);
		return;
	case GREETING_REPLY:
		n = greeting_reply(protocol, t->data, t->len, t->sent, reply);
		t->sent += n;
		if (!say(t, reply, n))
			talk_end(t, "it closed the connection");
		else
			answer_check(t); /* at most once more for each reply */
		return;
	}
}

static void on_data(struct talk *t)
{
	ssize_t n = recv(t->fd, t->data + t->len, sizeof(t->data) - t->len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		talk_end(t, n < 0 && errno != ECONNRESET ? strerror(errno) : "it closed the connection");
		return;
	}
	t->len += (size_t)n;
	answer_check(t);
}

/* Waits for any of them; false when the time is over or nobody wants to know. */
static bool talks_turn(struct talk *talks, size_t n, uint64_t end_ms, int cancel_fd)
{
	struct pollfd fds[AT_ONCE + 1];
	uint64_t now = pst_mono_ms();
	size_t open = 0;

	for (size_t i = 0; i < n; i++) {
		fds[i] = (struct pollfd){ .fd = talks[i].fd, .events = talks[i].is_connected ? POLLIN : POLLOUT };
		open += talks[i].fd >= 0;
	}
	fds[n] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };
	if (open == 0 || now >= end_ms || (poll(fds, n + 1, (int)(end_ms - now)) < 0 && errno != EINTR) || fds[n].revents)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (talks[i].fd < 0 || !fds[i].revents)
			continue;
		if (talks[i].is_connected)
			on_data(&talks[i]);
		else
			on_connected(&talks[i]);
	}
	return true;
}

static void some_run(struct probe *list, size_t n, uint32_t timeout_ms, int cancel_fd)
{
	uint64_t end_ms = pst_mono_ms() + timeout_ms;
	struct talk *talks = pst_zalloc(n, sizeof(*talks));
	char words[64];

	snprintf(words, sizeof(words), "no answer within %u ms", timeout_ms);
	for (size_t i = 0; i < n; i++) {
		list[i].answers = false;
		pst_strlcpy(list[i].reason, sizeof(list[i].reason), "no memory");
		if (talks)
			talk_begin(&talks[i], &list[i]);
	}
	while (talks && talks_turn(talks, n, end_ms, cancel_fd))
		;
	for (size_t i = 0; talks && i < n; i++) {
		if (talks[i].fd >= 0)
			talk_end(&talks[i], pst_mono_ms() >= end_ms ? words : "not asked to the end");
	}
	free(talks);
}

void probe_run(struct probe *list, size_t n, uint32_t timeout_ms, int cancel_fd)
{
	for (size_t i = 0; i < n; i += AT_ONCE)
		some_run(list + i, PST_MIN(n - i, (size_t)AT_ONCE), timeout_ms, cancel_fd);
}
