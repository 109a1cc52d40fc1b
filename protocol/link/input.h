/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a viewer does: keys, pointer, wheel, touch, text. The same events on every wire; the agent turns them into X input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_TEXT_MAX 1024  /* bytes of UTF-8 in one INPUT_TEXT */
#define INPUT_LAYOUT_MAX 32  /* bytes of an XKB layout name with its NUL */
#define INPUT_TOUCH_MAX 10   /* fingers */
#define INPUT_SCALE_MIN 100  /* percent */
#define INPUT_SCALE_MAX 500

enum input_kind {
	INPUT_KEY,         /* a key went down or up */
	INPUT_POINTER,     /* position and buttons */
	INPUT_WHEEL,       /* scrolled */
	INPUT_TEXT,        /* finished text without keys: IME, phone keyboards, paste as typing */
	INPUT_TOUCH,       /* one finger */
	INPUT_LAYOUT,      /* the viewer's keyboard layout is known (RDP): for keys that come as codes */
	INPUT_LOCKS,       /* the viewer's lock lamps (RDP synchronise): caps, num, scroll */
	INPUT_RELEASE_ALL, /* the viewer lost focus or left: no key or button stays down */
	INPUT_SCALE,       /* how much larger the viewer's user wants things */
	INPUT_KINDS,
};

enum input_button { INPUT_LEFT = 1, INPUT_MIDDLE = 2, INPUT_RIGHT = 4, INPUT_BACK = 8, INPUT_FORWARD = 16 };
enum input_lock { INPUT_SCROLL_LOCK = 1, INPUT_NUM_LOCK = 2, INPUT_CAPS_LOCK = 4 };
enum input_touch { INPUT_TOUCH_BEGIN, INPUT_TOUCH_MOVE, INPUT_TOUCH_END, INPUT_TOUCH_CANCEL };

struct input_event {
	enum input_kind kind;
	union {
		/* keysym: X11 keysym that the viewer's layout gave, 0 unknown. keycode: Linux evdev code of the physical key (KEY_A = 30), 0 unknown. At least one is set. */
		struct {
			bool is_down;
			uint32_t keysym;
			uint16_t keycode;
		} key;
		struct {
			int32_t x, y; /* pixels of the desktop's screen */
			uint8_t buttons;
		} pointer;
		struct {
			int16_t dx, dy; /* 1/120 of a notch, right and down positive */
		} wheel;
		struct {
			char utf8[INPUT_TEXT_MAX];
			uint16_t len;
		} text;
		struct {
			enum input_touch phase;
			uint8_t finger;
			int32_t x, y;
		} touch;
		struct {
			char name[INPUT_LAYOUT_MAX]; /* "es", "de(nodeadkeys)" */
		} layout;
		uint8_t locks;
		uint16_t scale_pct;
	};
};
