/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A control connection: bytes in, bytes out, and its end. Calls are in ctl_call.c. */
#include "base/ctl_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_CHUNK (64 * 1024)
#define READS_PER_TURN 16 /* then the other handles of the loop have their turn */
#define FLUSH_MS 1000 /* without a byte taken by the peer */

static void poll_ready(uv_poll_t *poll, int status, int events);

/* ---- end ---------------------------------------------------------------- */

static void out_free(struct ctl_out *o)
{
	pst_fd_close(&o->fd);
	free(o);
}

static void handle_closed(uv_handle_t *handle)
{
	struct pst_ctl *ctl = handle->data;

	if (--ctl->open_handles > 0)
		return;

	while (ctl->out) {
		struct ctl_out *o = ctl->out;
		ctl->out = o->next;
		out_free(o);
	}
	if (ctl->on_freed)
		ctl->on_freed(ctl->on_freed_arg);
	pst_buf_finish(&ctl->in);
	free(ctl);
}

/* The poll handle goes first: libuv forgets the number before somebody else gets it. */
static void close_descriptors(struct pst_ctl *ctl)
{
	if (ctl->fd < 0)
		return;

	uv_close((uv_handle_t *)&ctl->poll, handle_closed);
	pst_fd_close(&ctl->fd);
	while (ctl->n_in_fds > 0)
		pst_fd_close(&ctl->in_fds[--ctl->n_in_fds]);
}

static void finish_now(uv_timer_t *timer)
{
	struct pst_ctl *ctl = pst_container_of(timer, struct pst_ctl, finish);

	ctl->state = CTL_ENDING;
	close_descriptors(ctl);
	ctl_calls_end(ctl);
	if (!ctl->is_silent) {
		ctl->is_silent = true;
		if (ctl->events && ctl->events->closed)
			ctl->events->closed(ctl, ctl->reason, ctl->arg);
	}
	ctl_calls_end(ctl); /* made by the callbacks above */
	ctl->state = CTL_DEAD;
	uv_close((uv_handle_t *)&ctl->finish, handle_closed);
	uv_close((uv_handle_t *)&ctl->timeouts, handle_closed);
}

void ctl_fail(struct pst_ctl *ctl, const char *reason)
{
	if (ctl->state >= CTL_ENDING)
		return;

	ctl->state = CTL_ENDING;
	pst_strlcpy(ctl->reason, sizeof(ctl->reason), reason);
	close_descriptors(ctl);
	uv_timer_stop(&ctl->timeouts);
	uv_timer_start(&ctl->finish, finish_now, 0, 0);
}

void pst_ctl_close(struct pst_ctl *ctl)
{
	if (!ctl)
		return;

	ctl->is_silent = true;
	ctl_fail(ctl, "closed here");
}

void pst_ctl_close_flush(struct pst_ctl *ctl)
{
	if (!ctl)
		return;
	if (ctl->state != CTL_OPEN || !ctl->out) {
		pst_ctl_close(ctl);
		return;
	}

	ctl->is_silent = true;
	ctl->state = CTL_FLUSHING;
	uv_poll_start(&ctl->poll, UV_WRITABLE | UV_DISCONNECT, poll_ready);
	uv_timer_start(&ctl->finish, finish_now, FLUSH_MS, 0);
}

/* ---- output ------------------------------------------------------------- */

/* Writes until the queue is empty or the socket is full. */
static int write_out(struct pst_ctl *ctl)
{
	while (ctl->out) {
		struct ctl_out *o = ctl->out;
		ssize_t sent = pst_fd_send(ctl->fd, o->bytes + o->at, o->len - o->at, &o->fd,
			o->fd >= 0 ? 1 : 0);

		if (sent < 0)
			return (int)sent;
		pst_fd_close(&o->fd);
		o->at += (size_t)sent;
		ctl->queued -= (size_t)sent;
		if (o->at < o->len)
			continue;

		ctl->out = o->next;
		if (!ctl->out)
			ctl->out_tail = &ctl->out;
		free(o);
	}
	return 0;
}

