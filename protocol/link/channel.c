/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A display link over a socket: frames out of a byte stream, a bounded output queue, descriptors at their
 * frame's first byte. */
#include "protocol/link/channel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#define FDS_MAX 4   /* descriptors that wait, each way */
#define READS_MAX 4 /* recvmsg calls in one loop turn: others get their share */
#define READ_SIZE (128 * 1024)
#define FLUSH_MS 1000

/* A descriptor leaves with the byte at this offset of the output queue. */
struct pending_fd {
	int fd;
	size_t at;
};

struct link_channel {
	uv_poll_t poll;
	int watched; /* events */
	struct pst_timer *timer;
	int fd;
	enum link_side side;
	const struct link_channel_events *events;
	void *arg;
	struct pst_buf in, out;
	size_t out_at; /* bytes of out that are written */
	struct pending_fd out_fds[FDS_MAX];
	int in_fds[FDS_MAX];
	uint8_t n_out_fds, n_in_fds;
	bool is_paused, is_closing, is_flushing, is_broken, is_delivering;
};

static void poll_update(struct link_channel *ch);

static enum link_side other_side(enum link_side side)
{
	return side == LINK_AGENT ? LINK_WORKER : LINK_AGENT;
}

static void channel_free(uv_handle_t *handle)
{
	struct link_channel *ch = handle->data;

	for (size_t i = 0; i < ch->n_out_fds; i++)
		close(ch->out_fds[i].fd);
	for (size_t i = 0; i < ch->n_in_fds; i++)
		close(ch->in_fds[i]);
	close(ch->fd);
	pst_buf_finish(&ch->in);
	pst_buf_finish(&ch->out);
	free(ch);
}

/* The end by itself: told once; the owner closes. A channel that only flushes has no owner any more. */
static void channel_break(struct link_channel *ch, int code, const char *reason)
{
	if (ch->is_broken || ch->is_closing)
		return;

	ch->is_broken = true;
	poll_update(ch);
	if (ch->is_flushing)
		link_channel_close(ch);
	else
		ch->events->closed(ch, code, reason, ch->arg);
}

/* How many bytes may go before the next descriptor's frame begins, and whether one goes with the first of
 * them. */
static size_t chunk_limit(const struct link_channel *ch, bool *ret_has_fd)
{
	size_t left = ch->out.len - ch->out_at;

	*ret_has_fd = ch->n_out_fds > 0 && ch->out_fds[0].at == ch->out_at;
	size_t next = *ret_has_fd ? 1 : 0;
	if (ch->n_out_fds > next)
		left = PST_MIN(left, ch->out_fds[next].at - ch->out_at);
	return left;
}

static void fd_sent(struct link_channel *ch)
{
	close(ch->out_fds[0].fd);
	ch->n_out_fds--;
	memmove(&ch->out_fds[0], &ch->out_fds[1], ch->n_out_fds * sizeof(ch->out_fds[0]));
}

/* Forgets written bytes once they are the larger part, so that memmove stays cheap. */
static void out_compact(struct link_channel *ch)
{
	if (ch->out_at < ch->out.len && ch->out_at < ch->out.len / 2)
		return;

	pst_buf_consume(&ch->out, ch->out_at);
	for (size_t i = 0; i < ch->n_out_fds; i++)
		ch->out_fds[i].at -= ch->out_at;
	ch->out_at = 0;
}

/* 0 when all is written or the socket is full; a negative code when it is dead. */
static int channel_write(struct link_channel *ch)
{
	while (ch->out_at < ch->out.len) {
		bool has_fd;
		size_t n = chunk_limit(ch, &has_fd);
		ssize_t sent = pst_fd_send(
			ch->fd, ch->out.data + ch->out_at, n, has_fd ? &ch->out_fds[0].fd : NULL, has_fd);
		if (sent == PST_EAGAIN)
			break;
		if (sent < 0)
			return (int)sent;
		if (has_fd)
			fd_sent(ch);
		ch->out_at += (size_t)sent;
	}
	out_compact(ch);
	return 0;
}

static int in_fd_take(struct link_channel *ch)
{
	if (ch->n_in_fds == 0)
		return -1;

	int fd = ch->in_fds[0];
	ch->n_in_fds--;
	memmove(&ch->in_fds[0], &ch->in_fds[1], ch->n_in_fds * sizeof(ch->in_fds[0]));
	return fd;
}

