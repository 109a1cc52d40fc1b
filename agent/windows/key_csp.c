/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RSA keys by CryptoAPI's provider of 2001, of the account that runs this. */
#include "agent/windows/key.h"

#include <windows.h>

#include <wincrypt.h>

#include "agent/windows/csr.h"
#include "agent/windows/wide.h"

#define BITS 3072

static int csp_make(const wchar_t *container, uintptr_t *ret_handle, struct pst_err *err)
{
	HCRYPTPROV provider;
	HCRYPTKEY key;

	if (!CryptAcquireContextW(&provider, container, MS_ENH_RSA_AES_PROV_W, PROV_RSA_AES, CRYPT_NEWKEYSET | CRYPT_SILENT))
		return wide_err(err, PST_EIO, GetLastError(), "the key store");
	if (!CryptGenKey(provider, AT_KEYEXCHANGE, BITS << 16, &key)) {
		wide_err(err, PST_EIO, GetLastError(), "an RSA key cannot be made");
		CryptReleaseContext(provider, 0);
		return err->code;
	}
	CryptDestroyKey(key); /* the handle; the key is in its container */
	*ret_handle = provider;
	return 0;
}

static int csp_open(const wchar_t *container, uintptr_t *ret_handle, struct pst_err *err)
{
	HCRYPTPROV provider;

	if (!CryptAcquireContextW(&provider, container, MS_ENH_RSA_AES_PROV_W, PROV_RSA_AES, CRYPT_SILENT))
		return wide_err(err, PST_ENOTFOUND, GetLastError(), "the key is not there");
	*ret_handle = provider;
	return 0;
}

static int csp_public_half(uintptr_t handle, struct pst_buf *out, struct pst_err *err)
{
	uint8_t info[2048];
	DWORD len = sizeof(info), room = CSR_MAX;
	uint8_t *at = pst_buf_reserve(out, room);

	if (!at)
		return pst_err_set(err, PST_ENOMEM, "no memory for the key's public half");
	if (!CryptExportPublicKeyInfo(handle, AT_KEYEXCHANGE, X509_ASN_ENCODING, (CERT_PUBLIC_KEY_INFO *)(void *)info, &len) ||
		!CryptEncodeObject(X509_ASN_ENCODING, X509_PUBLIC_KEY_INFO, info, at, &room))
		return wide_err(err, PST_EIO, GetLastError(), "the key's public half");
	pst_buf_commit(out, room);
	return 0;
}

/* CryptoAPI writes numbers with their lowest byte first. */
static void reverse_append(struct pst_buf *out, const uint8_t *bytes, size_t n)
{
	while (n > 0)
		pst_buf_put_u8(out, bytes[--n]);
}

static int csp_sign(uintptr_t handle, const void *data, size_t len, struct pst_buf *out, struct pst_err *err)
{
	uint8_t signature[BITS / 8];
	DWORD n = sizeof(signature);
	HCRYPTHASH hash;
	int rc = 0;

	if (!CryptCreateHash(handle, CALG_SHA_256, 0, 0, &hash))
		return wide_err(err, PST_EIO, GetLastError(), "the certificate request cannot be signed");
	if (!CryptHashData(hash, data, (DWORD)len, 0) || !CryptSignHashW(hash, AT_KEYEXCHANGE, NULL, 0, signature, &n))
		rc = wide_err(err, PST_EIO, GetLastError(), "the certificate request cannot be signed");
	else
		reverse_append(out, signature, n);
	CryptDestroyHash(hash);
	return rc;
}

static void csp_close(uintptr_t handle)
{
	CryptReleaseContext(handle, 0);
}

static void csp_remove(const wchar_t *container)
{
	HCRYPTPROV provider;

	CryptAcquireContextW(&provider, container, MS_ENH_RSA_AES_PROV_W, PROV_RSA_AES, CRYPT_DELETEKEYSET | CRYPT_SILENT);
}

const struct key_type key_csp = {
	.name = "rsa",
	.provider = MS_ENH_RSA_AES_PROV_W,
	.provider_type = PROV_RSA_AES,
	.spec = AT_KEYEXCHANGE,
	.algorithm = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 }, /* sha256WithRSAEncryption (RFC 4055) */
	.algorithm_len = 15,
	.make = csp_make,
	.open = csp_open,
	.public_half = csp_public_half,
	.sign = csp_sign,
	.close = csp_close,
	.remove = csp_remove,
};
