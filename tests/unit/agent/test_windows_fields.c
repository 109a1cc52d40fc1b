/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the agent for Windows reads and writes without a system.
 * Covers: agent/windows/fields.c agent/windows/birth.c agent/windows/pem.c agent/windows/csr.c agent/windows/greeting.c */
#include <criterion/criterion.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/birth.h"
#include "agent/windows/csr.h"
#include "agent/windows/fields.h"
#include "agent/windows/greeting.h"
#include "agent/windows/pem.h"
#include "base/mem.h"
#include "base/text.h"

#define DESKTOP "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11"

static struct fields *parse(const char *text, struct pst_err *err)
{
	return fields_parse(text, strlen(text), err);
}

Test(windows_fields, objects_become_a_list_of_names)
{
	struct pst_err err = PST_ERR_INIT;
	struct fields *f = parse(" {\"re\": 7, \"error\": {\"code\": \"denied\", \"title\": \"no \\u00e9\\ud83d\\ude00 \\\"q\\\"\\n\"}, \"list\": [1, {\"a\": 2}], "
				 "\"yes\": true, \"none\": null, \"big\": 9007199254740993, \"half\": -1.5e3} ", &err);

	cr_assert(f, "%s", err.text);
	cr_assert_eq(fields_int(f, "re", 1, 10, 0), 7);
	cr_assert_eq(fields_int(f, "re", 8, 10, 0), 0);
	cr_assert_str_eq(fields_str(f, "error.code", 10), "denied");
	cr_assert_str_eq(fields_str(f, "error.title", 100), "no \xc3\xa9\xf0\x9f\x98\x80 \"q\"\n");
	cr_assert_null(fields_str(f, "error.code", 3));
	cr_assert_null(fields_str(f, "re", 10));
	cr_assert(fields_bool(f, "yes", false) && !fields_bool(f, "re", false));
	cr_assert(fields_has(f, "none") && fields_has(f, "list") && fields_has(f, "error") && !fields_has(f, "a"));
	cr_assert_eq(fields_int(f, "big", 0, INT64_MAX, 0), INT64_C(9007199254740993));
	cr_assert_eq(fields_int(f, "half", -5000, 5000, 1), 1);
	fields_free(f);
}

Test(windows_fields, what_is_no_object_is_refused)
{
	static const char *const bad[] = { "", " ", "[]", "7", "{", "{}x", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{a:1}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":1.}",
		"{\"a\":1e}", "{\"a\":-}", "{\"a\":tru}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00x\"}",
		"{\"a\":\"\xff\"}", "{\"a\":\"b\nc\"}", "{\"a\":\"b", "{\"a\":1,\"a\":2}", "{\"\":1}", "{\"a\":[1,]}", "{\"a\":{\"b\":1},\"a.b\":2}",
		"{\"a\":[[[[[[[[[[1]]]]]]]]]]}", "{\"a\":1\v}" };

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct fields *f = parse(bad[i], &err);

		cr_expect(!f && err.text[0], "%s", bad[i]);
		fields_free(f);
	}
	/* A number does not go on behind a NUL, nor does a text hide what follows one. */
	struct pst_err err = PST_ERR_INIT;
	cr_assert_null(fields_parse("{\"a\":1\0}", 8, &err));
	struct fields *f = parse("{\"a\":\"b\\u0000c\"}", &err);
	cr_assert(f && fields_has(f, "a") && !fields_str(f, "a", 10));
	fields_free(f);
}

Test(windows_fields, there_are_ceilings)
{
	struct pst_err err = PST_ERR_INIT;
	char name[200];
	struct pst_buf b;

	pst_buf_init(&b, 1 << 20);
	fields_begin(&b);
	for (int i = 0; i <= FIELDS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		fields_put_int(&b, name, i);
	}
	fields_end(&b);
	cr_assert_null(fields_parse((char *)b.data, b.len, &err));
	pst_buf_finish(&b);
	memset(name, 'a', FIELDS_NAME_MAX + 1);
	name[FIELDS_NAME_MAX + 1] = '\0';
	pst_buf_init(&b, 1000);
	pst_buf_printf(&b, "{\"%s\":1}", name);
	cr_assert_null(fields_parse((char *)b.data, b.len, &err));
	pst_buf_finish(&b);
}

