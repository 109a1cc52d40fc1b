/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TCP relay on the loopback that counts and times the bytes of both directions, and can be a slow path.
 *
 *   relay PORT
 *
 * It prints "ready PORT", the one that it listens on, and answers each line of standard input with one line:
 *
 *   mark                 "marked": the counts and the log begin anew
 *   count                "count DOWN UP CONNECTIONS FIRST LAST ASKED SECURED" since the mark; times in nanoseconds of
 *                        CLOCK_MONOTONIC at which the first and the last bytes came down, the first went up, and
 *                        the client ended its latest TLS handshake; 0 for none
 *   settle QUIET MAX     "settled LAST" once nothing has come down for QUIET ms from now on, or MAX ms are
 * over path DELAY RATE      "path": one-way delay in ms for each byte of each direction; kbit/s, 0 for no
 * limit log                  "log N d:NS:BYTES u:NS:BYTES …": what came since the mark, the first LOG_MAX
 * pieces
 *
 * The path is a bottleneck and then a line: bytes are read as the rate lets them, so the queue before it is
 * the sockets' own and slows the sender down; what was read waits for the delay. Nothing is ever lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "relay_pipe.h"

#define CONNECTIONS_MAX 64
#define PIPES (2 * CONNECTIONS_MAX)
#define LOG_MAX 65536
#define QUEUE_BYTES 65536 /* of a socket's receive buffer: the router's queue */
#define NS_PER_MS 1000000u

struct piece {
	uint64_t at;
	uint32_t bytes;
	bool is_up;
};

struct relay {
	int listener;
	uint16_t to;
	struct pipe pipes[PIPES]; /* a connection has two: up, and down */
	struct path path;
	struct bucket up, down;
	uint64_t down_bytes, up_bytes, connections, first, last, asked, secured; /* since the mark */
	struct piece log[LOG_MAX];
	size_t logged;
	uint64_t settle_quiet, settle_from, settle_end; /* end 0: nobody waits */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

/* A client's last flight of a TLS handshake begins with ChangeCipherSpec, also in 1.3 (RFC 8446, appendix D.4). */
static bool ends_handshake(const uint8_t *from, uint32_t bytes)
{
	return bytes > 5 && from[0] == 20 && from[1] == 3;
}

static void note(struct relay *r, bool is_up, uint32_t bytes, uint64_t now)
{
	if (r->logged < LOG_MAX)
		r->log[r->logged++] = (struct piece){ now, bytes, is_up };
	if (is_up) {
		r->asked = r->asked ? r->asked : now;
		r->up_bytes += bytes;
		return;
	}
	r->down_bytes += bytes;
	r->first = r->first ? r->first : now;
	r->last = now;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, bytes = QUEUE_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
}

static void join(struct relay *r)
{
	struct sockaddr_in to = loopback(r->to);
	int client = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), server, on = 1;
	struct pipe *free_pair = NULL;

