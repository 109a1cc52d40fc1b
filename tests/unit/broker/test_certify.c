/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates of agents: their names are ours to say, and bound to the desktop's key. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/control/certify.h"

#define DESKTOP "11111111-2222-4333-8444-555555555555"

Test(certify, test_a_request_becomes_a_certificate_of_the_desktop)
{
	struct pst_tls_pair ca;
	struct pst_err err = PST_ERR_INIT;
	uint8_t key[32] = { 1 }, other[32] = { 2 };
	char *private = NULL, *csr = NULL, *cert = NULL, uri[96], mark[CERTIFY_MARK_SIZE], mark2[CERTIFY_MARK_SIZE];
	int64_t now = pst_wall_ms(), ends = 0;

	cr_assert_eq(pst_tls_ca_make("ca", now, &ca, &err), 0);
	cr_assert_eq(pst_tls_csr_make("puesto:gateway:evil", &private, &csr, &err), 0);
	cr_assert_eq(certify_check(&ca, csr, &err), 0);
	cr_assert_lt(certify_check(&ca, "nonsense", &err), 0);
	cr_assert_eq(certify_sign(&ca, csr, DESKTOP, key, now, &cert, &err), 0, "%s", err.text);
	cr_assert_eq(pst_tls_cert_uri(cert, uri, sizeof(uri), &err), 0);
	cr_assert_str_eq(uri, CERTIFY_URI DESKTOP);
	cr_assert_eq(pst_tls_cert_ends(cert, &ends, &err), 0);
	cr_assert_eq((ends - now + 43200000) / 86400000, PST_TLS_AGENT_DAYS);
	certify_mark(key, mark);
	certify_mark(other, mark2);
	cr_assert_eq(strlen(mark), CERTIFY_MARK_SIZE - 1);
	cr_assert_str_neq(mark, mark2);
	free(private);
	free(csr);
	free(cert);
	pst_tls_pair_finish(&ca);
}
