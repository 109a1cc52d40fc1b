/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and pointer for QEMU. */
#include "protocol/source/dbus/typing.h"

#include <linux/input-event-codes.h>

#include "base/mem.h"
#include "base/text.h"
#include "encoder/pixmap.h"
#include "protocol/link/places.h"

#define NOTCH 120
#define NOTCHES_MAX 8 /* of one event */
#define CORNER SCREEN_SIDE_MAX /* a step that reaches the corner of any screen */

enum { WHEEL_UP = 3, WHEEL_DOWN = 4, WHEEL_LEFT = 7, WHEEL_RIGHT = 8 };

static const struct {
	uint8_t ours, theirs;
} buttons[] = { { INPUT_LEFT, 0 }, { INPUT_MIDDLE, 1 }, { INPUT_RIGHT, 2 }, { INPUT_BACK, 5 }, { INPUT_FORWARD, 6 } };

static size_t key_find(const struct dbus_typing *t, uint32_t keysym, uint16_t keycode)
{
	size_t i = 0;

	/* What went down with Shift comes up without: the key is the same, its keysym is not. */
	while (i < t->n_down && (keycode ? t->down[i].keycode != keycode : t->down[i].keysym != keysym))
		i++;
	return i;
}

static void key_event(struct dbus_typing *t, const struct input_event *ev)
{
	uint16_t place = ev->key.keycode ? ev->key.keycode : place_of(ev->key.keysym, NULL);
	size_t i = key_find(t, ev->key.keysym, ev->key.keycode);
	uint8_t scancode = i < t->n_down ? t->down[i].scancode : place_scancode(place);

	if (!scancode || (ev->key.is_down && i == DBUS_KEYS_MAX))
		return;
	if (ev->key.is_down && i == t->n_down) {
		t->down[t->n_down].keysym = ev->key.keysym;
		t->down[t->n_down].keycode = ev->key.keycode;
		t->down[t->n_down++].scancode = scancode;
	} else if (!ev->key.is_down && i < t->n_down) {
		t->down[i] = t->down[--t->n_down];
	}
	t->put(t->arg, ev->key.is_down ? DBUS_KEY_PRESS : DBUS_KEY_RELEASE, scancode, 0);
}

static void buttons_put(struct dbus_typing *t, uint8_t now)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(buttons); i++)
		if ((now ^ t->buttons) & buttons[i].ours)
			t->put(t->arg, now & buttons[i].ours ? DBUS_BUTTON_PRESS : DBUS_BUTTON_RELEASE, buttons[i].theirs, 0);
	t->buttons = now;
}

static void point(struct dbus_typing *t, int32_t x, int32_t y, uint8_t now)
{
	if (!t->width)
		return;
	x = PST_CLAMP(x, 0, t->width - 1);
	y = PST_CLAMP(y, 0, t->height - 1);
	if (t->is_relative && !t->is_placed) {
		t->put(t->arg, DBUS_STEP, -CORNER, -CORNER);
		t->x = t->y = 0;
		t->is_placed = true;
	}
	if (!t->is_relative)
		t->put(t->arg, DBUS_PLACE, x, y);
	else if (x != t->x || y != t->y)
		t->put(t->arg, DBUS_STEP, x - t->x, y - t->y);
	t->x = x;
	t->y = y;
	buttons_put(t, now);
}

/* Whole notches as clicks; the rest waits for more. */
static void roll(const struct dbus_typing *t, int32_t *rest, int32_t by, int32_t less, int32_t more)
{
	*rest = PST_CLAMP(*rest + by, -NOTCH * NOTCHES_MAX, NOTCH * NOTCHES_MAX);
	for (; *rest >= NOTCH || *rest <= -NOTCH; *rest -= *rest > 0 ? NOTCH : -NOTCH) {
		t->put(t->arg, DBUS_BUTTON_PRESS, *rest > 0 ? more : less, 0);
		t->put(t->arg, DBUS_BUTTON_RELEASE, *rest > 0 ? more : less, 0);
	}
}

static void letter(const struct dbus_typing *t, uint32_t c)
{
	bool is_shifted;
	uint32_t keysym = c == '\n' || c == '\r' ? 0xff0d : c == '\t' || c == '\b' ? 0xff00 | c : c;
	uint8_t scancode = place_scancode(place_of(keysym, &is_shifted)), shift = place_scancode(KEY_LEFTSHIFT);

	if (!scancode)
		return;
	if (is_shifted)
		t->put(t->arg, DBUS_KEY_PRESS, shift, 0);
	t->put(t->arg, DBUS_KEY_PRESS, scancode, 0);
	t->put(t->arg, DBUS_KEY_RELEASE, scancode, 0);
	if (is_shifted)
		t->put(t->arg, DBUS_KEY_RELEASE, shift, 0);
}

static void text_event(const struct dbus_typing *t, const struct input_event *ev)
{
	uint32_t c;
	int n;

	for (size_t at = 0; at < ev->text.len; at += (size_t)PST_MAX(n, 1)) {
		n = pst_utf8_next(ev->text.utf8 + at, ev->text.len - at, &c);
		if (n > 0)
			letter(t, c);
	}
}

/* One finger is the left button. */
static void touch_event(struct dbus_typing *t, const struct input_event *ev)
{
	bool is_down = ev->touch.phase == INPUT_TOUCH_BEGIN || ev->touch.phase == INPUT_TOUCH_MOVE;

	if (ev->touch.finger == 0)
		point(t, ev->touch.x, ev->touch.y, is_down ? INPUT_LEFT : 0);
}

static void release_all(struct dbus_typing *t)
{
	while (t->n_down)
		t->put(t->arg, DBUS_KEY_RELEASE, t->down[--t->n_down].scancode, 0);
	buttons_put(t, 0);
	t->is_placed = false;
}

void dbus_typing_event(struct dbus_typing *t, const struct input_event *ev)
{
	switch (ev->kind) {
	case INPUT_KEY:
		key_event(t, ev);
		break;
	case INPUT_POINTER:
		point(t, ev->pointer.x, ev->pointer.y, ev->pointer.buttons);
		break;
	case INPUT_WHEEL:
		roll(t, &t->wheel_x, ev->wheel.dx, WHEEL_LEFT, WHEEL_RIGHT);
		roll(t, &t->wheel_y, ev->wheel.dy, WHEEL_UP, WHEEL_DOWN);
		break;
	case INPUT_TEXT:
		text_event(t, ev);
		break;
	case INPUT_TOUCH:
		touch_event(t, ev);
		break;
	case INPUT_RELEASE_ALL:
		release_all(t);
		break;
	default:
		break;
	}
}

void dbus_typing_set_relative(struct dbus_typing *t, bool is_relative)
{
	if (t->is_relative != is_relative)
		t->is_placed = false;
	t->is_relative = is_relative;
}

void dbus_typing_moved(struct dbus_typing *t, int32_t x, int32_t y)
{
	if (!t->is_relative || x < 0 || y < 0 || x >= t->width || y >= t->height)
		return;
	t->x = x;
	t->y = y;
	t->is_placed = true;
}
