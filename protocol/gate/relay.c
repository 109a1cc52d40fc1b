/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both directions between a WebSocket and a worker, each at the pace of its receiver. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "protocol/gate/display_priv.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/stream.h"

#define FRAME_MAX 65536             /* payload of one message, either way */
#define READ_SIZE (FRAME_MAX + 4)
#define TO_WORKER_MAX (4 * FRAME_MAX)
#define CLIENT_FULL 16384           /* unsent bytes from which the worker is not read */
#define READS_PER_TURN 8

/* The pipe outlives the relay until the loop has closed its handle. */
struct relay_pipe {
	uv_poll_t poll;
	int watched; /* events */
	int fd;
};

static void on_pipe(uv_poll_t *poll, int status, int events);

static void pipe_closed(uv_handle_t *h)
{
	struct relay_pipe *p = pst_container_of((uv_poll_t *)h, struct relay_pipe, poll);

	close(p->fd);
	free(p);
}

static void pipe_close(struct relay *r)
{
	if (!r->pipe)
		return;
	uv_close((uv_handle_t *)&r->pipe->poll, pipe_closed);
	r->pipe = NULL;
}

int relay_init(struct relay *r)
{
	r->parser = malloc(sizeof(*r->parser));
	if (!r->parser)
		return PST_ENOMEM;
	ws_parser_init(r->parser);
	pst_buf_init(&r->from_worker, READ_SIZE);
	pst_buf_init(&r->to_worker, TO_WORKER_MAX + READ_SIZE);
	return 0;
}

void relay_finish(struct relay *r)
{
	pipe_close(r);
	free(r->parser);
	r->parser = NULL;
	pst_buf_finish(&r->from_worker);
	pst_buf_finish(&r->to_worker);
}

static void watch(struct relay *r)
{
	int events = 0;

	if (!r->pipe)
		return;
	if (!r->client_is_full)
		events |= UV_READABLE;
	if (r->worker_is_full)
		events |= UV_WRITABLE;
	pst_poll_watch(&r->pipe->poll, events, on_pipe, &r->pipe->watched);
}

/* A whole message for the client. */
static void send_message(struct relay *r, const uint8_t *data, size_t len)
{
	uint8_t head[WS_HEADER_MAX];
	struct stream *s = r->display->stream;

	stream_write(s, head, ws_frame_header(head, WS_BINARY, true, len));
	stream_write(s, data, len);
}

/* Cuts whole messages out of what the worker wrote; false when it broke the framing. */
static bool cut_messages(struct relay *r)
{
	struct pst_buf *b = &r->from_worker;
	size_t at = 0;

	if (r->display->is_rfb) {
		if (b->len)
			send_message(r, b->data, b->len);
		pst_buf_reset(b);
		return true;
	}
	while (b->len - at >= 4) {
		const uint8_t *p = b->data + at;
		size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (!len || len > FRAME_MAX)
			return false;
		if (b->len - at - 4 < len)
			break;
		send_message(r, p + 4, len);
		at += 4 + len;
	}
	pst_buf_consume(b, at);
	return true;
}

/* Reads what the worker wrote and passes it on. False when the pipe is at its end or empty. */
static bool read_worker(struct relay *r)
{
	size_t room = READ_SIZE - r->from_worker.len;
	uint8_t *to = pst_buf_reserve(&r->from_worker, room);
	ssize_t n = to ? recv(r->pipe->fd, to, room, MSG_DONTWAIT) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		/* The reason comes from the worker's end, by the session. */
		pipe_close(r);
		return false;
	}
	pst_buf_commit(&r->from_worker, (size_t)n);
	if (cut_messages(r))
		return true;
	display_end(r->display, WS_CLOSE_FAILED, "The display process sent something that makes no sense.",
		    "El proceso de la pantalla ha enviado algo sin sentido.");
	return false;
}

static void from_worker(struct relay *r)
{
	struct stream *s = r->display->stream;

	for (int i = 0; i < READS_PER_TURN && r->pipe && stream_queued(s) < CLIENT_FULL; i++)
		if (!read_worker(r))
			break;
	stream_flush(s);
	r->client_is_full = stream_queued(s) >= CLIENT_FULL;
}

