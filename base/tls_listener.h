/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TCP port for TLS pipes: accepts, keeps ceilings, checks the other side's certificate, and hands out a local socket for each
 * connection that is who it should be. Loop thread only.
 */
#pragma once

#include "base/tls_pipe.h"

#define PST_TLS_HALF_OPEN_MAX 256      /* that have not shown who they are */
#define PST_TLS_HALF_OPEN_OF_ONE 16    /* of one address */
#define PST_TLS_REMOTE_SIZE 64

struct pst_tls_listener;

struct pst_tls_listener_params {
	uv_loop_t *loop;
	struct pst_tls_trust *trust; /* shared */
	const char *address;         /* "ADDRESS:PORT" or "[ADDRESS]:PORT", numeric */
	const char *peer;            /* as in pst_tls_pipe_params */
	bool may_be_nameless;
	size_t open_max;
};

/* Takes local. */
typedef void (*pst_tls_accept_cb)(int local, const struct pst_tls_peer *peer, const char *remote, void *arg);

/* Returns owned, NULL with err. */
struct pst_tls_listener *pst_tls_listen(const struct pst_tls_listener_params *params, pst_tls_accept_cb accepted, void *arg, struct pst_err *err);

/* For new connections: after a renewal. Shares trust. */
void pst_tls_listener_set_trust(struct pst_tls_listener *l, struct pst_tls_trust *trust);

/* Ends the port and all its connections. Accepts NULL. */
void pst_tls_listener_close(struct pst_tls_listener *l);

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" into its parts; PST_EINVAL. */
int pst_address_split(const char *text, char host[64], uint16_t *ret_port, struct pst_err *err);
