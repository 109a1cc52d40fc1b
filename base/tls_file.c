/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates on disk, and what can be read out of one. */
#include "base/tls_priv.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

#define DAY_S INT64_C(86400)

int pst_tls_pair_save(const struct pst_tls_pair *pair, const char *key_path, const char *cert_path,
	struct pst_err *err)
{
	if (pair->key_pem && key_path) {
		int rc = pst_file_write(key_path, pair->key_pem, strlen(pair->key_pem), 0600, err);
		if (rc < 0)
			return rc;
	}
	return pst_file_write(cert_path, pair->cert_pem, strlen(pair->cert_pem), 0644, err);
}

/* Compares public key ids: the same for a certificate and the key it was made for. */
static int check_belongs(const struct pst_tls_pair *pair, struct pst_err *err)
{
	uint8_t a[64], b[64];
	size_t a_len = sizeof(a), b_len = sizeof(b);
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	int rc = tls_cert_read(pair->cert_pem, &crt, err);

	if (rc < 0 || !pair->key_pem) {
		if (rc == 0)
			gnutls_x509_crt_deinit(crt);
		return rc;
	}
	rc = tls_key_read(pair->key_pem, &key, err);
	if (rc == 0) {
		if (gnutls_x509_crt_get_key_id(crt, 0, a, &a_len) < 0 ||
			gnutls_x509_privkey_get_key_id(key, 0, b, &b_len) < 0 || a_len != b_len ||
			memcmp(a, b, a_len) != 0)
			rc = pst_err_set(err, PST_EINVAL, "the key does not belong to the certificate");
		gnutls_x509_privkey_deinit(key);
	}
	gnutls_x509_crt_deinit(crt);
	return rc;
}

int pst_tls_pair_load(struct pst_tls_pair *ret_pair, const char *key_path, const char *cert_path,
	struct pst_err *err)
{
	struct pst_tls_pair pair = { 0 };
	size_t len;
	int rc = pst_file_read(cert_path, PST_TLS_PEM_MAX, &pair.cert_pem, &len, err);

	if (rc < 0)
		return rc;
	if (key_path)
		rc = pst_file_read(key_path, PST_TLS_PEM_MAX, &pair.key_pem, &len, err);
	if (rc == 0) {
		rc = check_belongs(&pair, err);
		if (rc < 0)
			pst_err_wrap(err, "%s", cert_path);
	}
	if (rc < 0)
		pst_tls_pair_finish(&pair);
	else
		*ret_pair = pair;
	return rc;
}

/* ---- does a certificate still do? -------------------------------------------- */

static bool has_dns(gnutls_x509_crt_t crt, const char *name)
{
	return gnutls_x509_crt_check_hostname(crt, name) != 0;
}

static bool has_ip(gnutls_x509_crt_t crt, const char *text)
{
	uint8_t bytes[16];
	unsigned len = tls_ip_bytes(text, bytes);

	return len && gnutls_x509_crt_check_ip(crt, bytes, len, 0) != 0;
}

static bool is_signed_by(gnutls_x509_crt_t crt, const char *ca_pem)
{
	unsigned status = 0;
	gnutls_x509_crt_t ca;

	if (tls_cert_read(ca_pem, &ca, NULL) < 0)
		return false;
	int rc = gnutls_x509_crt_verify(crt, &ca, 1,
		GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS, &status);
	gnutls_x509_crt_deinit(ca);
	return rc == 0 && status == 0;
}

static bool names_fit(gnutls_x509_crt_t crt, const struct pst_tls_request *r)
{
	for (size_t i = 0; r->dns && r->dns[i]; i++)
		if (!has_dns(crt, r->dns[i]))
			return false;
	for (size_t i = 0; r->ip && r->ip[i]; i++)
		if (!has_ip(crt, r->ip[i]))
			return false;
	return true;
}

static bool uri_of(gnutls_x509_crt_t crt, char *out, size_t out_size)
{
	for (unsigned i = 0; i < PST_TLS_NAMES_MAX; i++) {
		size_t len = out_size - 1;
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, out, &len, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (type == GNUTLS_SAN_URI) {
			out[len] = '\0';
			return strlen(out) == len; /* a NUL inside is a trick */
		}
	}
	return false;
}

bool pst_tls_cert_fits(const char *cert_pem, const char *ca_pem,
	const struct pst_tls_request *request, uint32_t left_days)
{
	int64_t now_s = request->now_ms / 1000;
	char uri[512];
	gnutls_x509_crt_t crt;

	if (tls_cert_read(cert_pem, &crt, NULL) < 0)
		return false;
	bool fits = gnutls_x509_crt_get_activation_time(crt) <= now_s &&
		gnutls_x509_crt_get_expiration_time(crt) >= now_s + (int64_t)left_days * DAY_S &&
		is_signed_by(crt, ca_pem) && names_fit(crt, request);
	if (fits && request->uri)
		fits = uri_of(crt, uri, sizeof(uri)) && strcmp(uri, request->uri) == 0;
	gnutls_x509_crt_deinit(crt);
	return fits;
}

/* ---- reading one ------------------------------------------------------------- */

static int uri_out(gnutls_x509_crt_t crt, char *out, size_t out_size, struct pst_err *err)
{
	PRE(out_size > 1);
	if (!uri_of(crt, out, out_size)) {
		out[0] = '\0';
		return pst_err_set(err, PST_ENOTFOUND, "the certificate carries no usable URI name");
	}
	return 0;
}

int pst_tls_cert_ends(const char *cert_pem, int64_t *ret_ms, struct pst_err *err)
{
	gnutls_x509_crt_t crt;
	int rc = tls_cert_read(cert_pem, &crt, err);

	if (rc < 0)
		return rc;
	*ret_ms = (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000;
	gnutls_x509_crt_deinit(crt);
	return 0;
}

int pst_tls_cert_uri(const char *cert_pem, char *out, size_t out_size, struct pst_err *err)
{
	gnutls_x509_crt_t crt;
	int rc = tls_cert_read(cert_pem, &crt, err);

	if (rc < 0)
		return rc;
	rc = uri_out(crt, out, out_size, err);
	gnutls_x509_crt_deinit(crt);
	return rc;
}

int pst_tls_der_uri(const void *der, size_t len, char *out, size_t out_size, struct pst_err *err)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)der, (unsigned)len };
	gnutls_x509_crt_t crt;

	if (len > PST_TLS_PEM_MAX)
		return pst_err_set(err, PST_ELIMIT, "certificate: longer than %d bytes", PST_TLS_PEM_MAX);
	int rc = gnutls_x509_crt_init(&crt);
	if (rc < 0)
		return tls_error(err, rc, "certificate");
	rc = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER);
	rc = rc < 0 ? tls_error(err, rc, "reading a certificate") : uri_out(crt, out, out_size, err);
	gnutls_x509_crt_deinit(crt);
	return rc;
}

int pst_tls_fingerprint(const char *cert_pem, char out[PST_TLS_FINGERPRINT_SIZE],
	struct pst_err *err)
{
	uint8_t digest[PST_SHA256_LEN];
	size_t len = sizeof(digest);
	gnutls_x509_crt_t crt;
	int rc = tls_cert_read(cert_pem, &crt, err);

	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len);
	gnutls_x509_crt_deinit(crt);
	if (rc < 0)
		return tls_error(err, rc, "fingerprint");

	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 3 * i, 4, i + 1 < sizeof(digest) ? "%02X:" : "%02X", digest[i]);
	return 0;
}
