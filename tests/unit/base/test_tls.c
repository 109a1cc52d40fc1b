/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The internal certificate authority: what it signs, and what it refuses.
 * Covers: base/tls_csr.c base/tls_file.c */
#include "base/tls.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/base/util.h"

#include <sys/stat.h>

#define DAY_MS INT64_C(86400000)

static struct pst_tls_pair ca_of(int64_t now)
{
	struct pst_tls_pair ca;
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(pst_tls_ca_make("Test CA", now, &ca, &err), 0, "%s", err.text);
	return ca;
}

Test(tls, issues_a_server_certificate_that_fits_its_names)
{
	static const char *const dns[] = { "localhost", "desk.example", NULL };
	static const char *const other[] = { "localhost", "else.example", NULL };
	static const char *const ip[] = { "127.0.0.1", "::1", NULL };
	static const char *const other_ip[] = { "127.0.0.2", NULL };
	int64_t now = pst_wall_ms();
	struct pst_tls_pair ca = ca_of(now), foreign = ca_of(now), pair;
	struct pst_tls_request r = { .use = PST_TLS_SERVER, .common_name = "localhost", .dns = dns, .ip = ip,
		.days = 60, .now_ms = now };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(pst_tls_issue(&ca, &r, &pair, &err), 0, "%s", err.text);
	cr_assert(pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &r, 30));
	cr_assert(!pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &r, 61));
	cr_assert(!pst_tls_cert_fits(pair.cert_pem, foreign.cert_pem, &r, 30));
	cr_assert(!pst_tls_cert_fits("nonsense", ca.cert_pem, &r, 30));
	struct pst_tls_request q = r;
	q.dns = other;
	cr_assert(!pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &q, 30));
	q = r;
	q.ip = other_ip;
	cr_assert(!pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &q, 30));
	q = r;
	q.now_ms += 40 * DAY_MS;
	cr_assert(!pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &q, 30));
	q.now_ms = now - DAY_MS;
	cr_assert(!pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &q, 30));

	char uri[64], print[PST_TLS_FINGERPRINT_SIZE];
	cr_assert_eq(pst_tls_cert_uri(pair.cert_pem, uri, sizeof(uri), &err), PST_ENOTFOUND);
	cr_assert_eq(pst_tls_fingerprint(pair.cert_pem, print, &err), 0);
	cr_assert_eq(strlen(print), 95);
	pst_tls_pair_finish(&pair);
	pst_tls_pair_finish(&pair);
	pst_tls_pair_finish(&foreign);
	pst_tls_pair_finish(&ca);
}

Test(tls, signs_an_agents_request_with_our_names_only)
{
	static const char uri[] = "puesto:agent:00000000-0000-4000-8000-000000000001";
	int64_t now = pst_wall_ms();
	struct pst_tls_pair ca = ca_of(now), pair;
	struct pst_tls_request r = { .use = PST_TLS_CLIENT, .common_name = "agent", .uri = uri,
		.days = PST_TLS_AGENT_DAYS, .now_ms = now };
	struct pst_err err = PST_ERR_INIT;
	char *key, *csr, out[128];

	cr_assert_eq(pst_tls_csr_make("i am root", &key, &csr, &err), 0, "%s", err.text);
	cr_assert_eq(pst_tls_sign_csr(&ca, csr, &r, &pair, &err), 0, "%s", err.text);
	cr_assert_null(pair.key_pem);
	cr_assert_eq(pst_tls_cert_uri(pair.cert_pem, out, sizeof(out), &err), 0);
	cr_assert_str_eq(out, uri);
	cr_assert(pst_tls_cert_fits(pair.cert_pem, ca.cert_pem, &r, 1));
	cr_assert_eq(pst_tls_cert_uri(pair.cert_pem, out, 10, &err), PST_ENOTFOUND);
	cr_assert_eq(pst_tls_der_uri("garbage", 7, out, sizeof(out), &err), PST_EINVAL);
	cr_assert_eq(pst_tls_der_uri("x", PST_TLS_PEM_MAX + 1, out, sizeof(out), &err), PST_ELIMIT);

	/* One changed character breaks the request's own signature or its form. */
	char *middle = csr + strlen(csr) / 2;
	*middle = *middle == 'A' ? 'B' : 'A';
	struct pst_tls_pair none = { 0 };
	cr_assert_eq(pst_tls_sign_csr(&ca, csr, &r, &none, &err), PST_EINVAL);
	cr_assert_eq(pst_tls_sign_csr(&ca, "junk", &r, &none, &err), PST_EINVAL);
	free(key);
	free(csr);
	pst_tls_pair_finish(&pair);
	pst_tls_pair_finish(&ca);
}

Test(tls, saves_keys_for_their_owner_only_and_checks_them_at_load)
{
	static const char *const bad_ip[] = { "not an address", NULL };
	struct pst_tls_pair a = ca_of(pst_wall_ms()), b = ca_of(pst_wall_ms()), c;
	struct pst_err err = PST_ERR_INIT;
	char dir[64], key[96], cert[96];
	struct stat st;

	temp_dir_make(dir);
	snprintf(key, sizeof(key), "%s/k.key", dir);
	snprintf(cert, sizeof(cert), "%s/c.pem", dir);
	cr_assert_eq(pst_tls_pair_load(&c, key, cert, &err), PST_ENOTFOUND);
	cr_assert_eq(pst_tls_pair_save(&a, key, cert, &err), 0);
	cr_assert_eq(stat(key, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(pst_tls_pair_load(&c, key, cert, &err), 0, "%s", err.text);
	cr_assert_str_eq(c.cert_pem, a.cert_pem);
	pst_tls_pair_finish(&c);
	cr_assert_eq(pst_tls_pair_load(&c, NULL, cert, &err), 0);
	pst_tls_pair_finish(&c);
	cr_assert_eq(pst_tls_pair_save(&b, key, "/dev/null/x", &err), PST_EIO);
	cr_assert_eq(pst_tls_pair_load(&c, key, cert, &err), PST_EINVAL);
	cr_assert(strstr(err.text, "does not belong"));

	struct pst_tls_request r = { .common_name = "x", .ip = bad_ip, .days = 1, .now_ms = pst_wall_ms() };
	cr_assert_eq(pst_tls_issue(&a, &r, &c, &err), PST_EINVAL);
	temp_dir_remove(dir);
	pst_tls_pair_finish(&a);
	pst_tls_pair_finish(&b);
}
