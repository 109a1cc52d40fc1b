/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a viewer does, as calls of QEMU's org.qemu.Display1.Keyboard and .Mouse. Keys go by their places
 * there: what comes as a letter alone is typed where a keyboard of the United States has it. It knows what
 * is down, so that all of it can be let go.
 */
#pragma once

#include <stdbool.h>

#include "protocol/link/input.h"

#define DBUS_KEYS_MAX 32 /* that are down at a time */

enum dbus_act {
	DBUS_KEY_PRESS, /* a: scan code, with 0x80 for E0 */
	DBUS_KEY_RELEASE,
	DBUS_BUTTON_PRESS, /* a: 0 left, 1 middle, 2 right, 3 and 4 wheel up and down, 5 back, 6 forward, 7 and 8 wheel left and right */
	DBUS_BUTTON_RELEASE,
	DBUS_PLACE, /* a, b: x, y */
	DBUS_STEP,  /* a, b: by how much */
};

struct dbus_typing {
	void (*put)(void *arg, enum dbus_act act, int32_t a, int32_t b);
	void *arg;
	int32_t width, height; /* of the screen; nothing is pointed at before */
	struct {
		uint32_t keysym;
		uint16_t keycode;
		uint8_t scancode;
	} down[DBUS_KEYS_MAX];
	size_t n_down;
	uint8_t buttons;
	int32_t x, y;             /* of the pointer */
	int32_t wheel_x, wheel_y; /* what is short of a notch */
	bool is_relative;         /* the machine has no pointer that takes places */
	bool is_placed;           /* of a relative one: it was brought to the upper left corner, from where it is counted */
};

/* Puts the calls of one event; those that mean nothing to QEMU put nothing. */
void dbus_typing_event(struct dbus_typing *t, const struct input_event *ev);
void dbus_typing_set_relative(struct dbus_typing *t, bool is_relative);
/* The machine itself says where its pointer is. */
void dbus_typing_moved(struct dbus_typing *t, int32_t x, int32_t y);
