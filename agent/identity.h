/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who the agent is on a network: a key that is made here and never leaves (tls.key in the run folder), and the certificate that the
 * broker's authority gave for it (tls.pem, puesto:agent:UUID, 30 days, renewed 10 days before its end). Loop thread only.
 */
#pragma once

#include "base/tls_pipe.h"

#define IDENTITY_RENEW_DAYS 10

struct identity;

/* run: the folder. ca_path: the authority's certificate. A lost or foreign certificate is no error: the desktop enrols again. Returns owned. */
struct identity *identity_open(const char *run, const char *ca_path, struct pst_err *err);
void identity_close(struct identity *id);

/* Shared; ref it to keep it. Nameless until there is a certificate. */
struct pst_tls_trust *identity_trust(struct identity *id);

bool identity_has_cert(const struct identity *id);
/* Shall it be renewed at this wall clock? */
bool identity_is_due(const struct identity *id, int64_t now_ms);

/* A new key and a request for it (returns owned, free()); the key waits for its certificate. */
int identity_request(struct identity *id, const char *desktop, char **ret_csr, struct pst_err *err);
/* The answer: kept on disk, and used from now on. */
int identity_take(struct identity *id, const char *cert_pem, struct pst_err *err);
