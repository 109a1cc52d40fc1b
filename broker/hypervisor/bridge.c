/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes between a WebSocket and a socket. */
#include "broker/hypervisor/bridge.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/websocket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE (16 * 1024)
#define ROOM (2 * PIECE + WEBSOCKET_HEAD_MAX)
#define STACK_SIZE (256 * 1024)

struct bridge {
	struct http_stream *far;
	int near; /* the viewer's */
	struct websocket ws;
	struct pst_buf in, out; /* for the viewer, for the server */
	uint64_t heard_ms, pinged_ms, given_ms, taken_ms; /* from the server, to it, the last that it and the viewer had room for */
	bool is_over;
};

static atomic_uint bridges;

static void bridge_free(struct bridge *b)
{
	http_stream_close(b->far);
	pst_fd_close(&b->near);
	pst_buf_finish(&b->in);
	pst_buf_finish(&b->out);
	free(b);
	atomic_fetch_sub(&bridges, 1);
}

/* While the viewer has taken what came before, and answers to pings have room. */
static bool far_is_read(const struct bridge *b)
{
	return !b->in.len && b->out.len <= PIECE;
}

/* True: there may be more. */
static bool far_read(struct bridge *b, uint64_t now)
{
	struct pst_err ignored = PST_ERR_INIT;
	uint8_t piece[PIECE];
	ssize_t n;

	if (!far_is_read(b))
		return false;
	n = http_stream_read(b->far, piece, sizeof(piece));
	if (n == PST_EAGAIN)
		return false;
	b->heard_ms = now;
	b->is_over = n <= 0 || websocket_take(&b->ws, piece, (size_t)n, &b->in, &b->out, &ignored) < 0 || b->ws.is_closed;
	return !b->is_over;
}

