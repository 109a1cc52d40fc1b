/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encodings, UTF-8 and strict numbers, by tables. Covers: base/encode.c */
#include "base/text.h"

#include "base/err.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <string.h>

/* RFC 4648 section 10. */
Test(text, base64_vectors)
{
	static const struct {
		const char *plain, *b64, *url, *hex;
	} cases[] = {
		{ "", "", "", "" },
		{ "f", "Zg==", "Zg", "66" },
		{ "fo", "Zm8=", "Zm8", "666f" },
		{ "foo", "Zm9v", "Zm9v", "666f6f" },
		{ "foob", "Zm9vYg==", "Zm9vYg", "666f6f62" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172" },
		{ "\xfb\xff\xfe", "+//+", "-__-", "fbfffe" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].plain);
		char out[32];

		cr_assert_eq(pst_base64_encode(cases[i].plain, n, out, sizeof(out)), (long)strlen(cases[i].b64));
		cr_assert_str_eq(out, cases[i].b64);
		cr_assert_eq(pst_base64url_encode(cases[i].plain, n, out, strlen(cases[i].url) + 1),
			(long)strlen(cases[i].url));
		cr_assert_str_eq(out, cases[i].url);
		cr_assert_eq(pst_base64url_encode(cases[i].plain, n, out, strlen(cases[i].url)), PST_ELIMIT);
		cr_assert_eq(pst_hex_encode(cases[i].plain, n, out, sizeof(out)), (long)(2 * n));
		cr_assert_str_eq(out, cases[i].hex);

		cr_assert_eq(pst_base64_decode(cases[i].b64, strlen(cases[i].b64), out, n), (long)n);
		cr_assert_eq(memcmp(out, cases[i].plain, n), 0);
		cr_assert_eq(pst_base64url_decode(cases[i].url, strlen(cases[i].url), out, n), (long)n);
		cr_assert_eq(memcmp(out, cases[i].plain, n), 0);
		cr_assert_eq(pst_hex_decode(cases[i].hex, 2 * n, out, n), (long)n);
		cr_assert_eq(memcmp(out, cases[i].plain, n), 0);
	}
}

Test(text, decoders_refuse_what_is_not_canonical)
{
	static const char *const b64[] = { "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Zg==Zg==",
		"Z g=", "Zm9v\n", "-__-", "Zm\xc3\xa9" };
	static const char *const url[] = { "Z", "Zg==", "Zh", "Zm9", "+//+", "Zm 8" };
	static const char *const hex[] = { "0", "0g", "g0", " 0", "0x" };
	char out[32];

	for (size_t i = 0; i < PST_ARRAY_LEN(b64); i++)
		cr_assert_eq(pst_base64_decode(b64[i], strlen(b64[i]), out, 32), PST_EINVAL, "%s", b64[i]);
	for (size_t i = 0; i < PST_ARRAY_LEN(url); i++)
		cr_assert_eq(pst_base64url_decode(url[i], strlen(url[i]), out, 32), PST_EINVAL, "%s", url[i]);
	for (size_t i = 0; i < PST_ARRAY_LEN(hex); i++)
		cr_assert_eq(pst_hex_decode(hex[i], strlen(hex[i]), out, 32), PST_EINVAL, "%s", hex[i]);
	cr_assert_eq(pst_base64_decode("Zm9v", 4, out, 2), PST_ELIMIT);
	cr_assert_eq(pst_hex_decode("0000", 4, out, 1), PST_ELIMIT);
	cr_assert_eq(pst_hex_encode("abc", 3, out, 6), PST_ELIMIT);
	cr_assert_str_eq(out, "");
	cr_assert_eq(pst_hex_encode("abc", 3, NULL, 0), PST_ELIMIT);
}

Test(text, utf8_is_strict)
{
	static const struct {
		const char *s;
		int len;
		uint32_t cp;
	} cases[] = {
		{ "a", 1, 'a' }, { "\xc3\xb1", 2, 0xf1 }, { "\xe2\x82\xac", 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 0x1f600 }, { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xc0\x80", PST_EINVAL, 0 }, { "\xc1\xbf", PST_EINVAL, 0 }, { "\xe0\x9f\xbf", PST_EINVAL, 0 },
		{ "\xed\xa0\x80", PST_EINVAL, 0 }, { "\xf4\x90\x80\x80", PST_EINVAL, 0 },
		{ "\xf5\x80\x80\x80", PST_EINVAL, 0 }, { "\x80", PST_EINVAL, 0 }, { "\xc3", PST_EINVAL, 0 },
		{ "\xe2\x82", PST_EINVAL, 0 }, { "\xc3z", PST_EINVAL, 0 }, { "\xff", PST_EINVAL, 0 }, { "", 0, 0 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].s);
		uint32_t cp = 0;
		char back[4];

		cr_assert_eq(pst_utf8_next(cases[i].s, n, &cp), cases[i].len, "case %zu", i);
		cr_assert_eq(cp, cases[i].cp);
		cr_assert_eq(pst_utf8_valid(cases[i].s, n), cases[i].len >= 0);
		if (cases[i].len > 0) {
			cr_assert_eq(pst_utf8_put(cp, back), cases[i].len);
			cr_assert_eq(memcmp(back, cases[i].s, n), 0);
		}
	}

	char out[4];
	cr_assert_eq(pst_utf8_put(0xd800, out), 0);
	cr_assert_eq(pst_utf8_put(0x110000, out), 0);
}

