/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFB ProtocolVersion of a client. */
#include "protocol/gate/rfb_hello.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* True while the bytes so far agree with "RFB xxx.yyy\n". */
static bool fits(const uint8_t *bytes, size_t len)
{
	static const char form[] = "RFB ddd.ddd\n";

	for (size_t i = 0; i < len && i < RFB_HELLO_SIZE; i++)
		if (form[i] == 'd' ? !is_digit(bytes[i]) : bytes[i] != (uint8_t)form[i])
			return false;
	return true;
}

int rfb_hello_parse(const uint8_t *bytes, size_t len)
{
	int major, minor;

	if (!fits(bytes, len))
		return -1;
	if (len < RFB_HELLO_SIZE)
		return 0;
	major = (bytes[4] - '0') * 100 + (bytes[5] - '0') * 10 + bytes[6] - '0';
	minor = (bytes[8] - '0') * 100 + (bytes[9] - '0') * 10 + bytes[10] - '0';
	return major > 3 || (major == 3 && minor >= 8) ? 8 : -2;
}
