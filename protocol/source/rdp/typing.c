/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys, pointer, wheel and text for an RDP server. */
#include "protocol/source/rdp/typing.h"

#include <freerdp/input.h>

#include "base/mem.h"
#include "base/text.h"
#include "encoder/rect.h"
#include "protocol/link/places.h"
#include "protocol/source/rdp/keys.h"

#define NOTCH 120
#define NOTCHES_MAX 8 /* of one event */

static void stroke(const struct rdp_typing *t, enum rdp_stroke_kind kind, uint16_t flags, uint16_t code)
{
	const struct rdp_stroke s = { kind, flags, code, (uint16_t)t->x, (uint16_t)t->y };

	t->stroke(t->arg, &s);
}

/* --- keys ------------------------------------------------------------------------------------ */

static bool is_down(const struct rdp_typing *t, uint16_t left, uint16_t right)
{
	for (size_t i = 0; i < t->n_keys; i++)
		if (t->keys[i].keycode == left || t->keys[i].keycode == right)
			return true;
	return false;
}

/* With them a key means what it does and not what it prints. AltGr is no such key, nor is the Ctrl that Windows adds to it. */
static bool is_shortcut(const struct rdp_typing *t)
{
	for (size_t i = 0; i < t->n_keys; i++)
		if (t->keys[i].is_silent)
			return false;
	return is_down(t, KEYS_CTRL) || is_down(t, KEYS_ALT) || is_down(t, KEYS_META);
}

static void choose_scan(struct rdp_key *k, uint16_t keycode)
{
	uint8_t scan = place_scancode(keycode);

	k->keycode = keycode;
	k->is_silent = scan == 0;
	k->down = (struct rdp_stroke){ .kind = RDP_STROKE_SCAN, .code = scan & 0x7f, .flags = scan & PLACE_EXTENDED ? KBD_FLAGS_EXTENDED : 0 };
}

/* How a key is sent is chosen when it goes down, and so it comes up. */
static void choose(const struct rdp_typing *t, struct rdp_key *k)
{
	uint32_t letter = keys_letter(k->keysym);
	uint16_t place = k->keycode ? k->keycode : place_of(k->keysym, NULL);

	if (k->keysym == KEYS_LEVEL3 && t->has_unicode && !t->knows_layout)
		k->is_silent = true; /* what it makes of other keys comes as their letters */
	else if (letter > ' ' && letter < 0x10000 && t->has_unicode && !(t->knows_layout && k->keycode) && !is_shortcut(t))
		k->down = (struct rdp_stroke){ .kind = RDP_STROKE_UNICODE, .code = (uint16_t)letter };
	else
		choose_scan(k, place);
}

static void put_key(const struct rdp_typing *t, const struct rdp_key *k, bool goes_down)
{
	if (!k->is_silent)
		stroke(t, k->down.kind, (uint16_t)(k->down.flags | (goes_down ? 0 : KBD_FLAGS_RELEASE)), k->down.code);
}

/* What went down with Shift comes up without: the key is the same, its keysym is not. */
static size_t key_find(const struct rdp_typing *t, const struct input_event *ev)
{
	size_t i = 0;

	while (i < t->n_keys && (ev->key.keycode ? t->keys[i].keycode != ev->key.keycode : t->keys[i].keysym != ev->key.keysym))
		i++;
	return i;
}

static void key_event(struct rdp_typing *t, const struct input_event *ev)
{
	size_t i = key_find(t, ev);

	if (ev->key.is_down && i == t->n_keys && t->n_keys < RDP_KEYS_MAX) {
		struct rdp_key k = { .keysym = ev->key.keysym, .keycode = ev->key.keycode };

		choose(t, &k);
		t->keys[t->n_keys++] = k;
		put_key(t, &k, true);
	} else if (i < t->n_keys) {
		const struct rdp_key k = t->keys[i];

		if (!ev->key.is_down)
			t->keys[i] = t->keys[--t->n_keys];
		put_key(t, &k, ev->key.is_down); /* or it repeats */
	}
}

static void press(const struct rdp_typing *t, uint16_t keycode)
{
	struct rdp_key k = { .keycode = keycode };

	choose_scan(&k, keycode);
	put_key(t, &k, true);
	put_key(t, &k, false);
}

static void put_unit(const struct rdp_typing *t, uint32_t unit)
{
	stroke(t, RDP_STROKE_UNICODE, 0, (uint16_t)unit);
	stroke(t, RDP_STROKE_UNICODE, KBD_FLAGS_RELEASE, (uint16_t)unit);
}

