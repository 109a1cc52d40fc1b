/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digests and random bytes of base/hash.h that are used here, from CNG. */
#include "base/hash.h"

#include <windows.h>

#include <bcrypt.h>

#include "base/err.h"
#include "base/text.h"

void pst_sha256(const void *p, size_t n, uint8_t out[PST_SHA256_LEN])
{
	BCRYPT_ALG_HANDLE alg = NULL;
	BCRYPT_HASH_HANDLE hash = NULL;

	PRE(n <= ULONG_MAX);
	PRE(BCryptOpenAlgorithmProvider(&alg, BCRYPT_SHA256_ALGORITHM, NULL, 0) == 0);
	PRE(BCryptCreateHash(alg, &hash, NULL, 0, NULL, 0, 0) == 0);
	PRE(BCryptHashData(hash, (PUCHAR)(uintptr_t)p, (ULONG)n, 0) == 0);
	PRE(BCryptFinishHash(hash, out, PST_SHA256_LEN, 0) == 0);
	BCryptDestroyHash(hash);
	BCryptCloseAlgorithmProvider(alg, 0);
}

void pst_sha256_hex(const void *p, size_t n, char out[PST_SHA256_HEX_SIZE])
{
	uint8_t digest[PST_SHA256_LEN];

	pst_sha256(p, n, digest);
	pst_hex_encode(digest, sizeof(digest), out, PST_SHA256_HEX_SIZE);
}

void pst_random(void *out, size_t n)
{
	PRE(n <= ULONG_MAX && BCryptGenRandom(NULL, out, (ULONG)n, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0);
}
