/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 5280, 6.1 for a path of one certificate. */
#include "agent/windows/cert.h"

#include <windows.h>

#include <wincrypt.h>

#include <stdlib.h>
#include <string.h>

#include "agent/windows/pem.h"
#include "agent/windows/wide.h"
#include "base/mem.h"

#define DER_MAX (64u << 10)
#define URI_MAX 128
#define FILETIME_1970 INT64_C(116444736000000000) /* in units of 100 ns since 1601 */

const void *cert_from_pem(const char *pem, struct pst_err *err)
{
	struct pst_buf der;
	PCCERT_CONTEXT cert = NULL;

	pst_buf_init(&der, DER_MAX);
	if (pem_read(pem, "CERTIFICATE", &der, err) == 0) {
		cert = CertCreateCertificateContext(X509_ASN_ENCODING, der.data, (DWORD)der.len);
		if (!cert)
			wide_err(err, PST_EINVAL, GetLastError(), "the certificate is malformed");
	}
	pst_buf_finish(&der);
	return cert;
}

void cert_free(const void *cert)
{
	if (cert)
		CertFreeCertificateContext(cert);
}

int64_t cert_ends_ms(const void *cert)
{
	const FILETIME *t = &((PCCERT_CONTEXT)cert)->pCertInfo->NotAfter;

	return (((int64_t)t->dwHighDateTime << 32 | t->dwLowDateTime) - FILETIME_1970) / 10000;
}

/* Returns owned (LocalFree), or NULL: it has no such extension, or a malformed one. */
static void *extension(PCCERT_CONTEXT cert, const char *oid, const char *type)
{
	PCERT_EXTENSION e = CertFindExtension(oid, cert->pCertInfo->cExtension, cert->pCertInfo->rgExtension);
	void *out = NULL;
	DWORD size;

	if (e)
		CryptDecodeObjectEx(X509_ASN_ENCODING, type, e->Value.pbData, e->Value.cbData, CRYPT_DECODE_ALLOC_FLAG, NULL, &out, &size);
	return out;
}

static bool is_for_servers(PCCERT_CONTEXT cert)
{
	CERT_ENHKEY_USAGE *usage = extension(cert, szOID_ENHANCED_KEY_USAGE, X509_ENHANCED_KEY_USAGE);
	bool is_found = false;

	for (DWORD i = 0; usage && i < usage->cUsageIdentifier; i++)
		is_found |= strcmp(usage->rgpszUsageIdentifier[i], szOID_PKIX_KP_SERVER_AUTH) == 0;
	LocalFree(usage);
	return is_found;
}

static bool has_uri(PCCERT_CONTEXT cert, const char *wanted)
{
	CERT_ALT_NAME_INFO *names = extension(cert, szOID_SUBJECT_ALT_NAME2, X509_ALTERNATE_NAME);
	bool is_found = false;
	char uri[URI_MAX];

	for (DWORD i = 0; names && i < names->cAltEntry; i++) {
		if (names->rgAltEntry[i].dwAltNameChoice == CERT_ALT_NAME_URL)
			is_found |= strcmp(wide_to(names->rgAltEntry[i].pwszURL, uri, sizeof(uri)), wanted) == 0;
	}
	LocalFree(names);
	return is_found;
}

/* Extensions that are marked critical and that nobody here knows make a certificate useless (4.2). */
static bool has_unknown_critical(PCCERT_CONTEXT cert)
{
	static const char *const known[] = { szOID_KEY_USAGE, szOID_ENHANCED_KEY_USAGE, szOID_SUBJECT_ALT_NAME2, szOID_BASIC_CONSTRAINTS2 };

	for (DWORD i = 0; i < cert->pCertInfo->cExtension; i++) {
		const CERT_EXTENSION *e = &cert->pCertInfo->rgExtension[i];
		bool is_known = !e->fCritical;

		for (size_t k = 0; k < PST_ARRAY_LEN(known); k++)
			is_known |= strcmp(e->pszObjId, known[k]) == 0;
		if (!is_known)
			return true;
	}
	return false;
}

static bool is_signed_by(PCCERT_CONTEXT cert, PCCERT_CONTEXT ca)
{
	return CertCompareCertificateName(X509_ASN_ENCODING, &cert->pCertInfo->Issuer, &ca->pCertInfo->Subject) &&
	       CryptVerifyCertificateSignatureEx(0, X509_ASN_ENCODING, CRYPT_VERIFY_CERT_SIGN_SUBJECT_CERT, (void *)(uintptr_t)cert,
		       CRYPT_VERIFY_CERT_SIGN_ISSUER_CERT, (void *)(uintptr_t)ca, 0, NULL);
}

int cert_check_server(const void *cert, const void *ca, const char *uri, struct pst_err *err)
{
	PCCERT_CONTEXT c = cert, a = ca;

	if (!is_signed_by(c, a))
		return pst_err_set(err, PST_EAUTH, "its certificate is not of this installation's authority");
	if (CertVerifyTimeValidity(NULL, c->pCertInfo) != 0 || CertVerifyTimeValidity(NULL, a->pCertInfo) != 0)
		return pst_err_set(err, PST_EAUTH, "its certificate, or the authority's, is not valid at this machine's time");
	if (!is_for_servers(c) || has_unknown_critical(c))
		return pst_err_set(err, PST_EAUTH, "its certificate is not for this use");
	if (!has_uri(c, uri))
		return pst_err_set(err, PST_EAUTH, "its certificate is not of %s", uri);
	return 0;
}
