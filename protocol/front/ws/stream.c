/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Length-framed messages over a non-blocking socket by uv_poll: writes go out at once where the socket takes them, the rest waits
 * in one buffer; reads fill one buffer of two messages at most.
 */
#include "protocol/front/ws/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "protocol/front/ws/message.h"

#define HEADER 4
#define PART_HEAD (HEADER + 1)
#define READ_SIZE (64u * 1024)
#define IN_MAX (WS_MESSAGE_MAX + HEADER + READ_SIZE)
#define OUT_KEEP (64u * 1024) /* an emptied output buffer above this gives its memory back */

struct ws_stream {
	uv_poll_t poll;
	int watched; /* events */
	int fd;
	const struct ws_stream_events *ev;
	void *arg;
	struct pst_buf in, out;
	size_t out_at; /* bytes of out that the socket has */
	uint64_t sent, received;
	bool is_dead;      /* failed or being destroyed: no event any more */
	bool is_in_event;  /* destroying must wait for the event to return */
	bool is_destroyed;
	bool is_finishing;         /* the writing side closes once it is empty */
	const char *broken_reason; /* ours, where the other side is not to blame */
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct ws_stream *s)
{
	int events = UV_READABLE | (s->out.len > s->out_at ? UV_WRITABLE : 0);

	if (!s->is_dead)
		pst_poll_watch(&s->poll, events, on_poll, &s->watched);
}

static void fail(struct ws_stream *s, int code, const char *reason)
{
	if (s->is_dead)
		return;
	s->is_dead = true;
	uv_poll_stop(&s->poll);
	s->ev->failed(s->arg, code, reason);
}

static void reset_out(struct ws_stream *s)
{
	pst_buf_reset_to(&s->out, OUT_KEEP);
	s->out_at = 0;
}

/* Writes what the socket takes. 0, or an errno value. */
static int write_out(struct ws_stream *s)
{
	while (s->out_at < s->out.len) {
		ssize_t n = send(s->fd, s->out.data + s->out_at, s->out.len - s->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
		s->out_at += (size_t)n;
		s->sent += (uint64_t)n;
	}
	reset_out(s);
	if (s->is_finishing)
		shutdown(s->fd, SHUT_WR);
	return 0;
}

/* Hands over each whole message. The stream may die in between. */
static void take_messages(struct ws_stream *s)
{
	size_t at = 0;

	while (!s->is_dead && s->in.len - at >= HEADER) {
		const uint8_t *p = s->in.data + at;
		uint32_t len = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];

		if (len == 0 || len > WS_MESSAGE_MAX) {
			fail(s, PST_EPROTO, "the client sent a message that is empty or longer than 65,536 bytes");
			return;
		}
		if (s->in.len - at - HEADER < len)
			break;
		s->ev->message(s->arg, p + HEADER, len);
		at += HEADER + len;
	}
	pst_buf_consume(&s->in, at);
}

static void read_in(struct ws_stream *s)
{
	uint8_t *to = pst_buf_reserve(&s->in, READ_SIZE);

	if (!to) {
		fail(s, PST_ENOMEM, "there is no memory for the client's messages");
		return;
	}
	ssize_t n = recv(s->fd, to, READ_SIZE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0 && s->broken_reason) {
		fail(s, PST_ECLOSED, s->broken_reason);
		return;
	}
	if (n <= 0) {
		fail(s, n == 0 || errno == ECONNRESET ? 0 : PST_EIO, "the browser closed the connection");
		return;
	}
	s->received += (uint64_t)n;
	pst_buf_commit(&s->in, (size_t)n);
	take_messages(s);
}

static void on_closed(uv_handle_t *handle)
{
	struct ws_stream *s = handle->data;

	close(s->fd);
	pst_buf_finish(&s->in);
	pst_buf_finish(&s->out);
	free(s);
}

