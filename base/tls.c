/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The internal certificate authority: keys, certificates, requests. Files are in tls_file.c. */
#include "base/tls_priv.h"

#include "base/mem.h"
#include "base/secret.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

int tls_error(struct pst_err *err, int rc, const char *what)
{
	return pst_err_set(err, rc == GNUTLS_E_MEMORY_ERROR ? PST_ENOMEM : PST_EINVAL, "%s: %s", what,
		gnutls_strerror(rc));
}

void pst_tls_pair_finish(struct pst_tls_pair *pair)
{
	if (pair->key_pem)
		pst_wipe(pair->key_pem, strlen(pair->key_pem));
	free(pair->key_pem);
	free(pair->cert_pem);
	*pair = (struct pst_tls_pair){ 0 };
}

/* ---- PEM texts -------------------------------------------------------------- */

/* A GnuTLS datum as our own text; the datum is wiped and freed. */
int tls_text_take(gnutls_datum_t *d, char **ret_text, struct pst_err *err)
{
	char *text = pst_memdup(d->data, d->size);

	pst_wipe(d->data, d->size);
	gnutls_free(d->data);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "PEM text: out of memory");

	*ret_text = text;
	return 0;
}

int tls_cert_text(gnutls_x509_crt_t crt, char **ret_pem, struct pst_err *err)
{
	gnutls_datum_t d;
	int rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &d);

	return rc < 0 ? tls_error(err, rc, "writing a certificate") : tls_text_take(&d, ret_pem, err);
}

int tls_key_text(gnutls_x509_privkey_t key, char **ret_pem, struct pst_err *err)
{
	gnutls_datum_t d;
	int rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d);

	return rc < 0 ? tls_error(err, rc, "writing a key") : tls_text_take(&d, ret_pem, err);
}

int tls_cert_read(const char *pem, gnutls_x509_crt_t *ret_crt, struct pst_err *err)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };
	gnutls_x509_crt_t crt;
	int rc = gnutls_x509_crt_init(&crt);

	if (rc < 0)
		return tls_error(err, rc, "certificate");
	rc = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM);
	if (rc < 0) {
		gnutls_x509_crt_deinit(crt);
		return tls_error(err, rc, "reading a certificate");
	}

	*ret_crt = crt;
	return 0;
}

int tls_key_read(const char *pem, gnutls_x509_privkey_t *ret_key, struct pst_err *err)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };
	gnutls_x509_privkey_t key;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc < 0)
		return tls_error(err, rc, "key");
	rc = gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc < 0) {
		gnutls_x509_privkey_deinit(key);
		return tls_error(err, rc, "reading a key");
	}

	*ret_key = key;
	return 0;
}

int tls_key_make(gnutls_x509_privkey_t *ret_key, struct pst_err *err)
{
	gnutls_x509_privkey_t key;
	int rc = gnutls_x509_privkey_init(&key);

	if (rc < 0)
		return tls_error(err, rc, "key");
	rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc < 0) {
		gnutls_x509_privkey_deinit(key);
		return tls_error(err, rc, "making an ECDSA P-256 key");
	}

	*ret_key = key;
	return 0;
}

/* ---- certificates ----------------------------------------------------------- */

/* Serial, validity and key id: what every certificate has. */
static int set_basics(gnutls_x509_crt_t crt, int64_t now_ms, uint32_t days)
{
	uint8_t serial[16], id[20];
	size_t id_len = sizeof(id);
	int rc;

	pst_random(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x7f) | 0x40; /* a positive number of a fixed length */
	if ((rc = gnutls_x509_crt_set_version(crt, 3)) < 0 ||
		(rc = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial))) < 0 ||
		(rc = gnutls_x509_crt_set_activation_time(crt, (time_t)((now_ms - HOUR_MS) / 1000))) < 0 ||
		(rc = gnutls_x509_crt_set_expiration_time(crt,
			 (time_t)((now_ms + (int64_t)days * DAY_MS) / 1000))) < 0 ||
		(rc = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &id_len)) < 0)
		return rc;
	return gnutls_x509_crt_set_subject_key_id(crt, id, id_len);
}

static int set_common_name(gnutls_x509_crt_t crt, const char *name)
{
	return gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
		(unsigned)strlen(name));
}

