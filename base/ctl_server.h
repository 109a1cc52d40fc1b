/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listening unix socket that hands out control connections. Loop thread only. */
#pragma once

#include "base/ctl.h"

struct pst_ctl_server;

/*
 * A new connection, owned by the callee, which must pst_ctl_set_events (or pst_ctl_close)
 * before it returns. Its peer credentials are known already.
 */
typedef void (*pst_ctl_accept_cb)(struct pst_ctl *ctl, void *arg);

/*
 * Listens at path (its directory must exist; mode is the socket's). Connections above
 * max_connections are closed at once. Returns owned, NULL with err.
 */
struct pst_ctl_server *pst_ctl_listen(uv_loop_t *loop, const char *path, mode_t mode,
	size_t max_connections, pst_ctl_accept_cb on_accept, void *arg, struct pst_err *err);

/* Stops listening and removes the socket's name; connections live on. Accepts NULL. */
void pst_ctl_server_close(struct pst_ctl_server *server);

size_t pst_ctl_server_connections(const struct pst_ctl_server *server);
