/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VNC: RFC 6143, 7.1.1 to 7.1.3. SSH: RFC 4253, 4.2. RDP: MS-RDPBCGR 2.2.1.1 and 2.2.1.2 over X.224 and TPKT (RFC 1006). Our agent: a ClientHello of
 * TLS 1.3 (RFC 8446, 4.1.2), which any server of TLS answers with a record, be it an alert.
 */
#include "broker/hypervisor/hosts/greeting.h"

#include "base/buf.h"
#include "base/hash.h"

#include <string.h>

#define RFB_VERSION_LEN 12
#define RFB_OURS "RFB 003.008\n"
#define RFB_NONE 1 /* the security type */
#define TLS_ALERT 21
#define TLS_HANDSHAKE 22

struct protocol {
	size_t (*hello)(uint8_t out[GREETING_HELLO_MAX]);
	enum greeting_state (*check)(const uint8_t *data, size_t len, size_t sent);
};

static size_t none_hello(uint8_t out[GREETING_HELLO_MAX])
{
	return 0;
}

/* TPKT, a connection request, and the request for TLS or CredSSP: what every server of today takes. */
static size_t rdp_hello(uint8_t out[GREETING_HELLO_MAX])
{
	static const uint8_t request[] = { 3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0x0b, 0, 0, 0 };

	memcpy(out, request, sizeof(request));
	return sizeof(request);
}

/* The extensions that TLS 1.3 wants: versions, groups, signatures, a share of X25519, which any 32 bytes are. */
static void tls_extensions(struct pst_buf *b)
{
	static const uint8_t before[] = {
		0, 0x2b, 0, 3, 2, 3, 4,
		0, 0x0a, 0, 6, 0, 4, 0, 0x1d, 0, 0x17,
		0, 0x0d, 0, 18, 0, 16, 4, 3, 5, 3, 6, 3, 8, 4, 8, 5, 8, 6, 8, 7, 4, 1,
		0, 0x33, 0, 38, 0, 36, 0, 0x1d, 0, 32,
	};
	uint8_t share[32];

	pst_random(share, sizeof(share));
	pst_buf_put_be16(b, sizeof(before) + sizeof(share));
	pst_buf_append(b, before, sizeof(before));
	pst_buf_append(b, share, sizeof(share));
}

static size_t tls_hello(uint8_t out[GREETING_HELLO_MAX])
{
	static const uint8_t suites[] = { 0, 6, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0 }; /* and no compression */
	uint8_t random[32];
	struct pst_buf b;
	size_t len;

	pst_buf_init(&b, GREETING_HELLO_MAX);
	pst_random(random, sizeof(random));
	pst_buf_append(&b, (const uint8_t[]){ TLS_HANDSHAKE, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3 }, 11);
	pst_buf_append(&b, random, sizeof(random));
	pst_buf_put_u8(&b, 0); /* no session */
	pst_buf_append(&b, suites, sizeof(suites));
	tls_extensions(&b);
	len = b.failed ? 0 : b.len;
	if (len) {
		memcpy(out, b.data, len);
		out[4] = (uint8_t)(len - 5); /* of the record, and of the message: both are short */
		out[8] = (uint8_t)(len - 9);
	}
	pst_buf_finish(&b);
	return len;
}

static enum greeting_state tls_check(const uint8_t *data, size_t len, size_t sent)
{
	if (len > 0 && data[0] != TLS_ALERT && data[0] != TLS_HANDSHAKE)
		return GREETING_WRONG;
	if (len < 3)
		return GREETING_MORE;
	return data[1] == 3 ? GREETING_RIGHT : GREETING_WRONG;
}

static enum greeting_state rdp_check(const uint8_t *data, size_t len, size_t sent)
{
	if (len > 0 && data[0] != 3)
		return GREETING_WRONG;
	if (len < 7)
		return GREETING_MORE;
	return data[2] == 0 && data[3] >= 7 && (data[5] & 0xf0) == 0xd0 ? GREETING_RIGHT : GREETING_WRONG;
}

/* The server's version may come after lines of other text (RFC 4253, 4.2); OpenSSH's does not. */
static enum greeting_state ssh_check(const uint8_t *data, size_t len, size_t sent)
{
	static const char form[] = "SSH-2.0-";
	size_t n = len < sizeof(form) - 1 ? len : sizeof(form) - 1;

	if (memcmp(data, form, n) != 0)
		return GREETING_WRONG;
	return n == sizeof(form) - 1 ? GREETING_RIGHT : GREETING_MORE;
}

static int rfb_minor(const uint8_t *data)
{
	return (data[8] - '0') * 100 + (data[9] - '0') * 10 + (data[10] - '0');
}

/* Whom nobody needs to show who he is goes through to the end: servers count who leaves before, and shut them out. */
static enum greeting_state rfb_types_check(const uint8_t *data, size_t len, size_t sent)
{
	size_t n;

	if (len <= RFB_VERSION_LEN)
		return GREETING_MORE;
	n = data[RFB_VERSION_LEN];
	if (len < RFB_VERSION_LEN + 1 + n)
		return GREETING_MORE;
	if (!memchr(data + RFB_VERSION_LEN + 1, RFB_NONE, n))
		return GREETING_RIGHT; /* it wants a password, or none of us at all */
	if (sent == RFB_VERSION_LEN)
		return GREETING_REPLY;
	return len < RFB_VERSION_LEN + 1 + n + 4 ? GREETING_MORE : GREETING_RIGHT;
}

static enum greeting_state rfb_check(const uint8_t *data, size_t len, size_t sent)
{
	static const char form[] = "RFB 003.ddd\n";

	for (size_t i = 0; i < len && i < RFB_VERSION_LEN; i++) {
		if (form[i] == 'd' ? data[i] < '0' || data[i] > '9' : data[i] != (uint8_t)form[i])
			return GREETING_WRONG;
	}
	if (len < RFB_VERSION_LEN)
		return GREETING_MORE;
	if (rfb_minor(data) < 8)
		return GREETING_RIGHT;
	return sent == 0 ? GREETING_REPLY : rfb_types_check(data, len, sent);
}

static const struct protocol protocols[] = {
	[SEAT_AGENT] = { tls_hello, tls_check },
	[SEAT_VNC] = { none_hello, rfb_check },
	[SEAT_RDP] = { rdp_hello, rdp_check },
	[SEAT_SSH] = { none_hello, ssh_check },
};

size_t greeting_hello(enum seat_protocol p, uint8_t out[GREETING_HELLO_MAX])
{
	return protocols[p].hello(out);
}

enum greeting_state greeting_check(enum seat_protocol p, const uint8_t *data, size_t len, size_t sent)
{
	return protocols[p].check(data, len, sent);
}

size_t greeting_reply(enum seat_protocol p, const uint8_t *data, size_t len, size_t sent, uint8_t out[GREETING_HELLO_MAX])
{
	if (sent == 0) {
		memcpy(out, RFB_OURS, RFB_VERSION_LEN);
		return RFB_VERSION_LEN;
	}
	out[0] = RFB_NONE;
	return 1;
}
