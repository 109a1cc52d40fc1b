/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a grant says of an RDP server, right and wrong, and certificates that are or are not the one.
 * Covers: protocol/source/rdp/account.c protocol/source/rdp/trust.c
 */
#include "protocol/source/rdp/account.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/rdp/trust.h"

#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(rdp_account, what_is_whole_is_read)
{
	struct pst_err err = PST_ERR_INIT;
	struct rdp_account a;

	cr_assert_eq(rdp_account_parse("{\"login\":\"fixed\",\"user\":\"ana\",\"domain\":\"LAB\",\"password\":\" a b \",\"fingerprint\":\"" PIN "\",\"layout\":\"es\",\"video\":true}", &a, &err),
		0, "%s", err.text);
	cr_expect(!a.asks && a.has_video && a.has_fingerprint);
	cr_expect_eq(a.fingerprint[1], 0x23);
	cr_expect_str_eq(pst_secret_str(&a.password), " a b ");
	cr_expect_str_eq(a.domain, "LAB");
	cr_expect_str_eq(a.layout, "es");
	rdp_account_finish(&a);
	cr_assert_eq(rdp_account_parse("{\"login\":\"ask\",\"password\":\"never used\",\"ca\":\"x\",\"name\":\"pc.example\"}", &a, &err), 0, "%s", err.text);
	cr_expect(a.asks && a.ca && !a.has_fingerprint && a.password.len == 0);
	rdp_account_finish(&a);
	rdp_account_finish(&a);
}

Test(rdp_account, what_is_missing_is_named)
{
	static const struct {
		const char *json, *words;
	} bad[] = {
		{ "", "how to log in" },
		{ "[]", "how to log in" },
		{ "{\"login\":\"guess\",\"fingerprint\":\"" PIN "\"}", "how to log in" },
		{ "{\"login\":\"ask\"}", "by what certificate" },
		{ "{\"login\":\"ask\",\"ca\":\"x\"}", "by what certificate" },
		{ "{\"login\":\"ask\",\"fingerprint\":\"12\"}", "64" },
		{ "{\"login\":\"ask\",\"fingerprint\":\"" PIN "\",\"fingerprint\":\"zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}", "" },
		{ "{\"login\":\"fixed\",\"fingerprint\":\"" PIN "\",\"user\":\"ana\"}", "a user or a password" },
		{ "{\"login\":\"fixed\",\"fingerprint\":\"" PIN "\",\"password\":\"x\"}", "a user or a password" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct rdp_account a;

		cr_expect_eq(rdp_account_parse(bad[i].json, &a, &err), PST_EINVAL, "%s", bad[i].json);
		cr_expect_not_null(strstr(err.text, bad[i].words), "%s: %s", bad[i].json, err.text);
	}
}

Test(rdp_account, what_is_no_certificate_is_not_believed)
{
	struct rdp_account a = { .has_fingerprint = true };
	static const char *const pems[] = { "", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" };

	for (size_t i = 0; i < PST_ARRAY_LEN(pems); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_expect_eq(rdp_trust_check(&a, pems[i], strlen(pems[i]), &err), PST_EPROTO, "%s", pems[i]);
	}
}
