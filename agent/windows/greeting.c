/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TPKT (RFC 1006), X.224 (ITU-T X.224, 13.3 and 13.4), RDP_NEG_REQ. */
#include "agent/windows/greeting.h"

#include "base/cursor.h"

#define TPKT_VERSION 3
#define CONNECTION_CONFIRM 0xd0
#define NEG_FAILURE 3

const uint8_t *greeting_request(size_t *ret_len)
{
	static const uint8_t request[] = {
		TPKT_VERSION, 0, 0, 19,         /* TPKT: 19 bytes */
		14, 0xe0, 0, 0, 0, 0, 0,        /* X.224 Connection Request */
		1, 0, 8, 0, 0x03, 0, 0, 0,      /* RDP_NEG_REQ: PROTOCOL_SSL | PROTOCOL_HYBRID */
	};

	*ret_len = sizeof(request);
	return request;
}

int greeting_check(const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor c;

	pst_cursor_init(&c, data, len);
	uint8_t version = pst_cursor_u8(&c);
	pst_cursor_skip(&c, 1);
	uint16_t size = pst_cursor_be16(&c);
	if (len > 0 && data[0] != TPKT_VERSION)
		return pst_err_set(err, PST_EPROTO, "what answers is no Remote Desktop service");
	if (!pst_cursor_ok(&c))
		return 0;
	if (version != TPKT_VERSION || size < 11 || size > GREETING_ANSWER_MAX)
		return pst_err_set(err, PST_EPROTO, "what answers is no Remote Desktop service");
	if (len < size)
		return 0;
	pst_cursor_skip(&c, 1);
	if (pst_cursor_u8(&c) != CONNECTION_CONFIRM)
		return pst_err_set(err, PST_EPROTO, "the Remote Desktop service did not confirm");
	pst_cursor_skip(&c, 5);
	/* One that refuses TLS and CredSSP is up, but nobody of ours would come in. */
	if (pst_cursor_left(&c) > 0 && pst_cursor_u8(&c) == NEG_FAILURE)
		return pst_err_set(err, PST_EPROTO, "the Remote Desktop service refuses TLS");
	return 1;
}
