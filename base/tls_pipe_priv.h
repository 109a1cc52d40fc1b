/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pipe and its credentials share. */
#pragma once

#include "base/tls_pipe.h"
#include "base/tls_priv.h"

#define TLS_HANDSHAKE_MAX 16384 /* bytes of one handshake message */

int tls_trust_session(struct pst_tls_trust *t, bool is_server, gnutls_session_t *ret, struct pst_err *err);

/* After the handshake: is it signed, in time, for this use, and of the wanted name? */
int tls_trust_check(gnutls_session_t s, bool is_server, bool may_be_nameless, const char *wanted, struct pst_tls_peer *ret, struct pst_err *err);
