/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a viewer does, as input events of RDP ([MS-RDPBCGR] 2.2.8.1.2.2). A server reads keys by their places, with the layout
 * that it was told at the beginning; a viewer's layout is known where it tells it, and then places do. Else a key that prints
 * goes as its letter, and places are for what prints nothing and for shortcuts. Pure.
 */
#pragma once

#include <stdbool.h>

#include "protocol/link/input.h"

#define RDP_KEYS_MAX 32 /* that are down at a time */

enum rdp_stroke_kind {
	RDP_STROKE_SCAN,    /* code: the scan code, flags: KBD_FLAGS_… */
	RDP_STROKE_UNICODE, /* code: a unit of UTF-16 */
	RDP_STROKE_MOUSE,   /* flags: PTR_FLAGS_…, at x, y */
	RDP_STROKE_EXTENDED_MOUSE,
	RDP_STROKE_SYNC,    /* flags: the lamps */
};

struct rdp_stroke {
	enum rdp_stroke_kind kind;
	uint16_t flags, code;
	uint16_t x, y;
};

struct rdp_key {
	uint32_t keysym;
	uint16_t keycode;
	struct rdp_stroke down; /* as it was sent; its flags are of the press */
	bool is_silent;         /* nothing was sent */
};

struct rdp_typing {
	struct rdp_key keys[RDP_KEYS_MAX];
	size_t n_keys;
	uint8_t buttons;
	int32_t x, y;
	int32_t wheel_x, wheel_y; /* what is short of a notch */
	bool has_unicode;         /* the server takes letters */
	bool knows_layout;        /* the server was told the viewer's */
	void (*stroke)(void *arg, const struct rdp_stroke *s);
	void *arg;
};

void rdp_typing_event(struct rdp_typing *t, const struct input_event *ev);