static bool channel_is_reading(const struct link_channel *ch)
{
	return !ch->is_paused && !ch->is_closing && !ch->is_flushing && !ch->is_broken;
}

/* Hands out whole frames until the bytes, the owner's patience or the channel ends. */
static void channel_deliver(struct link_channel *ch)
{
	struct link_message m;
	struct pst_err err = PST_ERR_INIT;
	size_t at = 0;

	ch->is_delivering = true;
	while (channel_is_reading(ch)) {
		long n = link_decode(ch->in.data + at, ch->in.len - at, other_side(ch->side), &m, &err);
		if (n == 0)
			break;
		if (n < 0) {
			channel_break(ch, (int)n, err.text);
			break;
		}
		int fd = m.type == LINK_SURFACE && (m.flags & LINK_FLAG_FD) ? in_fd_take(ch) : -1;
		ch->events->message(ch, &m, fd, ch->arg);
		at += (size_t)n;
	}
	ch->is_delivering = false;
	pst_buf_consume(&ch->in, at);
}

/* One recvmsg; false when there is no more for now. */
static bool channel_read_once(struct link_channel *ch)
{
	int fds[FDS_MAX];
	size_t n_fds = 0;
	uint8_t *room = pst_buf_reserve(&ch->in, READ_SIZE);
	if (!room) {
		channel_break(ch, PST_ENOMEM, "no memory for the display link's input");
		return false;
	}

	ssize_t n = pst_fd_recv(ch->fd, room, READ_SIZE, fds, FDS_MAX - ch->n_in_fds, &n_fds);
	if (n == PST_EAGAIN)
		return false;
	if (n <= 0) {
		channel_break(
			ch, n == 0 ? PST_ECLOSED : (int)n, "the display link was closed by the other side");
		return false;
	}

	pst_buf_commit(&ch->in, (size_t)n);
	for (size_t i = 0; i < n_fds; i++)
		ch->in_fds[ch->n_in_fds++] = fds[i];
	return (size_t)n == READ_SIZE;
}

static void channel_read(struct link_channel *ch)
{
	/* After a pause the buffer may be full of whole frames: they go first. */
	if (ch->in.len > 0)
		channel_deliver(ch);
	for (int i = 0; i < READS_MAX && channel_is_reading(ch); i++) {
		bool has_more = channel_read_once(ch);
		channel_deliver(ch);
		if (!has_more)
			break;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct link_channel *ch = poll->data;
	bool had_output = ch->out_at < ch->out.len;

	if (status < 0) {
		events = UV_READABLE;
		ch->watched = 0;
	}
	if (had_output) {
		int rc = channel_write(ch);
		if (rc < 0) {
			/* What the other side said last is still to be read. */
			if (!ch->is_flushing)
				channel_read(ch);
			channel_break(ch, rc, "the display link was closed by the other side");
			return;
		}
	}
	if (events & UV_READABLE)
		channel_read(ch);
	if (ch->is_closing || ch->is_broken)
		return;
	if (ch->is_flushing && ch->out.len == ch->out_at) {
		link_channel_close(ch);
		return;
	}
	poll_update(ch);
	if (had_output && ch->out.len == ch->out_at && ch->events->drained)
		ch->events->drained(ch, ch->arg);
}

static void poll_update(struct link_channel *ch)
{
	int events = 0;

	if (ch->is_closing)
		return;
	if (channel_is_reading(ch))
		events |= UV_READABLE;
	if (!ch->is_broken && ch->out_at < ch->out.len)
		events |= UV_WRITABLE;
	/* A paused or broken channel without output polls nothing: a hung-up socket would spin. */
	pst_poll_watch(&ch->poll, events, on_poll, &ch->watched);
}

struct link_channel *link_channel_create(uv_loop_t *loop, int fd, enum link_side side,
	const struct link_channel_events *events, void *arg, struct pst_err *err)
{
	struct link_channel *ch = pst_zalloc(1, sizeof(*ch));
	if (!ch) {
		close(fd);
		pst_err_set(err, PST_ENOMEM, "no memory for a display link");
		return NULL;
	}

	pst_fd_set_nonblock(fd, 1);
	int rc = uv_poll_init(loop, &ch->poll, fd);
	if (rc < 0) {
		pst_err_set(err, PST_EIO, "the display link's socket cannot be watched: %s", uv_strerror(rc));
		close(fd);
		free(ch);
		return NULL;
	}

	ch->poll.data = ch;
	ch->fd = fd;
	ch->side = side;
	ch->events = events;
	ch->arg = arg;
	ch->timer = pst_timer_create(loop);
	pst_buf_init(&ch->in, LINK_FRAME_MAX + READ_SIZE);
	pst_buf_init(&ch->out, LINK_QUEUE_MAX);
	poll_update(ch);
	return ch;
}

/* A failed write is noticed by the loop, which then tells the owner: never from inside a send. */
static void write_soon(struct link_channel *ch)
{
	channel_write(ch);
	poll_update(ch);
}

int link_channel_send(struct link_channel *ch, const struct link_message *m, int fd)
{
	if (ch->is_broken || ch->is_closing || ch->is_flushing)
		return PST_ECLOSED;
	if (fd >= 0 && ch->n_out_fds == FDS_MAX)
		return PST_ELIMIT;

	size_t start = ch->out.len;
	int rc = link_encode(&ch->out, m);
	if (rc < 0) {
		ch->out.len = start;
		ch->out.failed = false;
		return rc;
	}
	if (fd >= 0) {
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0) {
			ch->out.len = start;
			return PST_EIO;
		}
		ch->out_fds[ch->n_out_fds++] = (struct pending_fd){ copy, start };
	}
	write_soon(ch);
	return 0;
}

