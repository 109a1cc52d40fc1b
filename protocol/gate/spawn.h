/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate's side of the spawner: starts workers, gets display links and the certificate files. Loop thread only. */
#pragma once

#include <jansson.h>
#include <sys/types.h>
#include <uv.h>

#include "protocol/gate/spawn_wire.h"

struct spawn;

struct spawn_events {
	void (*exited)(void *arg, uint32_t serial, int status); /* a worker ended; status as from waitpid */
	void (*lost)(void *arg);                                /* the spawner is gone: the gateway must end */
};

/* error is 0 or errno; fds (n_fds of them) are taken by the callee. pid is a worker's. */
typedef void (*spawn_done_cb)(void *arg, int error, pid_t pid, const int *fds, size_t n_fds);

/* Takes fd (SOCK_SEQPACKET). NULL without memory. */
struct spawn *spawn_create(uv_loop_t *loop, int fd, const struct spawn_events *ev, void *arg);
/* Pending requests are forgotten. Accepts NULL. */
void spawn_close(struct spawn *s);

/* Returns the worker's serial, 0 when nothing could be sent (no done then). The fds stay the caller's. */
uint32_t spawn_worker(struct spawn *s, enum spawn_front front, int ctl_fd, int client_fd, spawn_done_cb done, void *arg);
/* grant is the broker's: its desktop, and its endpoint when that is {"kind": "tls", "host", "port"}. Also 0 when it names none. */
uint32_t spawn_connect(struct spawn *s, const json_t *grant, spawn_done_cb done, void *arg);
uint32_t spawn_credentials(struct spawn *s, spawn_done_cb done, void *arg);
void spawn_kill(struct spawn *s, uint32_t serial);
/* Forgets a request whose owner ends: descriptors that still come are closed. */
void spawn_cancel(struct spawn *s, uint32_t serial);
