/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signs what an agent asks for. */
#include "broker/control/certify.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void certify_mark(const uint8_t key[32], char out[CERTIFY_MARK_SIZE])
{
	static const char what[] = "certificate";
	uint8_t mac[PST_SHA256_LEN];

	pst_hmac_sha256(key, 32, what, sizeof(what) - 1, mac);
	for (size_t i = 0; i < (CERTIFY_MARK_SIZE - 1) / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", mac[i]);
	pst_wipe(mac, sizeof(mac));
}

static int sign(const struct pst_tls_pair *ca, const char *csr_pem, const char *name, const char *uri, int64_t now_ms, struct pst_tls_pair *ret,
	struct pst_err *err)
{
	/* The agent dials the broker and is dialled by gateways. */
	const struct pst_tls_request request = { .use = PST_TLS_BOTH, .common_name = name, .uri = uri, .days = PST_TLS_AGENT_DAYS, .now_ms = now_ms };

	return pst_tls_sign_csr(ca, csr_pem, &request, ret, err);
}

int certify_check(const struct pst_tls_pair *ca, const char *csr_pem, struct pst_err *err)
{
	struct pst_tls_pair pair = { 0 };
	int rc = sign(ca, csr_pem, "nobody", NULL, pst_wall_ms(), &pair, err);

	pst_tls_pair_finish(&pair);
	return rc;
}

int certify_sign(const struct pst_tls_pair *ca, const char *csr_pem, const char *desktop, const uint8_t key[32], int64_t now_ms, char **ret_cert,
	struct pst_err *err)
{
	char mark[CERTIFY_MARK_SIZE], uri[64];
	struct pst_tls_pair pair = { 0 };
	int rc;

	certify_mark(key, mark);
	snprintf(uri, sizeof(uri), CERTIFY_URI "%s", desktop);
	rc = sign(ca, csr_pem, mark, uri, now_ms, &pair, err);
	if (rc == 0) {
		*ret_cert = pair.cert_pem;
		pair.cert_pem = NULL;
	}
	pst_tls_pair_finish(&pair);
	return rc;
}
