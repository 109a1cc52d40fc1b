/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The internal certificate authority (ECDSA P-256, GnuTLS) and what the processes need to
 * trust each other. Keys and certificates are PEM texts. Any thread.
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PST_TLS_CA_DAYS 3650
#define PST_TLS_SERVER_DAYS 397
#define PST_TLS_AGENT_DAYS 30
#define PST_TLS_NAMES_MAX 32
#define PST_TLS_PEM_MAX (64 * 1024)
#define PST_TLS_FINGERPRINT_SIZE 96 /* "AA:BB:..." of SHA-256 and a zero */

/* Who may use a certificate for what. */
enum pst_tls_use {
	PST_TLS_SERVER, /* serverAuth; DNS and IP names */
	PST_TLS_CLIENT, /* clientAuth; a URI such as puesto:agent:UUID */
	PST_TLS_BOTH,
};

/* A key with its certificate. The texts are owned; finish wipes them. */
struct pst_tls_pair {
	char *key_pem; /* NULL where only the certificate is known */
	char *cert_pem;
};

struct pst_tls_request {
	enum pst_tls_use use;
	const char *common_name;
	const char *const *dns; /* ends with NULL, or NULL */
	const char *const *ip;  /* textual addresses, ends with NULL, or NULL */
	const char *uri;        /* or NULL */
	uint32_t days;
	int64_t now_ms; /* wall clock; validity begins one hour before */
};

void pst_tls_pair_finish(struct pst_tls_pair *pair);

/* A new self-signed CA. */
int pst_tls_ca_make(const char *name, int64_t now_ms, struct pst_tls_pair *ret_ca,
	struct pst_err *err);

/* A new key and a certificate for it, signed by ca. */
int pst_tls_issue(const struct pst_tls_pair *ca, const struct pst_tls_request *request,
	struct pst_tls_pair *ret_pair, struct pst_err *err);

/* A certificate for the key of a PKCS#10 request (PEM); names come from request alone. */
int pst_tls_sign_csr(const struct pst_tls_pair *ca, const char *csr_pem,
	const struct pst_tls_request *request, struct pst_tls_pair *ret_pair, struct pst_err *err);

/* A new key and a PKCS#10 request for it (returns owned texts, free()). */
int pst_tls_csr_make(const char *common_name, char **ret_key_pem, char **ret_csr_pem,
	struct pst_err *err);

/* key (0600) and cert (0644) are written to a new file, synced and renamed into place. */
int pst_tls_pair_save(const struct pst_tls_pair *pair, const char *key_path, const char *cert_path,
	struct pst_err *err);

/* key_path may be NULL. The key must belong to the certificate. */
int pst_tls_pair_load(struct pst_tls_pair *ret_pair, const char *key_path, const char *cert_path,
	struct pst_err *err);

/* True when cert was signed by ca and covers every name of request at now and for at
 * least left_days more. */
bool pst_tls_cert_fits(const char *cert_pem, const char *ca_pem,
	const struct pst_tls_request *request, uint32_t left_days);

/* When its validity ends, wall clock ms. */
int pst_tls_cert_ends(const char *cert_pem, int64_t *ret_ms, struct pst_err *err);

/* First SAN of type URI; PST_ENOTFOUND without one. */
int pst_tls_cert_uri(const char *cert_pem, char *out, size_t out_size, struct pst_err *err);

/* Same, from a DER certificate as a TLS library hands it over. */
int pst_tls_der_uri(const void *der, size_t len, char *out, size_t out_size, struct pst_err *err);

/* SHA-256 over the DER form, as upper-case hex pairs with colons. */
int pst_tls_fingerprint(const char *cert_pem, char out[PST_TLS_FINGERPRINT_SIZE],
	struct pst_err *err);
