/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PKCS#10 requests: a key made where it is used, its certificate signed elsewhere. */
#include "base/tls_priv.h"

#include "base/secret.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>

/* A smaller or odd key in a request is refused: we know what our own agents make. */
static int check_request_key(gnutls_x509_crq_t crq, struct pst_err *err)
{
	unsigned bits = 0;
	int algorithm = gnutls_x509_crq_get_pk_algorithm(crq, &bits);

	/* RSA is for Windows' older key stores and TPMs without EC. */
	bool is_good = (algorithm == GNUTLS_PK_ECDSA && bits >= 256 && bits <= 521) || (algorithm == GNUTLS_PK_RSA && bits >= 3072 && bits <= 4096);
	if (!is_good)
		return pst_err_set(err, PST_EINVAL, "certificate request: an ECDSA key of 256 bits or an RSA key of 3072 is needed");
	int rc = gnutls_x509_crq_verify(crq, 0);
	return rc < 0 ? tls_error(err, rc, "certificate request: its signature is wrong") : 0;
}

static int crt_take_key(gnutls_x509_crt_t crt, gnutls_x509_crq_t crq)
{
	gnutls_pubkey_t key;
	int rc = gnutls_pubkey_init(&key);

	if (rc < 0)
		return rc;
	rc = gnutls_pubkey_import_x509_crq(key, crq, 0);
	if (rc == 0)
		rc = gnutls_x509_crt_set_pubkey(crt, key);
	gnutls_pubkey_deinit(key);
	return rc;
}

static int crq_read(const char *pem, gnutls_x509_crq_t *ret_crq, struct pst_err *err)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };
	gnutls_x509_crq_t crq;
	int rc = gnutls_x509_crq_init(&crq);

	if (rc < 0)
		return tls_error(err, rc, "certificate request");
	rc = gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_PEM);
	rc = rc < 0 ? tls_error(err, rc, "reading a certificate request") : check_request_key(crq, err);
	if (rc < 0) {
		gnutls_x509_crq_deinit(crq);
		return rc;
	}

	*ret_crq = crq;
	return 0;
}

int pst_tls_sign_csr(const struct pst_tls_pair *ca, const char *csr_pem,
	const struct pst_tls_request *request, struct pst_tls_pair *ret_pair, struct pst_err *err)
{
	struct pst_tls_pair pair = { 0 };
	gnutls_x509_crq_t crq = NULL;
	gnutls_x509_crt_t crt;
	int rc;

	if (strlen(csr_pem) > PST_TLS_PEM_MAX)
		return pst_err_set(err, PST_ELIMIT, "certificate request: too long");
	rc = crq_read(csr_pem, &crq, err);
	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_init(&crt);
	if (rc < 0) {
		gnutls_x509_crq_deinit(crq);
		return tls_error(err, rc, "certificate");
	}

	/* Only the key is taken: names in the request are the asker's wish, not the truth. */
	rc = crt_take_key(crt, crq);
	rc = rc < 0 ? tls_error(err, rc, "certificate request") : tls_sign(ca, crt, request, err);
	if (rc == 0)
		rc = tls_cert_text(crt, &pair.cert_pem, err);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crq_deinit(crq);
	if (rc == 0)
		*ret_pair = pair;
	return rc;
}

static int crq_fill(gnutls_x509_crq_t crq, gnutls_x509_privkey_t key, const char *name)
{
	int rc;

	if ((rc = gnutls_x509_crq_set_version(crq, 1)) < 0 ||
		(rc = gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, name,
			 (unsigned)strlen(name))) < 0 ||
		(rc = gnutls_x509_crq_set_key(crq, key)) < 0)
		return rc;
	return gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0);
}

static int crq_text(gnutls_x509_privkey_t key, const char *name, char **ret_pem, struct pst_err *err)
{
	gnutls_x509_crq_t crq;
	gnutls_datum_t d;
	int rc = gnutls_x509_crq_init(&crq);

	if (rc < 0)
		return tls_error(err, rc, "certificate request");
	rc = crq_fill(crq, key, name);
	if (rc == 0)
		rc = gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, &d);
	gnutls_x509_crq_deinit(crq);
	return rc < 0 ? tls_error(err, rc, "making a certificate request") : tls_text_take(&d, ret_pem, err);
}

int pst_tls_csr_make(const char *common_name, char **ret_key_pem, char **ret_csr_pem,
	struct pst_err *err)
{
	char *key_pem = NULL, *csr_pem = NULL;
	gnutls_x509_privkey_t key;
	int rc = tls_key_make(&key, err);

	if (rc < 0)
		return rc;
	rc = tls_key_text(key, &key_pem, err);
	if (rc == 0)
		rc = crq_text(key, common_name, &csr_pem, err);
	gnutls_x509_privkey_deinit(key);
	if (rc < 0) {
		if (key_pem)
			pst_wipe(key_pem, strlen(key_pem));
		free(key_pem);
		return rc;
	}

	*ret_key_pem = key_pem;
	*ret_csr_pem = csr_pem;
	return 0;
}
