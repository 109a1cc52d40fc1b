/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys by their codes. */
#include "protocol/source/rfb/keys.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/link/scancode.h"

uint32_t rfb_scancode(uint16_t evdev)
{
	for (unsigned code = 1; evdev && code < 128; code++) {
		if (scancode_to_evdev((uint8_t)code, false) == evdev)
			return code;
		if (scancode_to_evdev((uint8_t)code, true) == evdev)
			return code | 0x80;
	}
	return 0;
}

/* Rows of a US keyboard, each from its first code on. */
static const struct {
	uint16_t first;
	const char *row;
} rows[] = { { KEY_1, "1234567890-=" }, { KEY_Q, "qwertyuiop[]" }, { KEY_A, "asdfghjkl;'`" },
	{ KEY_BACKSLASH, "\\zxcvbnm,./" } };

static const struct {
	uint16_t evdev, keysym;
} others[] = {
	{ KEY_ESC, 0xff1b },
	{ KEY_BACKSPACE, 0xff08 },
	{ KEY_TAB, 0xff09 },
	{ KEY_ENTER, 0xff0d },
	{ KEY_LEFTCTRL, 0xffe3 },
	{ KEY_LEFTSHIFT, 0xffe1 },
	{ KEY_RIGHTSHIFT, 0xffe2 },
	{ KEY_LEFTALT, 0xffe9 },
	{ KEY_SPACE, ' ' },
	{ KEY_CAPSLOCK, 0xffe5 },
	{ KEY_NUMLOCK, 0xff7f },
	{ KEY_SCROLLLOCK, 0xff14 },
	{ KEY_RIGHTCTRL, 0xffe4 },
	{ KEY_RIGHTALT, 0xffea },
	{ KEY_HOME, 0xff50 },
	{ KEY_UP, 0xff52 },
	{ KEY_PAGEUP, 0xff55 },
	{ KEY_LEFT, 0xff51 },
	{ KEY_RIGHT, 0xff53 },
	{ KEY_END, 0xff57 },
	{ KEY_DOWN, 0xff54 },
	{ KEY_PAGEDOWN, 0xff56 },
	{ KEY_INSERT, 0xff63 },
	{ KEY_DELETE, 0xffff },
	{ KEY_SYSRQ, 0xff61 },
	{ KEY_PAUSE, 0xff13 },
	{ KEY_LEFTMETA, 0xffeb },
	{ KEY_RIGHTMETA, 0xffec },
	{ KEY_COMPOSE, 0xff67 },
	{ KEY_102ND, '<' },
	{ KEY_KPENTER, 0xff8d },
	{ KEY_KPASTERISK, 0xffaa },
	{ KEY_KPPLUS, 0xffab },
	{ KEY_KPMINUS, 0xffad },
	{ KEY_KPDOT, 0xffae },
	{ KEY_KPSLASH, 0xffaf },
	{ KEY_KP0, 0xffb0 },
	{ KEY_KP1, 0xffb1 },
	{ KEY_KP2, 0xffb2 },
	{ KEY_KP3, 0xffb3 },
	{ KEY_KP4, 0xffb4 },
	{ KEY_KP5, 0xffb5 },
	{ KEY_KP6, 0xffb6 },
	{ KEY_KP7, 0xffb7 },
	{ KEY_KP8, 0xffb8 },
	{ KEY_KP9, 0xffb9 },
	{ KEY_F11, 0xffc8 },
	{ KEY_F12, 0xffc9 },
};

uint32_t rfb_keysym(uint16_t evdev)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(rows); i++)
		if (evdev >= rows[i].first && evdev < rows[i].first + strlen(rows[i].row))
			return (uint8_t)rows[i].row[evdev - rows[i].first];
	for (size_t i = 0; i < PST_ARRAY_LEN(others); i++)
		if (others[i].evdev == evdev)
			return others[i].keysym;
	return evdev >= KEY_F1 && evdev <= KEY_F10 ? 0xffbeu + evdev - KEY_F1 : 0;
}

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
