/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connection requests of RDP clients. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/gate/x224.h"

/* Puts TPKT and COTP headers around a variable part. */
static size_t packet(uint8_t *out, const void *rest, size_t len)
{
	static const uint8_t start[11] = { 3, 0, 0, 0, 0, 0xe0, 0, 0, 0, 0, 0 };

	memcpy(out, start, sizeof(start));
	memcpy(out + sizeof(start), rest, len);
	out[2] = (uint8_t)((len + 11) >> 8);
	out[3] = (uint8_t)(len + 11);
	out[4] = (uint8_t)(len + 6);
	return len + 11;
}

Test(x224, test_requests_of_real_clients)
{
	static const char mstsc[] = "Cookie: mstshash=ana\r\n\x01\x00\x08\x00\x0b\x00\x00\x00";
	static const char correlated[] = "\x01\x08\x08\x00\x03\x00\x00\x00\x06\x00\x24\x00"
					 "0123456789abcdef\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct x224_request r;
	uint8_t wire[200];
	size_t len = packet(wire, mstsc, sizeof(mstsc) - 1);

	cr_assert_eq(x224_request_parse(&r, wire, len), (int)len);
	cr_assert_str_eq(r.cookie, "mstshash=ana");
	cr_assert_eq(r.protocols, 11);
	len = packet(wire, correlated, sizeof(correlated) - 1);
	cr_assert_eq(x224_request_parse(&r, wire, len), (int)len);
	for (size_t n = 0; n < len; n++)
		cr_assert_eq(x224_request_parse(&r, wire, n), 0, "%zu", n);
}

Test(x224, test_what_is_not_a_sound_request_is_named)
{
	static const struct {
		const char *rest;
		size_t len;
		int fault;
	} cases[] = {
		{ "", 0, X224_NO_TLS },
		{ "Cookie: mstshash=a\r\n", 20, X224_NO_TLS },
		{ "\x01\x00\x08\x00\x00\x00\x00\x00", 8, X224_NO_TLS },
		{ "\x01\x00\x08\x00\x04\x00\x00\x00", 8, X224_NO_TLS },
		{ "\x01\x00\x08\x00\x01\x00\x00", 7, X224_MALFORMED },
		{ "\x01\x00\x09\x00\x01\x00\x00\x00", 8, X224_MALFORMED },
		{ "\x01\x00\x08\x00\x01\x00\x00\x00x", 9, X224_MALFORMED },
		{ "\x01\x08\x08\x00\x01\x00\x00\x00", 8, X224_MALFORMED },
		{ "Cookie: mstshash=a\n", 19, X224_MALFORMED },
		{ "Cookie: a\x01\r\n", 12, X224_MALFORMED },
		{ "Cookie: \r", 9, X224_MALFORMED },
	};
	struct x224_request r;
	uint8_t wire[600];
	char cookie[300];

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++)
		cr_assert_eq(x224_request_parse(&r, wire, packet(wire, cases[i].rest, cases[i].len)), cases[i].fault, "case %zu", i);
	memset(cookie, 'a', sizeof(cookie));
	memcpy(cookie, "Cookie: ", 8);
	memcpy(cookie + 298, "\r\n", 2);
	packet(wire, cookie, 300);
	cr_assert_lt(x224_request_parse(&r, wire, 311), 0);
	cr_assert_eq(x224_request_parse(&r, (const uint8_t *)"GET /", 5), X224_NOT_RDP);
	cr_assert_eq(x224_request_parse(&r, (const uint8_t *)"\x03\x00\xff\xff", 4), X224_TOO_LONG);
	cr_assert_eq(x224_request_parse(&r, (const uint8_t *)"\x03\x00\x00\x04", 4), X224_MALFORMED);
	cr_assert_eq(x224_request_parse(&r, (const uint8_t *)"\x03\x00\x00\x13\x0e\xd0", 6), X224_NOT_RDP);
}
