/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests by published vectors; tokens and UUIDs by their form. Covers: base/uuid.c */
#include "base/hash.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(hash, sha256_and_hmac_vectors)
{
	char hex[PST_SHA256_HEX_SIZE];
	uint8_t mac[PST_SHA256_LEN];

	pst_sha256_hex("abc", 3, hex); /* FIPS 180-2, appendix B.1 */
	cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	pst_sha256_hex("", 0, hex);
	cr_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

	/* RFC 4231, test case 2; RFC 2202, test case 2. */
	pst_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
	pst_hex_encode(mac, 32, hex, sizeof(hex));
	cr_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	pst_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, mac);
	pst_hex_encode(mac, 20, hex, sizeof(hex));
	cr_assert_str_eq(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

Test(hash, tokens_differ_and_fit)
{
	char a[PST_TOKEN_SIZE(32)], b[PST_TOKEN_SIZE(32)];

	pst_token(a, 32);
	pst_token(b, 32);
	cr_assert_eq(strlen(a), 43);
	cr_assert_str_neq(a, b);
	for (size_t n = 0; n <= PST_TOKEN_MAX; n++) {
		char t[PST_TOKEN_SIZE(PST_TOKEN_MAX)];

		pst_token(t, n);
		cr_assert_eq(strlen(t), PST_TOKEN_SIZE(n) - 1);
	}
}

Test(hash, uuids_read_what_they_write)
{
	static const char *const bad[] = { "", "x", "00000000-0000-0000-0000-00000000000",
		"00000000-0000-0000-0000-0000000000000", "00000000x0000-0000-0000-000000000000",
		"00000000-0000-0000-0000-00000000000g", "{0000000-0000-0000-0000-000000000000" };
	struct pst_uuid u = pst_uuid_make(), v;
	char text[PST_UUID_SIZE];

	pst_uuid_text(&u, text);
	cr_assert_eq(strlen(text), 36);
	cr_assert_eq(text[14], '4');
	cr_assert_eq(pst_uuid_parse(text, &v), 0);
	cr_assert(pst_uuid_equal(&u, &v));
	cr_assert(!pst_uuid_is_nil(&u));
	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(pst_uuid_parse(bad[i], &v), PST_EINVAL, "%s", bad[i]);
	cr_assert_eq(pst_uuid_parse(NULL, &v), PST_EINVAL);
	cr_assert_eq(pst_uuid_parse("ABCDEFAB-CDEF-abcd-efab-cdefabcdefab", &v), 0);
	cr_assert_eq(pst_uuid_parse("00000000-0000-0000-0000-000000000000", &v), 0);
	cr_assert(pst_uuid_is_nil(&v));
}