static void put_letter(const struct rdp_typing *t, uint32_t c)
{
	uint32_t keysym = c == '\n' || c == '\r' ? KEYS_RETURN : c == '\t' ? KEYS_TAB : c;

	if (c < ' ' || !t->has_unicode) {
		if (place_of(keysym, NULL))
			press(t, place_of(keysym, NULL));
	} else if (c < 0x10000) {
		put_unit(t, c);
	} else {
		put_unit(t, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(t, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static void text_event(const struct rdp_typing *t, const struct input_event *ev)
{
	uint32_t c;
	int n;

	for (size_t at = 0; at < ev->text.len; at += (size_t)PST_MAX(n, 1)) {
		n = pst_utf8_next(ev->text.utf8 + at, ev->text.len - at, &c);
		if (n > 0)
			put_letter(t, c);
	}
}

/* --- pointer --------------------------------------------------------------------------------- */

static const struct {
	uint8_t button;
	enum rdp_stroke_kind kind;
	uint16_t flag;
} buttons[] = {
	{ INPUT_LEFT, RDP_STROKE_MOUSE, PTR_FLAGS_BUTTON1 },
	{ INPUT_RIGHT, RDP_STROKE_MOUSE, PTR_FLAGS_BUTTON2 },
	{ INPUT_MIDDLE, RDP_STROKE_MOUSE, PTR_FLAGS_BUTTON3 },
	{ INPUT_BACK, RDP_STROKE_EXTENDED_MOUSE, PTR_XFLAGS_BUTTON1 },
	{ INPUT_FORWARD, RDP_STROKE_EXTENDED_MOUSE, PTR_XFLAGS_BUTTON2 },
};

static void point(struct rdp_typing *t, int32_t x, int32_t y, uint8_t pressed)
{
	uint8_t changed = t->buttons ^ pressed;
	bool has_moved = x != t->x || y != t->y;

	t->x = PST_CLAMP(x, 0, SCREEN_SIDE_MAX - 1);
	t->y = PST_CLAMP(y, 0, SCREEN_SIDE_MAX - 1);
	t->buttons = pressed;
	if (has_moved)
		stroke(t, RDP_STROKE_MOUSE, PTR_FLAGS_MOVE, 0);
	for (size_t i = 0; i < PST_ARRAY_LEN(buttons); i++)
		if (changed & buttons[i].button)
			stroke(t, buttons[i].kind, (uint16_t)(buttons[i].flag | (pressed & buttons[i].button ? PTR_FLAGS_DOWN : 0)), 0);
}

/* Nine bits with a sign; servers take an event for a notch, whatever it says. */
static void roll(const struct rdp_typing *t, int32_t *rest, int32_t by, uint16_t flag)
{
	*rest = PST_CLAMP(*rest + by, -NOTCH * NOTCHES_MAX, NOTCH * NOTCHES_MAX);
	for (; *rest >= NOTCH || *rest <= -NOTCH; *rest -= *rest > 0 ? NOTCH : -NOTCH)
		stroke(t, RDP_STROKE_MOUSE, *rest > 0 ? flag | NOTCH : (uint16_t)(flag | PTR_FLAGS_WHEEL_NEGATIVE | (0x100 - NOTCH)), 0);
}

static void touch_event(struct rdp_typing *t, const struct input_event *ev)
{
	bool touches = ev->touch.phase == INPUT_TOUCH_BEGIN || ev->touch.phase == INPUT_TOUCH_MOVE;

	if (ev->touch.finger == 0)
		point(t, ev->touch.x, ev->touch.y, touches ? t->buttons | INPUT_LEFT : (uint8_t)(t->buttons & ~INPUT_LEFT));
}

static void release_all(struct rdp_typing *t)
{
	while (t->n_keys > 0)
		put_key(t, &t->keys[--t->n_keys], false);
	point(t, t->x, t->y, 0);
}

void rdp_typing_event(struct rdp_typing *t, const struct input_event *ev)
{
	switch (ev->kind) {
	case INPUT_KEY:
		key_event(t, ev);
		break;
	case INPUT_POINTER:
		point(t, ev->pointer.x, ev->pointer.y, ev->pointer.buttons);
		break;
	case INPUT_WHEEL:
		roll(t, &t->wheel_y, -ev->wheel.dy, PTR_FLAGS_WHEEL);
		roll(t, &t->wheel_x, ev->wheel.dx, PTR_FLAGS_HWHEEL);
		break;
	case INPUT_TEXT:
		text_event(t, ev);
		break;
	case INPUT_TOUCH:
		touch_event(t, ev);
		break;
	case INPUT_LOCKS:
		stroke(t, RDP_STROKE_SYNC, ev->locks & (KBD_SYNC_SCROLL_LOCK | KBD_SYNC_NUM_LOCK | KBD_SYNC_CAPS_LOCK), 0);
		break;
	case INPUT_RELEASE_ALL:
		release_all(t);
		break;
	default:
		break; /* the layout was told at the beginning; a scale is not carried */
	}
}
