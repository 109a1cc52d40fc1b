/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer, buttons, wheel and touch by XTEST. The counting of wheel steps is pure. */
#pragma once

#include "agent/x11.h"
#include "protocol/link/input.h"

#define WHEEL_NOTCH 120
#define WHEEL_NOTCHES_MAX 20 /* clicks that one event may make */

struct pointer {
	struct x11 *x;
	uint8_t buttons;      /* enum input_button bits that are down */
	int wheel_x, wheel_y; /* 1/120 notches that are no click yet */
	int finger;           /* that plays the pointer, -1 for none */
};

void pointer_init(struct pointer *p, struct x11 *x);
void pointer_move(struct pointer *p, int32_t x, int32_t y);
void pointer_buttons(struct pointer *p, uint8_t buttons);
void pointer_wheel(struct pointer *p, int dx, int dy);
/* The first finger moves the pointer with the left button down; others are ignored until it is lifted. */
void pointer_touch(struct pointer *p, enum input_touch phase, uint8_t finger, int32_t x, int32_t y);
void pointer_release_all(struct pointer *p);

/* Adds delta to *rest and returns the whole notches in it, which leave it; a turn of direction forgets the
 * rest. */
int pointer_notches(int *rest, int delta);