int link_channel_send_text(struct link_channel *ch, const char *utf8, size_t len)
{
	size_t pieces = len / LINK_CHUNK_MAX + 1;

	if (link_channel_queued(ch) + len + pieces * LINK_HEADER > LINK_QUEUE_MAX)
		return PST_ELIMIT;

	do {
		size_t n = PST_MIN(len, (size_t)LINK_CHUNK_MAX);
		struct link_message m = { .type = LINK_CLIPBOARD, .flags = n == len ? LINK_FLAG_LAST : 0 };
		m.clipboard.bytes = utf8;
		m.clipboard.len = n;
		int rc = link_channel_send(ch, &m, -1);
		if (rc < 0)
			return rc;
		utf8 += n;
		len -= n;
	} while (len > 0);
	return 0;
}

int link_channel_send_bye(struct link_channel *ch, int code, const char *reason)
{
	size_t n = strnlen(reason, LINK_REASON_MAX);

	while (n > 0 && !pst_utf8_valid(reason, n))
		n--;
	struct link_message m = { .type = LINK_BYE };
	m.bye.code = code;
	m.bye.reason = reason;
	m.bye.len = n;
	return link_channel_send(ch, &m, -1);
}

static void deliver_later(void *arg)
{
	struct link_channel *ch = arg;

	if (ch->is_paused || ch->is_broken || ch->is_delivering)
		return;
	channel_deliver(ch);
	poll_update(ch);
}

/* Frames that are already here need no further byte from the socket to be handed out. */
void link_channel_pause(struct link_channel *ch, bool is_paused)
{
	if (ch->is_paused == is_paused)
		return;

	ch->is_paused = is_paused;
	poll_update(ch);
	if (!is_paused && ch->timer && !ch->is_flushing)
		pst_timer_start(ch->timer, 0, deliver_later, ch);
}

size_t link_channel_queued(const struct link_channel *ch)
{
	return ch->out.len - ch->out_at;
}

void link_channel_close(struct link_channel *ch)
{
	if (!ch || ch->is_closing)
		return;

	ch->is_closing = true;
	pst_timer_destroy(ch->timer);
	ch->timer = NULL;
	uv_poll_stop(&ch->poll);
	uv_close((uv_handle_t *)&ch->poll, channel_free);
}

static void flush_timed_out(void *arg)
{
	link_channel_close(arg);
}

void link_channel_close_flush(struct link_channel *ch)
{
	if (!ch || ch->is_closing || ch->is_flushing)
		return;
	if (ch->is_broken || !ch->timer || link_channel_queued(ch) == 0) {
		link_channel_close(ch);
		return;
	}

	ch->is_flushing = true;
	ch->is_paused = false;
	pst_timer_start(ch->timer, FLUSH_MS, flush_timed_out, ch);
	poll_update(ch);
}
