/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the gate's TLS connections share: certificate, key, priorities, session ticket key. Counted by reference, so that a new
 * certificate serves new connections while the old ones finish with theirs. Loop thread only.
 */
#pragma once

#include <gnutls/gnutls.h>

#include "base/err.h"

struct tls_server;

/* From PEM texts (borrowed for the call). Returns owned with one reference. */
struct tls_server *tls_server_create(const char *cert_pem, const char *key_pem, struct pst_err *err);
struct tls_server *tls_server_ref(struct tls_server *t);
/* Accepts NULL. */
void tls_server_unref(struct tls_server *t);

/* A server session on a non-blocking fd: TLS 1.2 and 1.3, ECDHE and AEAD only, ALPN http/1.1. */
int tls_server_session(struct tls_server *t, int fd, gnutls_session_t *ret, struct pst_err *err);