static void to_worker(struct relay *r)
{
	struct pst_buf *b = &r->to_worker;

	while (b->len && r->pipe) {
		ssize_t n = send(r->pipe->fd, b->data, b->len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			break;
		pst_buf_consume(b, (size_t)n);
	}
	r->worker_is_full = r->pipe && b->len;
	stream_pause(r->display->stream, b->len > TO_WORKER_MAX / 2);
}

static void on_pipe(uv_poll_t *poll, int status, int events)
{
	struct relay *r = poll->data;

	if (status < 0)
		r->pipe->watched = 0;
	if (status < 0 || events & UV_READABLE)
		from_worker(r);
	if (r->pipe && events & UV_WRITABLE)
		to_worker(r);
	watch(r);
}

void relay_start(struct relay *r, struct display *d, int fd)
{
	r->display = d;
	r->pipe = calloc(1, sizeof(*r->pipe));
	if (!r->pipe) {
		close(fd);
		display_end(d, WS_CLOSE_FAILED, "The gateway is out of memory.", "La pasarela no tiene memoria.");
		return;
	}
	r->pipe->fd = fd;
	uv_poll_init(d->gate->loop, &r->pipe->poll, fd);
	r->pipe->poll.data = r;
	to_worker(r);
	watch(r);
}

void relay_stop(struct relay *r)
{
	r->is_stopped = true;
	pipe_close(r);
}

void relay_drain(struct relay *r)
{
	while (r->pipe && !r->is_stopped && read_worker(r))
		;
}

static void put_message(struct relay *r, const struct ws_event *ev)
{
	if (!ev->len)
		return;
	if (!r->display->is_rfb)
		pst_buf_put_be32(&r->to_worker, (uint32_t)ev->len);
	pst_buf_append(&r->to_worker, ev->data, ev->len);
}

static void on_client_close(struct relay *r, const struct ws_event *ev)
{
	display_end(r->display, WS_CLOSE_NORMAL, "", "");
}

static void pong(struct relay *r, const struct ws_event *ev)
{
	uint8_t head[WS_HEADER_MAX];
	struct stream *s = r->display->stream;

	/* One that the client does not fetch is left out: pongs may be merged (RFC 6455 §5.5.3). */
	if (stream_queued(s) > CLIENT_FULL)
		return;
	stream_write(s, head, ws_frame_header(head, WS_PONG, true, ev->len));
	stream_write(s, ev->data, ev->len);
	stream_flush(s);
}

static void on_client_event(struct relay *r, const struct ws_event *ev)
{
	if (ev->opcode == WS_CLOSE)
		on_client_close(r, ev);
	else if (ev->opcode == WS_PING)
		pong(r, ev);
	else if (ev->opcode == WS_BINARY)
		put_message(r, ev);
}

static void refuse(struct relay *r, int code)
{
	if (code == WS_CLOSE_TOO_BIG)
		display_end(r->display, code, "The message is longer than 65,536 bytes.", "El mensaje supera los 65 536 bytes.");
	else
		display_end(r->display, code, "The client broke the WebSocket protocol.", "El cliente ha incumplido el protocolo WebSocket.");
}

void relay_from_client(struct relay *r, const uint8_t *bytes, size_t len)
{
	while (len && !r->is_stopped) {
		struct ws_event ev;
		size_t used;
		int rc = ws_parser_feed(r->parser, bytes, len, &used, &ev);

		bytes += used;
		len -= used;
		if (rc == 1)
			on_client_event(r, &ev);
		if (rc < 0 || r->to_worker.failed) {
			refuse(r, rc < 0 ? -rc : WS_CLOSE_TOO_BIG);
			return;
		}
	}
	if (r->is_stopped)
		return;
	to_worker(r);
	watch(r);
}

void relay_client_ready(struct relay *r)
{
	if (!r->client_is_full)
		return;
	r->client_is_full = false;
	watch(r);
}
