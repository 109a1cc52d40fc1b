/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An agent's key and certificate: asked for, kept, read again, renewed in time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/identity.h"
#include "base/clock.h"
#include "base/file.h"

#define DAY_MS INT64_C(86400000)

Test(identity, test_a_certificate_is_asked_for_and_kept)
{
	char dir[64] = "/tmp/puesto-identity-XXXXXX", path[128];
	struct pst_tls_pair ca, signed_pair = { 0 };
	struct pst_err err = PST_ERR_INIT;
	int64_t now = pst_wall_ms();
	const struct pst_tls_request request = { .use = PST_TLS_BOTH, .common_name = "n", .uri = "puesto:agent:1", .days = 30, .now_ms = now };
	char *csr = NULL;
	struct stat st;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ca.pem", dir);
	cr_assert_null(identity_open(dir, path, &err));
	cr_assert_eq(pst_tls_ca_make("ca", now, &ca, &err), 0);
	cr_assert_eq(pst_file_write(path, ca.cert_pem, strlen(ca.cert_pem), 0644, &err), 0);

	struct identity *id = identity_open(dir, path, &err);
	cr_assert_not_null(id, "%s", err.text);
	cr_assert(!identity_has_cert(id) && !identity_is_due(id, now));
	cr_assert_eq(identity_take(id, "x", &err), PST_EPROTO);
	cr_assert_eq(identity_request(id, "desktop", &csr, &err), 0);
	cr_assert_eq(pst_tls_sign_csr(&ca, csr, &request, &signed_pair, &err), 0);
	cr_assert_eq(identity_take(id, signed_pair.cert_pem, &err), 0, "%s", err.text);
	cr_assert(identity_has_cert(id) && !identity_is_due(id, now + 19 * DAY_MS) && identity_is_due(id, now + 21 * DAY_MS));
	identity_close(id);

	snprintf(path, sizeof(path), "%s/tls.key", dir);
	cr_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	snprintf(path, sizeof(path), "%s/ca.pem", dir);
	id = identity_open(dir, path, &err);
	cr_assert(identity_has_cert(id));
	/* A certificate of another key is refused, and the present one stays. */
	free(csr);
	cr_assert_eq(identity_request(id, "desktop", &csr, &err), 0);
	cr_assert_lt(identity_take(id, signed_pair.cert_pem, &err), 0);
	cr_assert(identity_has_cert(id));
	identity_close(id);
	free(csr);
	pst_tls_pair_finish(&ca);
	pst_tls_pair_finish(&signed_pair);
}
