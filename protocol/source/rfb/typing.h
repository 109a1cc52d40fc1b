/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a viewer does, as messages of an RFB client (RFC 6143, 7.5.4 and 7.5.5): keys, with their scan codes
 * where the server takes them; the pointer, as a place or in steps; the wheel as buttons. It knows what is
 * down, so that all of it can be let go.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "protocol/link/input.h"

#define RFB_KEYS_MAX 32 /* that are down at a time */

struct rfb_key {
	uint32_t keysym;
	uint16_t keycode;
};

struct rfb_typing {
	struct rfb_key down[RFB_KEYS_MAX];
	size_t n_down;
	uint8_t buttons;          /* ours */
	int32_t x, y;             /* of the pointer */
	int32_t wheel_x, wheel_y; /* what is short of a notch */
	bool takes_scancodes;     /* the server said so */
	bool is_relative;         /* the server wants steps */
	bool is_placed; /* of a relative pointer: it was brought to the upper left corner, from where it is
			   counted */
};

/* Appends the messages of one event; those that mean nothing to an RFB server append nothing. */
void rfb_typing_event(struct rfb_typing *t, const struct input_event *ev, struct pst_buf *out);
/* The server wants pointer events of another kind. */
void rfb_typing_set_relative(struct rfb_typing *t, bool is_relative);