static void near_read(struct bridge *b)
{
	uint8_t piece[PIECE];
	ssize_t n;

	if (b->out.len)
		return;
	n = recv(b->near, piece, sizeof(piece), MSG_DONTWAIT);
	if (n > 0)
		websocket_put(&b->out, piece, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		b->is_over = true;
}

static void flush(struct bridge *b, uint64_t now)
{
	ssize_t n = b->out.len ? http_stream_write(b->far, b->out.data, b->out.len) : 0;

	if (n > 0)
		pst_buf_consume(&b->out, (size_t)n);
	if (n > 0 || !b->out.len)
		b->given_ms = now;
	if (n < 0 && n != PST_EAGAIN)
		b->is_over = true;
	n = b->in.len ? send(b->near, b->in.data, b->in.len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
	if (n > 0)
		pst_buf_consume(&b->in, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		b->is_over = true;
	if (n > 0 || !b->in.len)
		b->taken_ms = now;
}

/* While nothing is read, that is no silence of the server's. */
static void clocks(struct bridge *b, uint64_t now)
{
	if (!far_is_read(b))
		b->heard_ms = now;
	if (now - b->heard_ms > BRIDGE_SILENCE_MS || now - b->given_ms > BRIDGE_STALL_MS || now - b->taken_ms > BRIDGE_STALL_MS)
		b->is_over = true;
	if (now - b->pinged_ms > BRIDGE_PING_MS && !b->out.len) {
		websocket_ping(&b->out);
		b->pinged_ms = now;
	}
}

/* One of which nothing is wanted is left out: its end would wake poll again and again. */
static struct pollfd wish(int fd, bool reads, bool writes)
{
	return (struct pollfd){ reads || writes ? fd : -1, (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0 };
}

static void *bridge_run(void *arg)
{
	struct bridge *b = arg;

	while (!b->is_over) {
		struct pollfd p[] = { wish(http_stream_fd(b->far), far_is_read(b), b->out.len), wish(b->near, !b->out.len, b->in.len) };
		int rc = poll(p, 2, 1000);
		uint64_t now = pst_mono_ms();

		if (rc < 0 && errno != EINTR)
			break;
		near_read(b);
		clocks(b, now);
		flush(b, now);
		/* TLS may hold what poll does not see: it is read until there is none, or the viewer has to take it first. */
		while (!b->is_over && far_read(b, now))
			flush(b, now);
	}
	if (!b->ws.is_closed && !b->out.len) {
		websocket_close(&b->out);
		(void)http_stream_write(b->far, b->out.data, b->out.len);
	}
	bridge_free(b);
	return NULL;
}

/* The head of the answer into b->in, and what came behind it to the frames. */
static int answer_read(struct bridge *b, const char *key, const char *protocol, uint64_t end_ms, struct pst_err *err)
{
	char head[WEBSOCKET_HEAD_MAX + 1], *end = NULL;
	size_t len = 0;

	while (!end) {
		ssize_t n = len < WEBSOCKET_HEAD_MAX ? http_stream_read(b->far, head + len, WEBSOCKET_HEAD_MAX - len) : PST_ELIMIT;
		struct pollfd p = { http_stream_fd(b->far), POLLIN, 0 };
		uint64_t now = pst_mono_ms();

		if (n == PST_EAGAIN && now >= end_ms)
			return pst_err_set(err, PST_ETIMEOUT, "it did not answer in time");
		if (n == PST_EAGAIN)
			(void)poll(&p, 1, (int)PST_MIN(end_ms - now, (uint64_t)1000));
		else if (n <= 0)
			return pst_err_set(err, n == PST_ELIMIT ? PST_ELIMIT : PST_ECLOSED, n == PST_ELIMIT ? "its answer is too long" : "it ended the connection");
		else
			len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
		if (strlen(head) < len && !end)
			return pst_err_set(err, PST_EPROTO, "its answer is no text");
	}
	end += 4;
	char first = *end;
	*end = '\0';
	if (websocket_answer(head, key, protocol, err) < 0)
		return err->code;
	*end = first;
	return websocket_take(&b->ws, (uint8_t *)end, len - (size_t)(end - head), &b->in, &b->out, err);
}

static int handshake(struct bridge *b, struct http *h, const char *path, const char *protocol, const char *const *headers, uint64_t end_ms, struct pst_err *err)
{
	char key[WEBSOCKET_KEY_SIZE];

	websocket_key(key);
	websocket_request(&b->out, http_host(h), path, key, protocol, headers);
	while (b->out.len && !b->out.failed) {
		ssize_t n = http_stream_write(b->far, b->out.data, b->out.len);
		struct pollfd p = { http_stream_fd(b->far), POLLOUT, 0 };

		if (n > 0)
			pst_buf_consume(&b->out, (size_t)n);
		else if (n != PST_EAGAIN)
			return pst_err_set(err, PST_ECLOSED, "it ended the connection");
		else if (pst_mono_ms() >= end_ms || poll(&p, 1, 1000) < 0)
			return pst_err_set(err, PST_ETIMEOUT, "it takes nothing");
	}
	return b->out.failed ? pst_err_set(err, PST_ELIMIT, "a request that is too long") : answer_read(b, key, protocol, end_ms, err);
}

static int thread_start(struct bridge *b)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	rc = pthread_create(&thread, &attr, bridge_run, b);
	pthread_attr_destroy(&attr);
	return rc;
}

int bridge_open(struct http *h, const char *path, const char *protocol, const char *const *headers, uint64_t timeout_ms, struct pst_err *err)
{
	uint64_t now = pst_mono_ms();
	struct bridge *b;
	int pair[2];

	if (atomic_fetch_add(&bridges, 1) >= BRIDGES_MAX || !(b = pst_zalloc(1, sizeof(*b)))) {
		atomic_fetch_sub(&bridges, 1);
		return pst_err_set(err, PST_EBUSY, "%d consoles of this kind are open already, or there is no memory", BRIDGES_MAX);
	}
	b->near = -1;
	pst_buf_init(&b->in, ROOM);
	pst_buf_init(&b->out, ROOM);
	b->far = http_stream_open(h, timeout_ms, err);
	b->heard_ms = b->pinged_ms = b->given_ms = b->taken_ms = now;
	if (!b->far || handshake(b, h, path, protocol, headers, now + timeout_ms, err) < 0 || pst_unix_pair(pair, err) < 0) {
		bridge_free(b);
		return pst_err_wrap(err, "the console");
	}
	b->near = pair[1];
	pst_fd_set_nonblock(pair[0], 1);
	if (thread_start(b) != 0) {
		bridge_free(b);
		close(pair[0]);
		return pst_err_set(err, PST_ENOMEM, "no thread for a console");
	}
	return pair[0];
}
