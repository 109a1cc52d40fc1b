/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TLS connection's state in Schannel (SSPI): encrypted bytes in and out, no socket. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct schannel;

/* ca and cert as in tls_params; ca NULL: whoever answers is taken, for his certificate. Returns owned, NULL with err. */
struct schannel *schannel_create(const void *ca, const void *cert, const char *peer, struct pst_err *err);
void schannel_destroy(struct schannel *s);

bool schannel_is_open(const struct schannel *s);
const char *schannel_version(const struct schannel *s);
/* The SHA-256 of the other side's certificate, in hex; "" before it is open. */
const char *schannel_fingerprint(const struct schannel *s);

/* Takes what it can of cipher_in, adds what is to be sent to cipher_out and what was said to plain. PST_E… with a sentence: it is over. */
int schannel_step(struct schannel *s, struct pst_buf *cipher_in, struct pst_buf *cipher_out, struct pst_buf *plain, struct pst_err *err);

/* Seals at most *len bytes into a record; *len becomes how many. */
int schannel_seal(struct schannel *s, const void *data, size_t *len, struct pst_buf *cipher_out, struct pst_err *err);

/* The good-bye of TLS. */
int schannel_bye(struct schannel *s, struct pst_buf *cipher_out);