static void flush(struct pst_ctl *ctl)
{
	size_t before = ctl->queued;
	int rc = write_out(ctl);

	if (rc < 0 && rc != PST_EAGAIN) {
		ctl_fail(ctl, rc == PST_ECLOSED ? "the peer closed the connection" : "writing failed");
		return;
	}
	if (ctl->state == CTL_FLUSHING) {
		if (rc == 0)
			ctl_fail(ctl, "closed here");
		else if (ctl->queued < before)
			uv_timer_start(&ctl->finish, finish_now, FLUSH_MS, 0);
		return;
	}
	uv_poll_start(&ctl->poll, UV_READABLE | (rc == PST_EAGAIN ? UV_WRITABLE : 0), poll_ready);
}

static struct ctl_out *out_make(const json_t *msg, size_t frame_max, int *ret_code)
{
	size_t len = json_dumpb(msg, NULL, 0, JSON_COMPACT);

	*ret_code = PST_ELIMIT;
	if (len == 0 || len > frame_max)
		return NULL;

	struct ctl_out *o = malloc(sizeof(*o) + CTL_HEADER + len);
	*ret_code = PST_ENOMEM;
	if (!o)
		return NULL;

	*o = (struct ctl_out){ .len = CTL_HEADER + len, .fd = -1 };
	for (int i = 0; i < CTL_HEADER; i++)
		o->bytes[i] = (uint8_t)(len >> (8 * (CTL_HEADER - 1 - i)));
	json_dumpb(msg, (char *)o->bytes + CTL_HEADER, len, JSON_COMPACT);
	return o;
}

static int enqueue(struct pst_ctl *ctl, const json_t *msg, int fd)
{
	int rc;

	if (ctl->state != CTL_OPEN)
		return PST_ECLOSED;
	if (!json_is_object(msg))
		return PST_EINVAL;

	struct ctl_out *o = out_make(msg, ctl->frame_max, &rc);
	if (!o)
		return rc;
	if (fd >= 0) {
		o->bytes[0] |= CTL_HAS_FD >> 24;
		o->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (o->fd < 0) {
			out_free(o);
			return PST_EIO;
		}
	}
	if (ctl->queued + o->len > PST_CTL_QUEUE_MAX) {
		out_free(o);
		ctl_fail(ctl, "the peer does not read: its queue is full");
		return PST_ELIMIT;
	}

	bool was_empty = !ctl->out;
	*ctl->out_tail = o;
	ctl->out_tail = &o->next;
	ctl->queued += o->len;
	if (was_empty)
		flush(ctl);
	return 0;
}

int pst_ctl_send_fd(struct pst_ctl *ctl, json_t *msg, int fd)
{
	int rc = msg ? enqueue(ctl, msg, fd) : PST_ENOMEM;

	json_decref(msg);
	return rc;
}

int pst_ctl_send(struct pst_ctl *ctl, json_t *msg)
{
	return pst_ctl_send_fd(ctl, msg, -1);
}

/* ---- input -------------------------------------------------------------- */

static int claim_fd(struct pst_ctl *ctl)
{
	int fd = ctl->in_fds[0];

	ctl->n_in_fds--;
	memmove(ctl->in_fds, ctl->in_fds + 1, ctl->n_in_fds * sizeof(int));
	return fd;
}

static void deliver(struct pst_ctl *ctl, json_t *msg, bool has_fd)
{
	if (has_fd && ctl->n_in_fds == 0) {
		ctl_fail(ctl, "a message promised a descriptor that did not come");
		return;
	}

	int fd = has_fd ? claim_fd(ctl) : -1;
	if (json_object_get(msg, "re"))
		ctl_call_answer(ctl, msg, fd);
	else if (ctl->events && ctl->events->message)
		ctl->events->message(ctl, msg, fd, ctl->arg);
	else
		pst_fd_close(&fd);
}

/* Delivers every whole frame. A callback may close the connection, but not free it yet. */
static void take_frames(struct pst_ctl *ctl)
{
	size_t at = 0;

	while (ctl->state == CTL_OPEN && at < ctl->in.len) {
		struct pst_err err;
		json_t *msg;
		bool has_fd;
		long n = pst_ctl_frame_parse(ctl->in.data + at, ctl->in.len - at, ctl->frame_max, &msg,
			&has_fd, &err);

		if (n < 0)
			ctl_fail(ctl, err.text);
		if (n <= 0)
			break;
		at += (size_t)n;
		deliver(ctl, msg, has_fd);
		json_decref(msg);
	}
	pst_buf_consume(&ctl->in, at);
}

