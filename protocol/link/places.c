/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where keys are. */
#include "protocol/link/places.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/link/scancode.h"

uint8_t place_scancode(uint16_t evdev)
{
	for (uint8_t code = 1; evdev && code < 128; code++) {
		if (scancode_to_evdev(code, false) == evdev)
			return code;
		if (scancode_to_evdev(code, true) == evdev)
			return code | PLACE_EXTENDED;
	}
	return 0;
}

/* Rows of a US keyboard, each from its first code on. */
static const struct {
	uint16_t first;
	const char *plain, *shifted;
} rows[] = {
	{ KEY_1, "1234567890-=", "!@#$%^&*()_+" },
	{ KEY_Q, "qwertyuiop[]", "QWERTYUIOP{}" },
	{ KEY_A, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
	{ KEY_BACKSLASH, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
};

static const struct {
	uint16_t evdev, keysym;
} others[] = {
	{ KEY_ESC, 0xff1b }, { KEY_BACKSPACE, 0xff08 }, { KEY_TAB, 0xff09 }, { KEY_TAB, 0xfe20 }, { KEY_ENTER, 0xff0d },
	{ KEY_LEFTCTRL, 0xffe3 }, { KEY_RIGHTCTRL, 0xffe4 }, { KEY_LEFTSHIFT, 0xffe1 }, { KEY_RIGHTSHIFT, 0xffe2 },
	{ KEY_LEFTALT, 0xffe9 }, { KEY_LEFTALT, 0xffe7 }, { KEY_RIGHTALT, 0xffea }, { KEY_RIGHTALT, 0xfe03 },
	{ KEY_LEFTMETA, 0xffeb }, { KEY_RIGHTMETA, 0xffec }, { KEY_COMPOSE, 0xff67 }, { KEY_102ND, '<' }, { KEY_SPACE, ' ' },
	{ KEY_CAPSLOCK, 0xffe5 }, { KEY_NUMLOCK, 0xff7f }, { KEY_SCROLLLOCK, 0xff14 },
	{ KEY_HOME, 0xff50 }, { KEY_LEFT, 0xff51 }, { KEY_UP, 0xff52 }, { KEY_RIGHT, 0xff53 }, { KEY_DOWN, 0xff54 },
	{ KEY_PAGEUP, 0xff55 }, { KEY_PAGEDOWN, 0xff56 }, { KEY_END, 0xff57 }, { KEY_INSERT, 0xff63 }, { KEY_DELETE, 0xffff },
	{ KEY_SYSRQ, 0xff61 }, { KEY_PAUSE, 0xff13 }, { KEY_F11, 0xffc8 }, { KEY_F12, 0xffc9 },
	{ KEY_KPENTER, 0xff8d }, { KEY_KPASTERISK, 0xffaa }, { KEY_KPPLUS, 0xffab }, { KEY_KPMINUS, 0xffad }, { KEY_KPDOT, 0xffae },
	{ KEY_KPSLASH, 0xffaf }, { KEY_KP0, 0xffb0 }, { KEY_KP1, 0xffb1 }, { KEY_KP2, 0xffb2 }, { KEY_KP3, 0xffb3 }, { KEY_KP4, 0xffb4 },
	{ KEY_KP5, 0xffb5 }, { KEY_KP6, 0xffb6 }, { KEY_KP7, 0xffb7 }, { KEY_KP8, 0xffb8 }, { KEY_KP9, 0xffb9 },
};

static uint16_t in_row(const char *row, uint16_t first, uint32_t keysym)
{
	const char *at = keysym > ' ' && keysym < 0x7f ? strchr(row, (int)keysym) : NULL;

	return at ? (uint16_t)(first + (at - row)) : 0;
}

uint16_t place_of(uint32_t keysym, bool *ret_is_shifted)
{
	bool other;

	ret_is_shifted = ret_is_shifted ? ret_is_shifted : &other;
	for (size_t i = 0; i < PST_ARRAY_LEN(rows); i++) {
		uint16_t plain = in_row(rows[i].plain, rows[i].first, keysym), shifted = in_row(rows[i].shifted, rows[i].first, keysym);

		*ret_is_shifted = shifted != 0;
		if (plain || shifted)
			return plain ? plain : shifted;
	}
	*ret_is_shifted = false;
	for (size_t i = 0; i < PST_ARRAY_LEN(others); i++)
		if (others[i].keysym == keysym)
			return others[i].evdev;
	return keysym >= 0xffbe && keysym <= 0xffc7 ? (uint16_t)(KEY_F1 + keysym - 0xffbe) : 0;
}

uint32_t place_keysym(uint16_t evdev)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(rows); i++)
		if (evdev >= rows[i].first && evdev < rows[i].first + strlen(rows[i].plain))
			return (uint8_t)rows[i].plain[evdev - rows[i].first];
	for (size_t i = 0; i < PST_ARRAY_LEN(others); i++)
		if (others[i].evdev == evdev)
			return others[i].keysym;
	return evdev >= KEY_F1 && evdev <= KEY_F10 ? 0xffbeu + evdev - KEY_F1 : 0;
}