Test(windows_fields, what_is_written_is_read)
{
	static const char odd[] = "a\"\\\x01\n\xc3\xa9";
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;

	pst_buf_init(&b, 1000);
	fields_begin(&b);
	fields_put_str(&b, "s", odd);
	fields_put_str(&b, "n", NULL);
	fields_put_int(&b, "i", INT64_MIN);
	fields_put_bool(&b, "b", true);
	fields_end(&b);
	struct fields *f = fields_parse((char *)b.data, b.len, &err);
	cr_assert(f, "%s", err.text);
	cr_assert_str_eq(fields_str(f, "s", 100), odd);
	cr_assert_eq(fields_int(f, "i", INT64_MIN, 0, 0), INT64_MIN);
	cr_assert(fields_bool(f, "b", false) && !fields_str(f, "n", 10));
	static const char *const known[] = { "s", "n", "i", NULL };
	cr_assert_lt(fields_only(f, known, &err), 0);
	cr_assert_str_eq(err.text, "b: is not known");
	fields_free(f);
	pst_buf_reset(&b);
	fields_begin(&b);
	fields_put_str(&b, "s", "\xff");
	cr_assert(b.failed);
	pst_buf_finish(&b);
}

/* ---- seeds ------------------------------------------------------------------- */

#define CA "-----BEGIN CERTIFICATE-----\\nAA==\\n-----END CERTIFICATE-----\\n"

Test(windows_birth, a_seed_is_what_it_is_for_linux)
{
	static const char text[] = "{\"desktop\":\"" DESKTOP "\",\"token\":\"tok-1\",\"hostname\":\"a-name-of-windows-desktop\",\"broker\":\"10.1.2.1:5911\","
				   "\"display\":\"0.0.0.0:5910\",\"ca\":\"" CA "\",\"locale\":\"es_ES\",\"layout\":\"es\",\"time_ms\":1,\"random\":\"AA==\"}";
	struct pst_err err = PST_ERR_INIT;
	char name[BIRTH_NETBIOS_MAX + 1], host[64];
	struct birth b;
	uint16_t port;

	cr_assert_eq(birth_parse(text, strlen(text), &b, &err), 0, "%s", err.text);
	cr_assert_str_eq(b.desktop, DESKTOP);
	cr_assert_str_eq(b.token, "tok-1");
	birth_computer_name(&b, name);
	cr_assert_str_eq(name, "a-name-of-windo");
	strcpy(b.hostname, "a-name-of-a---x");
	b.hostname[14] = '\0';
	birth_computer_name(&b, name);
	cr_assert_str_eq(name, "a-name-of-a");
	birth_finish(&b);
	cr_assert_eq(birth_address("[fd00::1]:5911", host, &port, &err), 0);
	cr_assert(strcmp(host, "fd00::1") == 0 && port == 5911);
}

Test(windows_birth, what_is_malformed_is_refused_with_its_field)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "{}", "desktop" },
		{ "{\"desktop\":\"x\",\"hostname\":\"a\",\"broker\":\"1.2.3.4:5\",\"ca\":\"" CA "\"}", "desktop" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a b\",\"broker\":\"1.2.3.4:5\",\"ca\":\"" CA "\"}", "hostname" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"-a\",\"broker\":\"1.2.3.4:5\",\"ca\":\"" CA "\"}", "hostname" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a\",\"broker\":\"1.2.3.4\",\"ca\":\"" CA "\"}", "broker" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a\",\"broker\":\"1.2.3.4:0\",\"ca\":\"" CA "\"}", "broker" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a\",\"broker\":\"fd00::1:5\",\"ca\":\"" CA "\"}", "broker" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a\",\"broker\":\"1.2.3.4:5\",\"ca\":\"no\"}", "ca" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a\",\"broker\":\"1.2.3.4:5\",\"ca\":\"" CA "\",\"token\":7}", "token" },
		{ "{\"desktop\":\"" DESKTOP "\",\"hostname\":\"a\",\"broker\":\"1.2.3.4:5\",\"ca\":\"" CA "\",\"more\":7}", "more" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct birth b;

		cr_expect_lt(birth_parse(cases[i].text, strlen(cases[i].text), &b, &err), 0, "%s", cases[i].text);
		cr_expect(strstr(err.text, cases[i].reason), "%s: %s", cases[i].text, err.text);
		birth_finish(&b);
	}
}

/* ---- Remote Desktop's first packet ------------------------------------------------ */

Test(windows_greeting, only_a_confirmation_counts)
{
	static const uint8_t good[] = { 3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 2, 0, 0, 0 };
	static const uint8_t old[] = { 3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0 };
	static const uint8_t refusal[] = { 3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 3, 0, 8, 0, 2, 0, 0, 0 };
	static const uint8_t request[] = { 3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0 };
	struct pst_err err = PST_ERR_INIT;
	size_t len;

	for (size_t n = 0; n < sizeof(good); n++)
		cr_assert_eq(greeting_check(good, n, &err), 0, "%zu bytes", n);
	cr_assert_eq(greeting_check(good, sizeof(good), &err), 1);
	cr_assert_eq(greeting_check(old, sizeof(old), &err), 1);
	cr_assert_lt(greeting_check(refusal, sizeof(refusal), &err), 0);
	cr_assert_lt(greeting_check(request, sizeof(request), &err), 0);
	cr_assert_lt(greeting_check((const uint8_t *)"SSH-2.0", 7, &err), 0);
	cr_assert_lt(greeting_check((const uint8_t *)"\3\0\xff\xff", 4, &err), 0);
	cr_assert_eq(greeting_request(&len)[3], len);
}

