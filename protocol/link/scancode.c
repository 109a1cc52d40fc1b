/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scan codes to evdev codes; see scancode.h. Below 0x59 the two sets agree by design of the kernel's table. */
#include "protocol/link/scancode.h"

#include <linux/input-event-codes.h>
#include <stddef.h>

#define PLAIN_LAST 0x58

static const uint16_t plain_above[] = {
	[0x59 - 0x59] = KEY_KPEQUAL,
	[0x5b - 0x59] = KEY_F13,
	[0x70 - 0x59] = KEY_KATAKANAHIRAGANA,
	[0x73 - 0x59] = KEY_RO,
	[0x79 - 0x59] = KEY_HENKAN,
	[0x7b - 0x59] = KEY_MUHENKAN,
	[0x7d - 0x59] = KEY_YEN,
	[0x7e - 0x59] = KEY_KPCOMMA,
};

static const uint16_t extended[128] = {
	[0x10] = KEY_PREVIOUSSONG, [0x19] = KEY_NEXTSONG, [0x1c] = KEY_KPENTER, [0x1d] = KEY_RIGHTCTRL,
	[0x20] = KEY_MUTE, [0x21] = KEY_CALC, [0x22] = KEY_PLAYPAUSE, [0x24] = KEY_STOPCD,
	[0x2e] = KEY_VOLUMEDOWN, [0x30] = KEY_VOLUMEUP, [0x32] = KEY_HOMEPAGE, [0x35] = KEY_KPSLASH,
	[0x37] = KEY_SYSRQ, [0x38] = KEY_RIGHTALT, [0x46] = KEY_PAUSE, [0x47] = KEY_HOME, [0x48] = KEY_UP,
	[0x49] = KEY_PAGEUP, [0x4b] = KEY_LEFT, [0x4d] = KEY_RIGHT, [0x4f] = KEY_END, [0x50] = KEY_DOWN,
	[0x51] = KEY_PAGEDOWN, [0x52] = KEY_INSERT, [0x53] = KEY_DELETE, [0x5b] = KEY_LEFTMETA,
	[0x5c] = KEY_RIGHTMETA, [0x5d] = KEY_COMPOSE, [0x5e] = KEY_POWER, [0x5f] = KEY_SLEEP,
};

uint16_t scancode_to_evdev(uint8_t code, bool is_extended)
{
	if (code > 127)
		return 0;
	if (is_extended)
		return extended[code];
	if (code <= PLAIN_LAST)
		return code == 0x54 || code == 0x55 ? 0 : code;
	size_t above = (size_t)code - (PLAIN_LAST + 1);
	return above < sizeof(plain_above) / sizeof(plain_above[0]) ? plain_above[above] : 0;
}
