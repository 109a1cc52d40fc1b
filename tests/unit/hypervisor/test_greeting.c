/* SPDX-License-Identifier: GPL-3.0-or-later */
/* First words of VNC, RDP and TLS servers, byte by byte. */
#include "broker/hypervisor/hosts/greeting.h"

#include <criterion/criterion.h>
#include <string.h>

static enum greeting_state check(enum seat_protocol p, const char *data, size_t len, size_t sent)
{
	return greeting_check(p, (const uint8_t *)data, len, sent);
}

static const struct {
	enum seat_protocol protocol;
	const char *data;
	size_t len, sent;
	enum greeting_state want;
} cases[] = {
	{ SEAT_VNC, "RFB 003.008", 11, 0, GREETING_MORE },
	{ SEAT_VNC, "RFB 003.003\n", 12, 0, GREETING_RIGHT },
	{ SEAT_VNC, "RFB 003.007\n", 12, 0, GREETING_RIGHT },
	{ SEAT_VNC, "RFB 003.008\n", 12, 0, GREETING_REPLY },
	{ SEAT_VNC, "RFB 003.889\n", 12, 0, GREETING_REPLY }, /* of Apple */
	{ SEAT_VNC, "RFB 003.008\n", 12, 12, GREETING_MORE },
	{ SEAT_VNC, "RFB 003.008\n\2\1", 14, 12, GREETING_MORE },
	{ SEAT_VNC, "RFB 003.008\n\2\2\1", 15, 12, GREETING_REPLY },
	{ SEAT_VNC, "RFB 003.008\n\1\2", 14, 12, GREETING_RIGHT }, /* a password: that much is enough */
	{ SEAT_VNC, "RFB 003.008\n\0\0\0\0\4oops", 21, 12, GREETING_RIGHT },
	{ SEAT_VNC, "RFB 003.008\n\1\1\0\0", 16, 13, GREETING_MORE },
	{ SEAT_VNC, "RFB 003.008\n\1\1\0\0\0\0", 18, 13, GREETING_RIGHT },
	{ SEAT_VNC, "RFB 004.000\n", 12, 0, GREETING_WRONG },
	{ SEAT_VNC, "SSH-2.0", 7, 0, GREETING_WRONG },
	{ SEAT_VNC, "RFB 003.0x8\n", 12, 0, GREETING_WRONG },
	{ SEAT_VNC, "", 0, 0, GREETING_MORE },
	{ SEAT_RDP, "\3\0\0\x13\x0e\xd0", 6, 0, GREETING_MORE },
	{ SEAT_RDP, "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\2\0\x08\0\1\0\0\0", 19, 0, GREETING_RIGHT },
	{ SEAT_RDP, "\3\0\0\x13\x0e\xd0\0\0\x12\x34\0\3\0\x08\0\5\0\0\0", 19, 0, GREETING_RIGHT }, /* it wants something else: it speaks */
	{ SEAT_RDP, "\3\0\0\x0b\x06\xe0\0", 7, 0, GREETING_WRONG },
	{ SEAT_RDP, "RFB 003.008\n", 12, 0, GREETING_WRONG },
	{ SEAT_AGENT, "\x16\3", 2, 0, GREETING_MORE },
	{ SEAT_AGENT, "\x16\3\3", 3, 0, GREETING_RIGHT },
	{ SEAT_AGENT, "\x15\3\3", 3, 0, GREETING_RIGHT },
	{ SEAT_AGENT, "\x16\2\3", 3, 0, GREETING_WRONG },
	{ SEAT_AGENT, "HTTP", 4, 0, GREETING_WRONG },
	{ SEAT_SSH, "SSH-2.", 6, 0, GREETING_MORE },
	{ SEAT_SSH, "SSH-2.0-OpenSSH_9.2\r\n", 21, 0, GREETING_RIGHT },
	{ SEAT_SSH, "RFB 003.008\n", 12, 0, GREETING_WRONG },
};

Test(greeting, is_known_by_its_first_bytes)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(check(cases[i].protocol, cases[i].data, cases[i].len, cases[i].sent), cases[i].want, "case %zu", i);
}

Test(greeting, what_we_say_is_well_formed)
{
	uint8_t out[GREETING_HELLO_MAX];
	size_t n = greeting_hello(SEAT_RDP, out);

	cr_assert_eq(n, 19);
	cr_assert_eq(out[3], 19, "TPKT's length");
	cr_assert_eq(greeting_hello(SEAT_VNC, out), 0, "the server speaks first");
	cr_assert_eq(greeting_reply(SEAT_VNC, NULL, 0, 0, out), 12);
	cr_assert_eq(memcmp(out, "RFB 003.008\n", 12), 0);
	cr_assert_eq(greeting_reply(SEAT_VNC, NULL, 0, 12, out), 1);
	cr_assert_eq(out[0], 1);
	cr_assert_eq(greeting_hello(SEAT_SSH, out), 0, "so does this one");
	n = greeting_hello(SEAT_AGENT, out);
	cr_assert_eq((size_t)(out[3] << 8 | out[4]), n - 5, "the record's length");
	cr_assert_eq((size_t)(out[6] << 16 | out[7] << 8 | out[8]), n - 9, "the message's length");
	cr_assert_eq((size_t)(out[54] << 8 | out[55]), n - 56, "the extensions' length");
}
