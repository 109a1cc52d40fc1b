/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EC keys by CNG, of the account that runs this (SYSTEM), without the right to export them. */
#include "agent/windows/key.h"

#include <windows.h>

#include <ncrypt.h>
#include <wincrypt.h>

#include "agent/windows/csr.h"
#include "agent/windows/wide.h"
#include "base/hash.h"

#define COORDINATES 64 /* bytes: two numbers of P-256 */

static int cng_open(NCRYPT_PROV_HANDLE *ret, struct pst_err *err)
{
	SECURITY_STATUS rc = NCryptOpenStorageProvider(ret, MS_KEY_STORAGE_PROVIDER, 0);

	return rc == ERROR_SUCCESS ? 0 : wide_err(err, PST_EIO, (DWORD)rc, "the key store");
}

static int cng_make(const wchar_t *container, uintptr_t *ret_handle, struct pst_err *err)
{
	NCRYPT_PROV_HANDLE provider;
	NCRYPT_KEY_HANDLE key = 0;

	if (cng_open(&provider, err) < 0)
		return err->code;
	SECURITY_STATUS rc = NCryptCreatePersistedKey(provider, &key, NCRYPT_ECDSA_P256_ALGORITHM, container, 0, 0);
	if (rc == ERROR_SUCCESS)
		rc = NCryptFinalizeKey(key, NCRYPT_SILENT_FLAG);
	NCryptFreeObject(provider);
	if (rc == ERROR_SUCCESS) {
		*ret_handle = key;
		return 0;
	}
	if (key)
		NCryptFreeObject(key);
	return wide_err(err, PST_EIO, (DWORD)rc, "an EC key cannot be made");
}

static int cng_open_key(const wchar_t *container, uintptr_t *ret_handle, struct pst_err *err)
{
	NCRYPT_PROV_HANDLE provider;
	NCRYPT_KEY_HANDLE key;

	if (cng_open(&provider, err) < 0)
		return err->code;
	SECURITY_STATUS rc = NCryptOpenKey(provider, &key, container, 0, NCRYPT_SILENT_FLAG);
	NCryptFreeObject(provider);
	if (rc != ERROR_SUCCESS)
		return wide_err(err, PST_ENOTFOUND, (DWORD)rc, "the key is not there");
	*ret_handle = key;
	return 0;
}

static int cng_public_half(uintptr_t handle, struct pst_buf *out, struct pst_err *err)
{
	uint8_t blob[sizeof(BCRYPT_ECCKEY_BLOB) + COORDINATES];
	DWORD len = 0;
	SECURITY_STATUS rc = NCryptExportKey(handle, 0, BCRYPT_ECCPUBLIC_BLOB, NULL, blob, sizeof(blob), &len, 0);

	if (rc != ERROR_SUCCESS || len != sizeof(blob))
		return wide_err(err, PST_EIO, (DWORD)rc, "the key's public half");
	csr_p256_key(out, blob + sizeof(BCRYPT_ECCKEY_BLOB));
	return 0;
}

static int cng_sign(uintptr_t handle, const void *data, size_t len, struct pst_buf *out, struct pst_err *err)
{
	uint8_t digest[PST_SHA256_LEN], rs[COORDINATES];
	DWORD got = 0;

	pst_sha256(data, len, digest);
	SECURITY_STATUS rc = NCryptSignHash(handle, NULL, digest, sizeof(digest), rs, sizeof(rs), &got, NCRYPT_SILENT_FLAG);
	if (rc != ERROR_SUCCESS || got != sizeof(rs))
		return wide_err(err, PST_EIO, (DWORD)rc, "the certificate request cannot be signed");
	csr_ecdsa(out, rs);
	return 0;
}

static void cng_close(uintptr_t handle)
{
	NCryptFreeObject(handle);
}

static void cng_remove(const wchar_t *container)
{
	struct pst_err err = PST_ERR_INIT;
	uintptr_t key;

	if (cng_open_key(container, &key, &err) == 0)
		NCryptDeleteKey(key, NCRYPT_SILENT_FLAG); /* frees it, too */
}

const struct key_type key_cng = {
	.name = "ecdsa",
	.provider = MS_KEY_STORAGE_PROVIDER,
	.algorithm = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 }, /* ecdsa-with-SHA256 (RFC 5758) */
	.algorithm_len = 12,
	.make = cng_make,
	.open = cng_open_key,
	.public_half = cng_public_half,
	.sign = cng_sign,
	.close = cng_close,
	.remove = cng_remove,
};