static int fill_ca(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name, int64_t now_ms)
{
	int rc;

	if ((rc = gnutls_x509_crt_set_key(crt, key)) < 0 ||
		(rc = set_basics(crt, now_ms, PST_TLS_CA_DAYS)) < 0 ||
		(rc = set_common_name(crt, name)) < 0 ||
		(rc = gnutls_x509_crt_set_basic_constraints(crt, 1, 0)) < 0 ||
		(rc = gnutls_x509_crt_set_key_usage(crt,
			 GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)) < 0)
		return rc;
	return gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

int pst_tls_ca_make(const char *name, int64_t now_ms, struct pst_tls_pair *ret_ca,
	struct pst_err *err)
{
	struct pst_tls_pair ca = { 0 };
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	int rc = tls_key_make(&key, err);

	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_init(&crt);
	if (rc < 0) {
		gnutls_x509_privkey_deinit(key);
		return tls_error(err, rc, "certificate");
	}

	rc = fill_ca(crt, key, name, now_ms);
	if (rc < 0)
		rc = tls_error(err, rc, "making the certificate authority");
	if (rc == 0)
		rc = tls_key_text(key, &ca.key_pem, err);
	if (rc == 0)
		rc = tls_cert_text(crt, &ca.cert_pem, err);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	if (rc < 0)
		pst_tls_pair_finish(&ca);
	else
		*ret_ca = ca;
	return rc;
}

/* A textual address as the bytes that a certificate holds; their number, or 0. */
unsigned tls_ip_bytes(const char *text, uint8_t out[16])
{
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static int add_name(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type, const void *p, size_t n)
{
	return gnutls_x509_crt_set_subject_alt_name(crt, type, p, (unsigned)n, GNUTLS_FSAN_APPEND);
}

static int add_names(gnutls_x509_crt_t crt, const struct pst_tls_request *r)
{
	int rc = 0, n = 0;

	for (size_t i = 0; rc == 0 && r->dns && r->dns[i]; i++, n++)
		rc = add_name(crt, GNUTLS_SAN_DNSNAME, r->dns[i], strlen(r->dns[i]));
	for (size_t i = 0; rc == 0 && r->ip && r->ip[i]; i++, n++) {
		uint8_t bytes[16];
		unsigned len = tls_ip_bytes(r->ip[i], bytes);
		rc = len ? add_name(crt, GNUTLS_SAN_IPADDRESS, bytes, len) : GNUTLS_E_PARSING_ERROR;
	}
	if (rc == 0 && r->uri)
		rc = add_name(crt, GNUTLS_SAN_URI, r->uri, strlen(r->uri));
	return n > PST_TLS_NAMES_MAX ? GNUTLS_E_INVALID_REQUEST : rc;
}

static int set_usage(gnutls_x509_crt_t crt, enum pst_tls_use use)
{
	int rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);

	if (rc == 0)
		rc = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (rc == 0 && use != PST_TLS_CLIENT)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (rc == 0 && use != PST_TLS_SERVER)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	return rc;
}

static int set_authority(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca)
{
	uint8_t id[64];
	size_t id_len = sizeof(id);
	int rc = gnutls_x509_crt_get_subject_key_id(ca, id, &id_len, NULL);

	return rc < 0 ? rc : gnutls_x509_crt_set_authority_key_id(crt, id, id_len);
}

/* crt has its public key already. */
static int fill_and_sign(gnutls_x509_crt_t crt, const struct pst_tls_request *r,
	gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key)
{
	int rc;

	if ((rc = set_basics(crt, r->now_ms, r->days)) < 0 ||
		(rc = set_common_name(crt, r->common_name)) < 0 || (rc = add_names(crt, r)) < 0 ||
		(rc = set_usage(crt, r->use)) < 0 || (rc = set_authority(crt, ca)) < 0)
		return rc;
	return gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0);
}

int tls_sign(const struct pst_tls_pair *ca, gnutls_x509_crt_t crt,
	const struct pst_tls_request *request, struct pst_err *err)
{
	gnutls_x509_privkey_t ca_key;
	gnutls_x509_crt_t ca_crt;
	int rc = tls_cert_read(ca->cert_pem, &ca_crt, err);

	if (rc < 0)
		return rc;
	rc = tls_key_read(ca->key_pem, &ca_key, err);
	if (rc == 0) {
		rc = fill_and_sign(crt, request, ca_crt, ca_key);
		if (rc < 0)
			rc = tls_error(err, rc, request->common_name);
		gnutls_x509_privkey_deinit(ca_key);
	}
	gnutls_x509_crt_deinit(ca_crt);
	return rc;
}

int pst_tls_issue(const struct pst_tls_pair *ca, const struct pst_tls_request *request,
	struct pst_tls_pair *ret_pair, struct pst_err *err)
{
	struct pst_tls_pair pair = { 0 };
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	int rc = tls_key_make(&key, err);

	if (rc < 0)
		return rc;
	rc = gnutls_x509_crt_init(&crt);
	if (rc < 0) {
		gnutls_x509_privkey_deinit(key);
		return tls_error(err, rc, "certificate");
	}

	rc = gnutls_x509_crt_set_key(crt, key);
	rc = rc < 0 ? tls_error(err, rc, "certificate") : tls_sign(ca, crt, request, err);
	if (rc == 0)
		rc = tls_key_text(key, &pair.key_pem, err);
	if (rc == 0)
		rc = tls_cert_text(crt, &pair.cert_pem, err);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	if (rc < 0)
		pst_tls_pair_finish(&pair);
	else
		*ret_pair = pair;
	return rc;
}