static ssize_t read_once(struct pst_ctl *ctl)
{
	size_t n_fds;
	uint8_t *to = pst_buf_reserve(&ctl->in, READ_CHUNK);

	if (!to)
		return PST_ENOMEM;

	ssize_t got = pst_fd_recv(ctl->fd, to, READ_CHUNK, ctl->in_fds + ctl->n_in_fds,
		PST_FD_MAX - ctl->n_in_fds, &n_fds);
	if (got > 0) {
		pst_buf_commit(&ctl->in, (size_t)got);
		ctl->n_in_fds += n_fds;
	}
	return got;
}

static const char *read_reason(ssize_t got)
{
	if (got == 0 || got == PST_ECLOSED)
		return "the peer closed the connection";
	if (got == PST_EPROTO)
		return "the peer sent more descriptors than messages";
	return got == PST_ENOMEM ? "out of memory" : "reading failed";
}

static void read_in(struct pst_ctl *ctl)
{
	for (int i = 0; i < READS_PER_TURN && ctl->state == CTL_OPEN; i++) {
		ssize_t got = read_once(ctl);

		if (got == PST_EAGAIN)
			return;
		if (got <= 0) {
			ctl_fail(ctl, read_reason(got));
			return;
		}
		take_frames(ctl);
		if (got < READ_CHUNK / 2)
			return;
	}
}

static void poll_ready(uv_poll_t *poll, int status, int events)
{
	struct pst_ctl *ctl = pst_container_of(poll, struct pst_ctl, poll);

	if (status < 0) {
		ctl_fail(ctl, uv_strerror(status));
		return;
	}
	if (ctl->state == CTL_FLUSHING && (events & UV_DISCONNECT)) {
		ctl_fail(ctl, "the peer closed the connection");
		return;
	}
	if ((events & UV_READABLE) && ctl->state == CTL_OPEN)
		read_in(ctl);
	if ((events & UV_WRITABLE) && ctl->state < CTL_ENDING)
		flush(ctl);
}

/* ---- making ------------------------------------------------------------- */

static void init_handles(struct pst_ctl *ctl)
{
	uv_timer_init(ctl->loop, &ctl->finish);
	uv_timer_init(ctl->loop, &ctl->timeouts);
	ctl->poll.data = ctl->finish.data = ctl->timeouts.data = ctl;
	ctl->open_handles = 3;
}

struct pst_ctl *pst_ctl_create(
	uv_loop_t *loop, int fd, const struct pst_ctl_events *events, void *arg)
{
	struct pst_ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		goto fail;
	ctl->loop = loop;
	ctl->fd = fd;
	ctl->events = events;
	ctl->arg = arg;
	ctl->out_tail = &ctl->out;
	pst_buf_init(&ctl->in, 0);
	pst_ctl_set_frame_max(ctl, PST_CTL_FRAME_MAX);
	if (pst_unix_peer(fd, &ctl->peer, NULL) < 0 || pst_fd_set_nonblock(fd, 1) < 0)
		goto fail;
	if (uv_poll_init(loop, &ctl->poll, fd) < 0)
		goto fail;

	init_handles(ctl);
	uv_poll_start(&ctl->poll, UV_READABLE, poll_ready);
	return ctl;
fail:
	free(ctl);
	pst_fd_close(&fd);
	return NULL;
}

void pst_ctl_set_events(struct pst_ctl *ctl, const struct pst_ctl_events *events, void *arg)
{
	ctl->events = events;
	ctl->arg = arg;
}

void pst_ctl_set_frame_max(struct pst_ctl *ctl, size_t bytes)
{
	PRE(bytes < CTL_HAS_FD && bytes <= PST_CTL_QUEUE_MAX / 2);
	ctl->frame_max = bytes;
	/* A whole frame can wait for its last byte while the next chunk comes in. */
	ctl->in.max = bytes + CTL_HEADER + 2 * READ_CHUNK;
}

const struct pst_peer *pst_ctl_peer(const struct pst_ctl *ctl)
{
	return &ctl->peer;
}

bool pst_ctl_is_closing(const struct pst_ctl *ctl)
{
	return ctl->state != CTL_OPEN;
}

size_t pst_ctl_queued(const struct pst_ctl *ctl)
{
	return ctl->queued;
}

void *pst_ctl_arg(const struct pst_ctl *ctl)
{
	return ctl->arg;
}
