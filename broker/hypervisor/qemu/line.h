/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines over a unix socket with a deadline: QEMU's monitor and a machine's virtio-serial ports. Blocking; one
 * thread at a time. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct line_conn {
	int fd; /* -1: closed */
	struct pst_buf in;
};

/* Connects; max is a line's ceiling. PST_ECLOSED or PST_ENOTFOUND when nobody listens. End it with line_close
 * also after a failure. */
int line_open(struct line_conn *c, const char *path, size_t max, struct pst_err *err);
/* On a connected, non-blocking socket, which it takes. */
void line_open_fd(struct line_conn *c, int fd, size_t max);
void line_close(struct line_conn *c);

/* All of it, with a descriptor (-1 for none; stays the caller's), until the deadline of the monotonic clock.
 */
int line_send(
	struct line_conn *c, const void *data, size_t len, int fd, uint64_t deadline_ms, struct pst_err *err);

/* The next line without its end (returns owned, terminated). PST_ETIMEOUT, PST_ECLOSED, PST_EPROTO for one
 * that is too long. */
int line_receive(
	struct line_conn *c, uint64_t deadline_ms, char **ret_text, size_t *ret_len, struct pst_err *err);
