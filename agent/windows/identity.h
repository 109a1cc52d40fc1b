/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who this machine is to the broker: a key in Windows' key store that cannot leave it, and the certificate that the broker's authority
 * gave for it (tls.pem, puesto:agent:UUID, 30 days, renewed 10 days before its end).
 */
#pragma once

#include "agent/windows/disk.h"
#include "agent/windows/key.h"

#include <stdint.h>

#define IDENTITY_RENEW_DAYS 10

struct identity;

/* A lost or foreign certificate is no error: the desktop enrols again. Borrows disk. Returns owned, NULL with err. */
struct identity *identity_open(const struct disk *disk, const struct key_type *type, struct pst_err *err);
void identity_close(struct identity *id);

/* Windows' handles (PCCERT_CONTEXT), borrowed until the next identity_take. cert: with its key, or NULL. */
const void *identity_ca(const struct identity *id);
const void *identity_cert(const struct identity *id);

bool identity_is_due(const struct identity *id, int64_t now_ms);

/* Makes the key for the next request in advance: an RSA key may take seconds, and a broker that has been dialled does not wait. */
int identity_prepare(struct identity *id, struct pst_err *err);
/* A new key and a request for it (returns owned, free()); the key waits for its certificate. */
int identity_request(struct identity *id, const char *desktop, char **ret_csr, struct pst_err *err);
/* Before a capture: removes the key that tls.pem names. */
void identity_forget(const struct disk *disk);
/* The answer: kept on disk, and used from now on. The key before it is removed. */
int identity_take(struct identity *id, const char *cert_pem, struct pst_err *err);
