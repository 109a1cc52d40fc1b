/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GnuTLS objects that the files tls*.c share. */
#pragma once

#include "base/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/* PST_EINVAL (or PST_ENOMEM) with "what: GnuTLS's words". */
int tls_error(struct pst_err *err, int rc, const char *what);

/* Returned objects are owned (deinit). */
int tls_cert_read(const char *pem, gnutls_x509_crt_t *ret_crt, struct pst_err *err);
int tls_key_read(const char *pem, gnutls_x509_privkey_t *ret_key, struct pst_err *err);
int tls_key_make(gnutls_x509_privkey_t *ret_key, struct pst_err *err);

/* PEM texts, owned; text_take also frees the datum. */
int tls_text_take(gnutls_datum_t *d, char **ret_text, struct pst_err *err);
int tls_cert_text(gnutls_x509_crt_t crt, char **ret_pem, struct pst_err *err);
int tls_key_text(gnutls_x509_privkey_t key, char **ret_pem, struct pst_err *err);

/* Fills and signs a certificate that has its public key already. */
int tls_sign(const struct pst_tls_pair *ca, gnutls_x509_crt_t crt,
	const struct pst_tls_request *request, struct pst_err *err);

/* A textual address as the bytes of a certificate: 4, 16, or 0 for none. */
unsigned tls_ip_bytes(const char *text, uint8_t out[16]);
