/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests and random bytes from GnuTLS; it may only fail when misused or broken. */
#include "base/hash.h"

#include "base/err.h"
#include "base/secret.h"
#include "base/text.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

void pst_sha256(const void *p, size_t n, uint8_t out[PST_SHA256_LEN])
{
	int rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, p, n, out);
	PRE(rc == 0);
}

void pst_sha256_hex(const void *p, size_t n, char out[PST_SHA256_HEX_SIZE])
{
	uint8_t digest[PST_SHA256_LEN];

	pst_sha256(p, n, digest);
	pst_hex_encode(digest, sizeof(digest), out, PST_SHA256_HEX_SIZE);
}

void pst_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
	uint8_t out[PST_SHA256_LEN])
{
	int rc = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_len, p, n, out);
	PRE(rc == 0);
}

void pst_hmac_sha1(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[20])
{
	int rc = gnutls_hmac_fast(GNUTLS_MAC_SHA1, key, key_len, p, n, out);
	PRE(rc == 0);
}

void pst_random(void *out, size_t n)
{
	int rc = n ? gnutls_rnd(GNUTLS_RND_KEY, out, n) : 0;
	PRE(rc == 0);
}

void pst_token(char *out, size_t n)
{
	uint8_t bytes[PST_TOKEN_MAX];

	PRE(n <= PST_TOKEN_MAX);
	pst_random(bytes, n);
	pst_base64url_encode(bytes, n, out, PST_TOKEN_SIZE(n));
	pst_wipe(bytes, sizeof(bytes));
}
