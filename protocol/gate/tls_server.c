/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared TLS state of the gate. */
#include "protocol/gate/tls_server.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HANDSHAKE_MAX 16384 /* bytes of one handshake message */

static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
				 ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"
				 ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1" /* clients guess X25519: no second hello */
				 ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:%SERVER_PRECEDENCE";

struct tls_server {
	unsigned refs;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
};

static void tls_server_destroy(struct tls_server *t)
{
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	if (t->ticket_key.data) {
		gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
		gnutls_free(t->ticket_key.data);
	}
	free(t);
}

struct tls_server *tls_server_create(const char *cert_pem, const char *key_pem, struct pst_err *err)
{
	gnutls_datum_t cert = { (unsigned char *)(uintptr_t)cert_pem, (unsigned)strlen(cert_pem) };
	gnutls_datum_t key = { (unsigned char *)(uintptr_t)key_pem, (unsigned)strlen(key_pem) };
	struct tls_server *t = calloc(1, sizeof(*t));
	int rc;

	if (!t) {
		pst_err_set(err, PST_ENOMEM, "no memory for the TLS state");
		return NULL;
	}
	t->refs = 1;
	rc = gnutls_certificate_allocate_credentials(&t->credentials);
	if (rc >= 0)
		rc = gnutls_certificate_set_x509_key_mem(t->credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_priority_init(&t->priority, priorities, NULL);
	if (rc >= 0)
		rc = gnutls_session_ticket_key_generate(&t->ticket_key);
	if (rc < 0) {
		pst_err_set(err, PST_EINVAL, "the server certificate and its key cannot be used: %s", gnutls_strerror(rc));
		tls_server_destroy(t);
		return NULL;
	}
	return t;
}

struct tls_server *tls_server_ref(struct tls_server *t)
{
	t->refs++;
	return t;
}

void tls_server_unref(struct tls_server *t)
{
	if (t && --t->refs == 0)
		tls_server_destroy(t);
}

int tls_server_session(struct tls_server *t, int fd, gnutls_session_t *ret, struct pst_err *err)
{
	gnutls_datum_t http = { (unsigned char *)(uintptr_t) "http/1.1", 8 };
	gnutls_session_t s = NULL;
	int rc = gnutls_init(&s, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	if (rc >= 0)
		rc = gnutls_priority_set(s, t->priority);
	if (rc >= 0)
		rc = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, t->credentials);
	if (rc >= 0)
		rc = gnutls_session_ticket_enable_server(s, &t->ticket_key);
	if (rc >= 0)
		rc = gnutls_alpn_set_protocols(s, &http, 1, 0);
	if (rc < 0) {
		if (s)
			gnutls_deinit(s);
		return pst_err_set(err, PST_EINTERNAL, "a TLS session cannot be made: %s", gnutls_strerror(rc));
	}
	gnutls_certificate_server_set_request(s, GNUTLS_CERT_IGNORE);
	gnutls_handshake_set_max_packet_length(s, HANDSHAKE_MAX);
	gnutls_handshake_set_timeout(s, 0);
	gnutls_transport_set_int(s, fd);
	*ret = s;
	return 0;
}
