/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The X.224 Connection Request of an RDP client. */
#include "protocol/gate/x224.h"

#include <string.h>

#define TPKT_SIZE 4
#define COTP_FIXED 7 /* length indicator, code, destination, source, class */
#define NEGOTIATION_SIZE 8
#define CORRELATION_SIZE 36
#define NEG_REQUEST 0x01
#define NEG_CORRELATION 0x06
#define NEG_HAS_CORRELATION 0x08

static bool is_printable(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
	return true;
}

/* "Cookie: …\r\n" or a routing token line; returns the bytes that it takes, 0 when there is none, negative when broken. */
static int parse_cookie(struct x224_request *r, const uint8_t *p, size_t len)
{
	static const char prefix[] = "Cookie: ";
	const uint8_t *end;
	size_t skip = sizeof(prefix) - 1, n;

	if (!len || p[0] == NEG_REQUEST)
		return 0;
	end = memmem(p, len, "\r\n", 2);
	if (!end || !is_printable(p, (size_t)(end - p)))
		return X224_MALFORMED;
	n = (size_t)(end - p);
	if (n < skip || memcmp(p, prefix, skip))
		skip = 0;
	if (n - skip >= sizeof(r->cookie))
		return X224_TOO_LONG;
	memcpy(r->cookie, p + skip, n - skip);
	r->cookie[n - skip] = '\0';
	return (int)n + 2;
}

/* Whether p[0…len) is exactly a negotiation request with the correlation block that its flags promise. */
static int parse_negotiation(struct x224_request *r, const uint8_t *p, size_t len)
{
	if (!len)
		return 0;
	if (len < NEGOTIATION_SIZE || p[0] != NEG_REQUEST || p[2] != NEGOTIATION_SIZE || p[3])
		return X224_MALFORMED;
	r->has_negotiation = true;
	r->flags = p[1];
	r->protocols = (uint32_t)p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24;
	p += NEGOTIATION_SIZE;
	len -= NEGOTIATION_SIZE;
	if (r->flags & NEG_HAS_CORRELATION) {
		if (len != CORRELATION_SIZE || p[0] != NEG_CORRELATION || p[2] != CORRELATION_SIZE || p[3])
			return X224_MALFORMED;
		return 0;
	}
	return len ? X224_MALFORMED : 0;
}

static int check_start(const uint8_t *bytes, size_t len)
{
	if ((len > 0 && bytes[0] != 3) || (len > 1 && bytes[1]) || (len > 5 && bytes[5] != 0xe0))
		return X224_NOT_RDP;
	return 0;
}

int x224_request_parse(struct x224_request *r, const uint8_t *bytes, size_t len)
{
	size_t size;
	int rc = check_start(bytes, len), n;

	memset(r, 0, sizeof(*r));
	if (rc || len < TPKT_SIZE)
		return rc;
	size = (size_t)bytes[2] << 8 | bytes[3];
	if (size > X224_REQUEST_MAX)
		return X224_TOO_LONG;
	if (size < TPKT_SIZE + COTP_FIXED)
		return X224_MALFORMED;
	if (len < size)
		return 0;
	if (bytes[4] != size - TPKT_SIZE - 1 || bytes[10])
		return X224_MALFORMED;
	bytes += TPKT_SIZE + COTP_FIXED;
	len = size - TPKT_SIZE - COTP_FIXED;
	n = parse_cookie(r, bytes, len);
	if (n < 0)
		return n;
	rc = parse_negotiation(r, bytes + n, len - (size_t)n);
	if (rc)
		return rc;
	return r->protocols & (X224_TLS | X224_CREDSSP | X224_CREDSSP_EX) ? (int)size : X224_NO_TLS;
}

const char *x224_fault_text(int fault)
{
	switch (fault) {
	case X224_NOT_RDP:
		return "not an RDP connection request";
	case X224_MALFORMED:
		return "a malformed RDP connection request";
	case X224_TOO_LONG:
		return "an RDP connection request that is too long";
	case X224_NO_TLS:
		return "an RDP client that offers no TLS";
	default:
		return "no fault";
	}
}

void x224_refusal(uint8_t out[static X224_REFUSAL_SIZE])
{
	static const uint8_t packet[X224_REFUSAL_SIZE] = { 3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 1, 0, 0, 0 };

	memcpy(out, packet, sizeof(packet));
}
