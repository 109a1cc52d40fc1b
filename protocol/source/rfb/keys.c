/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text as keys. */
#include "protocol/source/rfb/keys.h"

uint32_t rfb_keysym_of_text(uint32_t code_point)
{
	if (code_point == '\n' || code_point == '\r')
		return 0xff0d;
	if (code_point == '\t' || code_point == '\b')
		return 0xff00 | code_point;
	if (code_point < 0x20)
		return 0;
	return code_point < 0x100 ? code_point : 0x01000000 | code_point;
}
