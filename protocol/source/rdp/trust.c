/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server's certificate against the pin or the authority that an administrator gave. */
#include "protocol/source/rdp/trust.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define CHAIN_MAX 8

struct chain {
	gnutls_x509_crt_t certs[CHAIN_MAX];
	unsigned n;
};

static void chain_finish(struct chain *c)
{
	while (c->n > 0)
		gnutls_x509_crt_deinit(c->certs[--c->n]);
}

static int pin_check(const struct rdp_account *a, gnutls_x509_crt_t cert, struct pst_err *err)
{
	uint8_t seen[RDP_FINGERPRINT_LEN];
	char hex[2 * RDP_FINGERPRINT_LEN + 1];
	size_t size = sizeof(seen);

	if (gnutls_x509_crt_get_fingerprint(cert, GNUTLS_DIG_SHA256, seen, &size) < 0 || size != sizeof(seen))
		return pst_err_set(err, PST_EPROTO, "its certificate cannot be read");
	if (memcmp(seen, a->fingerprint, sizeof(seen)) == 0)
		return 0;
	pst_hex_encode(seen, sizeof(seen), hex, sizeof(hex));
	return pst_err_set(err, PST_EDENIED, "its certificate is not the one that was noted for it (now it has %s): if the machine was set up anew, an administrator notes the new one", hex);
}

static int authority_check(const struct rdp_account *a, const struct chain *c, struct pst_err *err)
{
	gnutls_datum_t ca = { (unsigned char *)a->ca, (unsigned)strlen(a->ca) };
	gnutls_x509_trust_list_t list;
	unsigned status = ~0u;
	int rc;

	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory to check its certificate");
	rc = gnutls_x509_trust_list_add_trust_mem(list, &ca, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (rc > 0)
		rc = gnutls_x509_trust_list_verify_crt(list, (gnutls_x509_crt_t *)(uintptr_t)c->certs, c->n, 0, &status, NULL);
	gnutls_x509_trust_list_deinit(list, 1);
	if (rc < 0 || status != 0)
		return pst_err_set(err, PST_EDENIED, "its certificate is not of the authority that was noted for it%s",
			status & GNUTLS_CERT_EXPIRED ? ", or has expired" : "");
	if (!gnutls_x509_crt_check_hostname(c->certs[0], a->name))
		return pst_err_set(err, PST_EDENIED, "its certificate is for another machine than %s", a->name);
	return 0;
}

int rdp_trust_check(const struct rdp_account *a, const char *pem, size_t len, struct pst_err *err)
{
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)pem, (unsigned)len };
	struct chain c = { .n = CHAIN_MAX };
	int rc;

	rc = gnutls_x509_crt_list_import(c.certs, &c.n, &data, GNUTLS_X509_FMT_PEM, 0);
	if (rc <= 0) {
		c.n = 0;
		return pst_err_set(err, PST_EPROTO, "its certificate cannot be read");
	}
	c.n = (unsigned)rc;
	rc = a->has_fingerprint ? pin_check(a, c.certs[0], err) : authority_check(a, &c, err);
	chain_finish(&c);
	return rc;
}
