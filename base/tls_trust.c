/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials of a TLS pipe, and the check of the other side's. */
#include "base/tls_pipe_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
				 ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1";

/* The same strength, of the version before. */
static const char priorities_12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM"
				    ":+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1";

struct pst_tls_trust {
	unsigned refs;
	bool allows_12;
	gnutls_certificate_credentials_t credentials;
};

static gnutls_datum_t datum(const char *pem)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };
}

static int fill(struct pst_tls_trust *t, const char *ca_pem, const struct pst_tls_pair *own)
{
	gnutls_datum_t ca = datum(ca_pem);
	int rc = gnutls_certificate_allocate_credentials(&t->credentials);

	if (rc >= 0)
		rc = gnutls_certificate_set_x509_trust_mem(t->credentials, &ca, GNUTLS_X509_FMT_PEM);
	if (rc == 0)
		rc = GNUTLS_E_NO_CERTIFICATE_FOUND;
	if (rc > 0 && own) {
		gnutls_datum_t cert = datum(own->cert_pem), key = datum(own->key_pem);

		rc = gnutls_certificate_set_x509_key_mem(t->credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	}
	return rc < 0 ? rc : 0;
}

struct pst_tls_trust *pst_tls_trust_create(const char *ca_pem, const struct pst_tls_pair *own, struct pst_err *err)
{
	struct pst_tls_trust *t = pst_zalloc(1, sizeof(*t));
	int rc = t ? fill(t, ca_pem, own) : GNUTLS_E_MEMORY_ERROR;

	if (rc < 0) {
		tls_error(err, rc, "the certificates for the agents' TLS cannot be used");
		if (t && t->credentials)
			gnutls_certificate_free_credentials(t->credentials);
		free(t);
		return NULL;
	}
	t->refs = 1;
	return t;
}

struct pst_tls_trust *pst_tls_trust_ref(struct pst_tls_trust *t)
{
	t->refs++;
	return t;
}

void pst_tls_trust_allow_12(struct pst_tls_trust *t)
{
	t->allows_12 = true;
}

void pst_tls_trust_unref(struct pst_tls_trust *t)
{
	if (!t || --t->refs > 0)
		return;

	gnutls_certificate_free_credentials(t->credentials);
	free(t);
}

int tls_trust_session(struct pst_tls_trust *t, bool is_server, gnutls_session_t *ret, struct pst_err *err)
{
	gnutls_session_t s = NULL;
	int rc = gnutls_init(&s, (is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);

	if (rc >= 0)
		rc = gnutls_priority_set_direct(s, t->allows_12 ? priorities_12 : priorities, NULL);
	if (rc >= 0)
		rc = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, t->credentials);
	if (rc < 0) {
		if (s)
			gnutls_deinit(s);
		return tls_error(err, rc, "a TLS session cannot be made");
	}
	if (is_server)
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
	gnutls_handshake_set_max_packet_length(s, TLS_HANDSHAKE_MAX);
	gnutls_handshake_set_timeout(s, 0);
	*ret = s;
	return 0;
}

/* ---- the other side ----------------------------------------------------------- */

static int verify(gnutls_session_t s, bool is_server, struct pst_err *err)
{
	const char *purpose = is_server ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st wanted = { GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(uintptr_t)purpose, 0 };
	unsigned status = 0;
	gnutls_datum_t words;
	int rc = gnutls_certificate_verify_peers(s, &wanted, 1, &status);

	if (rc < 0)
		return tls_error(err, rc, "its certificate");
	if (status == 0)
		return 0;
	rc = gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0);
	if (rc < 0)
		return pst_err_set(err, PST_EAUTH, "its certificate is not trusted");
	pst_err_set(err, PST_EAUTH, "its certificate: %s", (const char *)words.data);
	gnutls_free(words.data);
	return err->code;
}

static int read_names(const gnutls_datum_t *der, struct pst_tls_peer *ret, struct pst_err *err)
{
	gnutls_x509_crt_t crt;
	size_t len = sizeof(ret->common_name);
	int rc = gnutls_x509_crt_init(&crt);

	if (rc < 0)
		return tls_error(err, rc, "certificate");
	rc = gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER);
	if (rc >= 0)
		rc = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret->common_name, &len);
	gnutls_x509_crt_deinit(crt);
	if (rc < 0)
		return tls_error(err, rc, "its certificate's name");
	return pst_tls_der_uri(der->data, der->size, ret->uri, sizeof(ret->uri), err);
}

static bool name_fits(const char *uri, const char *wanted)
{
	size_t n = strlen(wanted);

	return n > 0 && wanted[n - 1] == ':' ? strncmp(uri, wanted, n) == 0 && uri[n] : strcmp(uri, wanted) == 0;
}

int tls_trust_check(gnutls_session_t s, bool is_server, bool may_be_nameless, const char *wanted, struct pst_tls_peer *ret, struct pst_err *err)
{
	unsigned count = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(s, &count);

	memset(ret, 0, sizeof(*ret));
	/* RFC 7627: keys that are bound to their handshake, so that nobody in between can make two connections have the same ones. 1.3 always has. */
	if (gnutls_protocol_get_version(s) == GNUTLS_TLS1_2 && !gnutls_session_ext_master_secret_status(s))
		return pst_err_set(err, PST_EAUTH, "its TLS 1.2 lacks the extended master secret");
	if (!certs || count == 0)
		return may_be_nameless ? 0 : pst_err_set(err, PST_EAUTH, "it showed no certificate");
	if (verify(s, is_server, err) < 0 || read_names(&certs[0], ret, err) < 0)
		return err->code;
	if (!name_fits(ret->uri, wanted))
		return pst_err_set(err, PST_EAUTH, "its certificate is of %s, not of %s", ret->uri, wanted);
	return 0;
}
