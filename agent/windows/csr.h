/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PKCS#10 requests (RFC 2986) in DER: what is signed, and the whole of it. The key is elsewhere. Pure. */
#pragma once

#include "base/buf.h"

#include <stddef.h>

#define CSR_MAX 8192

/* All append to out; its `failed` tells. */

/* SubjectPublicKeyInfo of a P-256 key: x and y, 32 bytes each. */
void csr_p256_key(struct pst_buf *out, const uint8_t xy[64]);

/* CertificationRequestInfo for that common name. */
void csr_info(struct pst_buf *out, const char *name, const void *key, size_t key_len);

/* An ECDSA signature (RFC 3279, 2.2.3): r and s, 32 bytes each. */
void csr_ecdsa(struct pst_buf *out, const uint8_t rs[64]);

/* The request: info, the signature's AlgorithmIdentifier, the signature. */
void csr_whole(struct pst_buf *out, const struct pst_buf *info, const void *algorithm, size_t algorithm_len, const void *signature, size_t signature_len);