/* ---- requests ---------------------------------------------------------------------- */

/* Takes r or s out of a DER signature, right-aligned. */
static const uint8_t *number_take(const uint8_t *at, uint8_t out[32])
{
	size_t n = at[1];
	const uint8_t *from = at + 2;

	for (; n > 32; n--)
		from++;
	memset(out, 0, 32);
	memcpy(out + 32 - n, from, n);
	return from + n;
}

/* GnuTLS makes the key and signs; what it makes of our request is what the broker will. Forty times, for numbers that begin with zeros or ones. */
Test(windows_csr, gnutls_believes_a_request)
{
	static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

	for (int round = 0; round < 40; round++) {
		struct pst_buf key, info, signature, der;
		struct pst_buf *const all[] = { &key, &info, &signature, &der };
		gnutls_datum_t x, y, sig, name;
		gnutls_privkey_t private;
		gnutls_x509_crq_t crq;
		uint8_t xy[64] = { 0 }, rs[64];

		for (size_t i = 0; i < PST_ARRAY_LEN(all); i++)
			pst_buf_init(all[i], CSR_MAX);
		gnutls_privkey_init(&private);
		cr_assert_eq(gnutls_privkey_generate(private, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
		cr_assert_eq(gnutls_privkey_export_ecc_raw2(private, NULL, &x, &y, NULL, GNUTLS_EXPORT_FLAG_NO_LZ), 0);
		memcpy(xy + 32 - x.size, x.data, x.size);
		memcpy(xy + 64 - y.size, y.data, y.size);
		csr_p256_key(&key, xy);
		csr_info(&info, DESKTOP, key.data, key.len);
		const gnutls_datum_t tbs = { info.data, (unsigned)info.len };
		cr_assert_eq(gnutls_privkey_sign_data2(private, GNUTLS_SIGN_ECDSA_SHA256, 0, &tbs, &sig), 0);
		number_take(number_take(sig.data + 2, rs), rs + 32);
		csr_ecdsa(&signature, rs);
		cr_assert(signature.len == sig.size && memcmp(signature.data, sig.data, sig.size) == 0);
		csr_whole(&der, &info, algorithm, sizeof(algorithm), signature.data, signature.len);
		const gnutls_datum_t whole = { der.data, (unsigned)der.len };
		gnutls_x509_crq_init(&crq);
		cr_assert_eq(gnutls_x509_crq_import(crq, &whole, GNUTLS_X509_FMT_DER), 0);
		cr_assert_eq(gnutls_x509_crq_verify(crq, 0), 0);
		cr_assert_eq(gnutls_x509_crq_get_dn2(crq, &name), 0);
		cr_assert_str_eq((char *)name.data, "CN=" DESKTOP);
		gnutls_free(name.data);
		gnutls_free(x.data);
		gnutls_free(y.data);
		gnutls_free(sig.data);
		gnutls_x509_crq_deinit(crq);
		gnutls_privkey_deinit(private);
		for (size_t i = 0; i < PST_ARRAY_LEN(all); i++)
			pst_buf_finish(all[i]);
	}
}

Test(windows_pem, a_block_is_written_and_read)
{
	struct pst_err err = PST_ERR_INIT;
	uint8_t bytes[300];
	struct pst_buf text, back;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	pst_buf_init(&text, 4096);
	pst_buf_init(&back, 4096);
	cr_assert_eq(pem_write(&text, "THING", bytes, sizeof(bytes)), 0);
	cr_assert_eq(pem_read((char *)text.data, "THING", &back, &err), 0);
	cr_assert(back.len == sizeof(bytes) && memcmp(back.data, bytes, sizeof(bytes)) == 0);
	cr_assert_lt(pem_read((char *)text.data, "OTHER", &back, &err), 0);
	cr_assert_lt(pem_read("-----BEGIN THING-----\n!!\n-----END THING-----", "THING", &back, &err), 0);
	cr_assert_lt(pem_read("-----BEGIN THING-----\n-----END THING-----", "THING", &back, &err), 0);
	pst_buf_finish(&text);
	pst_buf_finish(&back);
}
