/* SPDX-License-Identifier: GPL-3.0-or-later */
/* poll() and a buffer. */
#include "broker/hypervisor/qemu/line.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/unixsock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536

int line_open(struct line_conn *c, const char *path, size_t max, struct pst_err *err)
{
	pst_buf_init(&c->in, max + PIECE);
	c->fd = pst_unix_connect(path, err);
	return c->fd < 0 ? c->fd : 0;
}

void line_open_fd(struct line_conn *c, int fd, size_t max)
{
	pst_buf_init(&c->in, max + PIECE);
	c->fd = fd;
}

void line_close(struct line_conn *c)
{
	pst_fd_close(&c->fd);
	pst_buf_finish(&c->in);
}

static int ready_wait(struct line_conn *c, short events, uint64_t deadline_ms, struct pst_err *err)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	uint64_t now;

	if (c->fd < 0)
		return pst_err_set(err, PST_ECLOSED, "the connection is closed");
	while ((now = pst_mono_ms()) < deadline_ms) {
		int n = poll(&p, 1, (int)PST_MIN(deadline_ms - now, (uint64_t)60000));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "poll");
	}
	return pst_err_set(err, PST_ETIMEOUT, "it did not answer in time");
}

int line_send(
	struct line_conn *c, const void *data, size_t len, int fd, uint64_t deadline_ms, struct pst_err *err)
{
	for (size_t at = 0; at < len;) {
		int rc = ready_wait(c, POLLOUT, deadline_ms, err);
		if (rc < 0)
			return rc;
		ssize_t n = pst_fd_send(
			c->fd, (const char *)data + at, len - at, &fd, at == 0 && fd >= 0 ? 1 : 0);
		if (n < 0 && n != PST_EAGAIN)
			return pst_err_set(err, (int)n, "the connection ended");
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int line_take(struct line_conn *c, size_t from, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	const uint8_t *end = c->in.len > from ? memchr(c->in.data + from, '\n', c->in.len - from) : NULL;

	if (!end)
		return c->in.len + PIECE > c->in.max ? pst_err_set(err, PST_EPROTO, "it sent too long a line")
						     : PST_EAGAIN;
	size_t len = (size_t)(end - c->in.data);
	char *text = pst_zalloc(1, len + 1);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for a line of %zu bytes", len);
	memcpy(text, c->in.data, len);
	pst_buf_consume(&c->in, len + 1);
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int line_receive(
	struct line_conn *c, uint64_t deadline_ms, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	size_t seen = 0;
	int rc;

	while ((rc = line_take(c, seen, ret_text, ret_len, err)) == PST_EAGAIN) {
		seen = c->in.len;
		if (ready_wait(c, POLLIN, deadline_ms, err) < 0)
			return err->code;
		uint8_t *room = pst_buf_reserve(&c->in, PIECE);
		if (!room)
			return pst_err_set(err, PST_ENOMEM, "no memory for a line");
		ssize_t n = read(c->fd, room, PIECE);
		if (n > 0)
			pst_buf_commit(&c->in, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return pst_err_set(err, PST_ECLOSED, "the connection ended");
	}
	return rc;
}