static void run_events(struct ws_stream *s, int events)
{
	/* Input before output: a key does not wait for a picture. */
	if (events & UV_READABLE)
		read_in(s);
	if (!(events & UV_WRITABLE) || s->is_dead)
		return;
	if (write_out(s) != 0)
		fail(s, PST_ECLOSED, "the connection to the browser broke");
	else if (s->out.len == 0)
		s->ev->drained(s->arg);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ws_stream *s = poll->data;

	s->is_in_event = true;
	if (status < 0)
		fail(s, PST_EIO, "the connection to the browser broke");
	else
		run_events(s, events);
	s->is_in_event = false;
	if (s->is_destroyed)
		uv_close((uv_handle_t *)&s->poll, on_closed);
	else
		watch(s);
}

struct ws_stream *ws_stream_create(uv_loop_t *loop, int fd, const struct ws_stream_events *ev, void *arg)
{
	struct ws_stream *s = pst_zalloc(1, sizeof(*s));

	if (!s || uv_poll_init(loop, &s->poll, fd) < 0) {
		free(s);
		close(fd);
		return NULL;
	}
	s->poll.data = s;
	s->fd = fd;
	s->ev = ev;
	s->arg = arg;
	pst_buf_init(&s->in, IN_MAX);
	pst_buf_init(&s->out, WS_OUT_MAX);
	watch(s);
	return s;
}

void ws_stream_destroy(struct ws_stream *s)
{
	if (!s || s->is_destroyed)
		return;
	(void)write_out(s);
	s->is_dead = true;
	s->is_destroyed = true;
	uv_poll_stop(&s->poll);
	if (!s->is_in_event)
		uv_close((uv_handle_t *)&s->poll, on_closed);
}

/* What the socket takes of both at once, without a copy; errors show at the next write. */
static size_t send_now(struct ws_stream *s, const uint8_t head[PART_HEAD], const uint8_t *body, size_t len)
{
	struct iovec parts[] = { { (void *)(uintptr_t)head, PART_HEAD }, { (void *)(uintptr_t)body, len } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n = sendmsg(s->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

	s->sent += n > 0 ? (uint64_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

static void put_part(struct ws_stream *s, uint8_t type, const uint8_t *body, size_t len)
{
	const uint32_t n = (uint32_t)len + 1;
	const uint8_t head[PART_HEAD] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, type };
	size_t sent = s->out.len == 0 && !s->out.failed ? send_now(s, head, body, len) : 0, of_head = PST_MIN(sent, (size_t)PART_HEAD);

	pst_buf_append(&s->out, head + of_head, PART_HEAD - of_head);
	pst_buf_append(&s->out, body + (sent - of_head), len - (sent - of_head));
}

int ws_stream_put(struct ws_stream *s, uint8_t type, const uint8_t *body, size_t len)
{
	const size_t part = WS_MESSAGE_MAX - 1;

	if (s->is_dead)
		return PST_ECLOSED;
	for (; len > part; body += part, len -= part)
		put_part(s, type | WS_PART, body, part);
	put_part(s, type, body, len);
	if (s->out.failed || write_out(s) != 0) {
		ws_stream_break(s, "the browser does not take what it is sent");
		return PST_ECLOSED;
	}
	watch(s);
	return 0;
}

void ws_stream_break(struct ws_stream *s, const char *reason)
{
	if (!s->broken_reason)
		s->broken_reason = reason;
	shutdown(s->fd, SHUT_RDWR);
	watch(s);
}

void ws_stream_finish(struct ws_stream *s)
{
	s->is_finishing = true;
	if (s->out.len == 0)
		shutdown(s->fd, SHUT_WR);
}

uv_loop_t *ws_stream_loop(const struct ws_stream *s)
{
	return s->poll.loop;
}

size_t ws_stream_queued(const struct ws_stream *s)
{
	return s->out.len - s->out_at;
}

uint64_t ws_stream_sent(const struct ws_stream *s)
{
	return s->sent;
}

uint64_t ws_stream_received(const struct ws_stream *s)
{
	return s->received;
}
