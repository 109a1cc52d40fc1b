/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS 1.3 (and 1.2 where it is allowed) between our own processes: both sides show certificates of the installation's authority and are known by their URI
 * (puesto:agent:UUID, puesto:gateway:NAME, puesto:broker). A pipe carries the bytes of a TCP connection to a local stream socket, so
 * that whoever speaks over the latter knows nothing of TLS. Loop thread only.
 *
 *	connecting ──► handshake ──opened──► carrying ──► closed
 *	     └──────── deadline, refusal ────────────────────┘
 */
#pragma once

#include "base/tls.h"

#include <uv.h>

/* Whom we trust and who we are; shared by pipes. */
struct pst_tls_trust;

/* own NULL: we have no certificate yet. Returns owned, NULL with err. */
struct pst_tls_trust *pst_tls_trust_create(const char *ca_pem, const struct pst_tls_pair *own, struct pst_err *err);
struct pst_tls_trust *pst_tls_trust_ref(struct pst_tls_trust *t);
/* Pipes of it take TLS 1.2 besides, with ECDHE, ECDSA and AEAD only: Windows 10's own TLS has no 1.3. */
void pst_tls_trust_allow_12(struct pst_tls_trust *t);
/* Accepts NULL. */
void pst_tls_trust_unref(struct pst_tls_trust *t);

/* What the other side's certificate says; empty texts when it showed none. */
struct pst_tls_peer {
	char uri[96];
	char common_name[96];
};

struct pst_tls_pipe;

struct pst_tls_pipe_params {
	uv_loop_t *loop;
	struct pst_tls_trust *trust; /* shared */
	const char *peer;            /* its URI must be this, or begin with it where it ends with ':'. Copied */
	bool is_server, may_be_nameless;
	uint32_t deadline_ms;        /* up to opened */
};

struct pst_tls_pipe_events {
	/* The peer is who it should be. May be NULL. */
	void (*opened)(struct pst_tls_pipe *p, const struct pst_tls_peer *peer, void *arg);
	/* The end, once, unless pst_tls_pipe_close came first; was_open tells a refusal from a plain end. The pointer is dead afterwards. */
	void (*closed)(struct pst_tls_pipe *p, bool was_open, const char *reason, void *arg);
};

/*
 * Takes both descriptors, also on failure: net is a TCP socket that is connected or connecting, local a stream socket, or -1 when
 * opened will give one by pst_tls_pipe_join. Returns owned, NULL with err.
 */
struct pst_tls_pipe *pst_tls_pipe_create(const struct pst_tls_pipe_params *params, int net, int local, const struct pst_tls_pipe_events *events,
	void *arg, struct pst_err *err);

/* From opened: takes local. */
int pst_tls_pipe_join(struct pst_tls_pipe *p, int local);

/* Ends it without an event. Accepts NULL. */
void pst_tls_pipe_close(struct pst_tls_pipe *p);

/* A TCP socket that begins to connect to a numeric address: the descriptor (owned), or PST_E... */
int pst_tcp_dial(const char *address, uint16_t port, struct pst_err *err);
