/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X buttons: 1 left, 2 middle, 3 right, 4-7 the wheel's clicks, 8 back, 9 forward. */
#include "agent/inject/pointer.h"

#include <X11/extensions/XTest.h>
#include <stdlib.h>

#include "base/mem.h"

enum { BUTTON_UP = 4, BUTTON_DOWN = 5, BUTTON_LEFT = 6, BUTTON_RIGHT = 7 };

static const uint8_t x_button[] = { 1, 2, 3, 8, 9 }; /* by bit of enum input_button */

void pointer_init(struct pointer *p, struct x11 *x)
{
	*p = (struct pointer){ .x = x, .finger = -1 };
}

void pointer_move(struct pointer *p, int32_t x, int32_t y)
{
	XTestFakeMotionEvent(
		p->x->dpy, p->x->screen, PST_CLAMP(x, 0, 32767), PST_CLAMP(y, 0, 32767), CurrentTime);
}

void pointer_buttons(struct pointer *p, uint8_t buttons)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(x_button); i++)
		if ((buttons ^ p->buttons) & (1u << i))
			XTestFakeButtonEvent(p->x->dpy, x_button[i], (buttons >> i) & 1, CurrentTime);
	p->buttons = buttons;
}

int pointer_notches(int *rest, int delta)
{
	if ((*rest < 0 && delta > 0) || (*rest > 0 && delta < 0))
		*rest = 0;

	*rest += delta;
	int notches = *rest / WHEEL_NOTCH;
	*rest -= notches * WHEEL_NOTCH;
	return PST_CLAMP(notches, -WHEEL_NOTCHES_MAX, WHEEL_NOTCHES_MAX);
}

static void click(struct pointer *p, int notches, unsigned negative, unsigned positive)
{
	unsigned button = notches < 0 ? negative : positive;

	for (int i = 0; i < abs(notches); i++) {
		XTestFakeButtonEvent(p->x->dpy, button, True, CurrentTime);
		XTestFakeButtonEvent(p->x->dpy, button, False, CurrentTime);
	}
}

void pointer_wheel(struct pointer *p, int dx, int dy)
{
	click(p, pointer_notches(&p->wheel_y, dy), BUTTON_UP, BUTTON_DOWN);
	click(p, pointer_notches(&p->wheel_x, dx), BUTTON_LEFT, BUTTON_RIGHT);
}

void pointer_touch(struct pointer *p, enum input_touch phase, uint8_t finger, int32_t x, int32_t y)
{
	if (phase == INPUT_TOUCH_BEGIN && p->finger < 0) {
		p->finger = finger;
		pointer_move(p, x, y);
		pointer_buttons(p, INPUT_LEFT);
	} else if (p->finger == finger) {
		if (phase != INPUT_TOUCH_CANCEL)
			pointer_move(p, x, y);
		if (phase == INPUT_TOUCH_END || phase == INPUT_TOUCH_CANCEL) {
			pointer_buttons(p, 0);
			p->finger = -1;
		}
	}
}

/* Buttons that another agent before us left down count as well. */
void pointer_release_all(struct pointer *p)
{
	static const unsigned mask[] = { Button1Mask, Button2Mask, Button3Mask };
	Window root, child;
	int x, y, wx, wy;
	unsigned state = 0;

	pointer_buttons(p, 0);
	p->wheel_x = p->wheel_y = 0;
	p->finger = -1;
	XQueryPointer(p->x->dpy, p->x->root, &root, &child, &x, &y, &wx, &wy, &state);
	for (unsigned i = 0; i < PST_ARRAY_LEN(mask); i++)
		if (state & mask[i])
			XTestFakeButtonEvent(p->x->dpy, i + 1, False, CurrentTime);
}