Test(text, numbers_are_whole_and_in_range)
{
	static const struct {
		const char *s;
		int rc;
	} cases[] = {
		{ "0", 0 }, { "10", 0 }, { "0010", 0 }, { "11", PST_ELIMIT }, { "", PST_EINVAL },
		{ " 1", PST_EINVAL }, { "1 ", PST_EINVAL }, { "+1", PST_EINVAL }, { "-1", PST_EINVAL },
		{ "1x", PST_EINVAL }, { "99999999999999999999999", PST_ELIMIT },
		{ "99999999999999999999999x", PST_EINVAL }, { "0x1", PST_EINVAL }, { NULL, PST_EINVAL },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		uint32_t v = 77;

		cr_assert_eq(pst_parse_u32(cases[i].s, 0, 10, &v), cases[i].rc, "case %zu", i);
		cr_assert_eq(v == 77, cases[i].rc != 0);
	}

	int64_t n;
	cr_assert_eq(pst_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &n), 0);
	cr_assert_eq(n, INT64_MIN);
	cr_assert_eq(pst_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &n), PST_ELIMIT);
	cr_assert_eq(pst_parse_i64("-5", -4, 4, &n), PST_ELIMIT);
	cr_assert_eq(pst_parse_i64("--5", -9, 4, &n), PST_EINVAL);
	cr_assert_eq(pst_parse_i64("-", -9, 4, &n), PST_EINVAL);
	uint64_t u;
	cr_assert_eq(pst_parse_u64("18446744073709551615", 0, UINT64_MAX, &u), 0);
	cr_assert_eq(u, UINT64_MAX);
	cr_assert_eq(pst_parse_u64("18446744073709551616", 0, UINT64_MAX, &u), PST_ELIMIT);
	bool b;
	cr_assert(pst_parse_bool("on", &b) == 0 && b);
	cr_assert(pst_parse_bool("no", &b) == 0 && !b);
	cr_assert_eq(pst_parse_bool("maybe", &b), PST_EINVAL);
	cr_assert_eq(pst_parse_bool(NULL, &b), PST_EINVAL);
}

Test(text, names_and_copies)
{
	static const struct {
		const char *s;
		bool ok;
	} cases[] = { { "Diseño 3D", true }, { "", false }, { " a", false }, { "a ", false }, { "a\nb", false },
		{ "a\x7f", false }, { "a\xc2\x85", false }, { "1234567890", true },
		{ "12345678901", false }, { "\xff", false } };
	char out[4];

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_assert_eq(pst_name_valid(cases[i].s, 10), cases[i].ok, "case %zu", i);
	cr_assert_eq(pst_strlcpy(out, 4, "abc"), 0);
	cr_assert_eq(pst_strlcpy(out, 4, "abcd"), PST_ELIMIT);
	cr_assert_str_eq(out, "abc");
	cr_assert_eq(pst_strlcpy(out, 0, "a"), PST_ELIMIT);
	cr_assert(pst_str_starts("abc", "ab") && !pst_str_starts("ab", "abc"));
	cr_assert(pst_str_ends("abc", "bc") && !pst_str_ends("bc", "abc"));
}

Test(text, what_a_url_cannot_hold_is_escaped)
{
	char out[19]; /* of six bytes, each in three places, and a zero */

	cr_assert(pst_url_escape("a-._~9", out, sizeof(out)));
	cr_assert_str_eq(out, "a-._~9");
	cr_assert(pst_url_escape("/?& ñ", out, sizeof(out)));
	cr_assert_str_eq(out, "%2F%3F%26%20%C3%B1");
	cr_assert(!pst_url_escape("/?& ñ", out, sizeof(out) - 1));
	cr_assert(!pst_url_escape("", out, 0));
}
