/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Letters of keys. */
#include "protocol/source/rdp/keys.h"

#include <xkbcommon/xkbcommon.h>

/* 0xff00 to 0xffff are keys of the keyboard's edges and its pad. */
uint32_t keys_letter(uint32_t keysym)
{
	uint32_t c = keysym >= 0xff00 && keysym <= 0xffff ? 0 : xkb_keysym_to_utf32(keysym);

	return c < ' ' || c == 0x7f ? 0 : c;
}