	for (int i = 0; i < CONNECTIONS_MAX && !free_pair; i++)
		if (!r->pipes[2 * i].is_open && !r->pipes[2 * i + 1].is_open)
			free_pair = &r->pipes[2 * i];
	if (client < 0 || !free_pair) {
		close(client);
		return;
	}
	server = open_socket();
	if (connect(server, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS) {
		close(client);
		close(server);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (pipe_open(&free_pair[0], client, server) && pipe_open(&free_pair[1], server, client))
		r->connections++;
	else
		pipe_break(&free_pair[0], &free_pair[1]);
}

static void move_bytes(struct relay *r, const struct pollfd *fds)
{
	for (int i = 0; i < PIPES; i++) {
		struct pipe *p = &r->pipes[i], *back = &r->pipes[i ^ 1];
		uint32_t got = 0, tail = (p->head + p->used) % PIPE_BYTES;
		uint64_t now = now_ns();
		bool is_well = true;

		if (!p->is_open)
			continue;
		if (fds[2 * i].fd >= 0 && fds[2 * i].revents)
			is_well = pipe_read(p, &r->path, i & 1 ? &r->down : &r->up, now, &got);
		if (got)
			note(r, !(i & 1), got, now);
		if (!(i & 1) && ends_handshake(p->ring + tail, got))
			r->secured = now;
		if (!is_well || !pipe_write(p, now) || (p->is_shut && back->is_shut))
			pipe_break(p, back);
	}
}

static void print_log(const struct relay *r)
{
	printf("log %zu", r->logged);
	for (size_t i = 0; i < r->logged; i++)
		printf(" %c:%" PRIu64 ":%" PRIu32, r->log[i].is_up ? 'u' : 'd', r->log[i].at,
			r->log[i].bytes);
	say("");
}

static void answer(struct relay *r, const char *line)
{
	double a = 0, b = 0;
	char word[16] = "";

	sscanf(line, "%15s %lf %lf", word, &a, &b);
	a = a >= 0 && a < 1e6 ? a : 0;
	b = b >= 0 && b < 1e8 ? b : 0;
	if (!strcmp(word, "mark")) {
		r->down_bytes = r->up_bytes = r->first = r->last = r->asked = r->secured = r->logged = 0;
		say("marked");
	} else if (!strcmp(word, "count")) {
		printf("count %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, r->down_bytes,
			r->up_bytes, r->connections, r->first, r->last, r->asked, r->secured);
		say("");
	} else if (!strcmp(word, "settle")) {
		r->settle_from = now_ns();
		r->settle_quiet = (uint64_t)(a * NS_PER_MS);
		r->settle_end = r->settle_from + (uint64_t)(b * NS_PER_MS);
	} else if (!strcmp(word, "path")) {
		r->path.delay = (uint64_t)(a * NS_PER_MS);
		r->path.bytes_per_ns = b * 1000 / 8 / 1e9;
		r->up = r->down = (struct bucket){ 0 };
		say("path");
	} else if (!strcmp(word, "log")) {
		print_log(r);
	} else {
		say("unknown");
	}
}

/* When somebody waits for silence: answers if it is there. Returns when to look again. */
static uint64_t look_settled(struct relay *r, uint64_t now)
{
	uint64_t quiet = (r->last > r->settle_from ? r->last : r->settle_from) + r->settle_quiet;

	if (!r->settle_end)
		return UINT64_MAX;
	if (now < quiet && now < r->settle_end)
		return quiet < r->settle_end ? quiet : r->settle_end;
	r->settle_end = 0;
	printf("settled %" PRIu64, r->last);
	say("");
	return UINT64_MAX;
}

static uint64_t await(struct relay *r, struct pollfd *fds)
{
	uint64_t now = now_ns(), next = look_settled(r, now);

	for (int i = 0; i < PIPES; i++) {
		uint64_t due =
			pipe_await(&r->pipes[i], &r->path, i & 1 ? &r->down : &r->up, now, &fds[2 * i]);

		next = due < next ? due : next;
	}
	return next;
}

int main(int argc, char **argv)
{
	static struct relay r;
	static struct pollfd fds[PIPES * 2 + 2];
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);
	char line[128];

	r.to = argc == 2 ? (uint16_t)atoi(argv[1]) : 0;
	r.listener = open_socket();
	if (!r.to || bind(r.listener, (struct sockaddr *)&at, sizeof(at)) || listen(r.listener, 64) ||
		getsockname(r.listener, (struct sockaddr *)&at, &len)) {
		fprintf(stderr, "relay: usage: relay PORT; no address to listen on: %s\n", strerror(errno));
		return 1;
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready %d", ntohs(at.sin_port));
	say("");
	for (;;) {
		struct pollfd *own = &fds[PIPES * 2];
		uint64_t next = await(&r, fds), now = now_ns(), left = next > now ? next - now : 0;
		struct timespec wait = { (time_t)(left / 1000000000u), (long)(left % 1000000000u) };

		own[0] = (struct pollfd){ .fd = r.listener, .events = POLLIN };
		own[1] = (struct pollfd){ .fd = 0, .events = POLLIN };
		if (ppoll(fds, PIPES * 2 + 2, next == UINT64_MAX ? NULL : &wait, NULL) < 0)
			continue;
		move_bytes(&r, fds);
		if (own[0].revents)
			join(&r);
		if (own[1].revents) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			answer(&r, line);
		}
	}
}
