/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and pointer for an RFB server. */
#include "protocol/source/rfb/typing.h"

#include "base/mem.h"
#include "base/text.h"
#include "protocol/link/places.h"
#include "protocol/source/rfb/keys.h"
#include "protocol/source/rfb/wire.h"

#define NOTCH 120
#define NOTCHES_MAX 8    /* of one event */
#define STEP_ZERO 0x7fff /* of a relative pointer: what means no step */
#define CORNER 8192      /* a step that reaches the corner of any screen */

enum { WHEEL_UP = 8, WHEEL_DOWN = 16, WHEEL_LEFT = 32, WHEEL_RIGHT = 64 };

static void put_key(const struct rfb_typing *t, const struct rfb_key *k, bool is_down, struct pst_buf *out)
{
	uint32_t scancode = t->takes_scancodes ? place_scancode(k->keycode) : 0;
	uint32_t keysym = k->keysym ? k->keysym : place_keysym(k->keycode);

	if (scancode) {
		pst_buf_put_u8(out, RFB_QEMU);
		pst_buf_put_u8(out, 0);
		pst_buf_put_be16(out, is_down);
		pst_buf_put_be32(out, keysym);
		pst_buf_put_be32(out, scancode);
	} else if (keysym) {
		pst_buf_put_u8(out, RFB_KEY_EVENT);
		pst_buf_put_u8(out, is_down);
		pst_buf_put_be16(out, 0);
		pst_buf_put_be32(out, keysym);
	}
}

static size_t key_find(const struct rfb_typing *t, const struct rfb_key *k)
{
	size_t i = 0;

	/* What went down with Shift comes up without: the key is the same, its keysym is not. */
	while (i < t->n_down &&
		(k->keycode ? t->down[i].keycode != k->keycode : t->down[i].keysym != k->keysym))
		i++;
	return i;
}

static void key_event(struct rfb_typing *t, const struct input_event *ev, struct pst_buf *out)
{
	struct rfb_key k = { ev->key.keysym, ev->key.keycode };
	size_t i = key_find(t, &k);

	if (ev->key.is_down && i == t->n_down) {
		if (t->n_down == RFB_KEYS_MAX)
			return;
		t->down[t->n_down++] = k;
	} else if (!ev->key.is_down && i < t->n_down) {
		k = t->down[i];
		t->down[i] = t->down[--t->n_down];
	} else if (i < t->n_down) {
		k = t->down[i]; /* it repeats */
	}
	put_key(t, &k, ev->key.is_down, out);
}

static void put_pointer(struct pst_buf *out, unsigned buttons, int32_t x, int32_t y)
{
	pst_buf_put_u8(out, RFB_POINTER_EVENT);
	pst_buf_put_u8(out, (uint8_t)buttons);
	pst_buf_put_be16(out, (uint16_t)PST_CLAMP(x, 0, UINT16_MAX));
	pst_buf_put_be16(out, (uint16_t)PST_CLAMP(y, 0, UINT16_MAX));
}

static void put_here(const struct rfb_typing *t, unsigned buttons, struct pst_buf *out)
{
	put_pointer(out, buttons, t->is_relative ? STEP_ZERO : t->x, t->is_relative ? STEP_ZERO : t->y);
}

static void point(struct rfb_typing *t, int32_t x, int32_t y, unsigned buttons, struct pst_buf *out)
{
	x = PST_CLAMP(x, 0, CORNER);
	y = PST_CLAMP(y, 0, CORNER);
	if (t->is_relative && !t->is_placed) {
		put_pointer(out, t->buttons, STEP_ZERO - CORNER, STEP_ZERO - CORNER);
		t->x = t->y = 0;
		t->is_placed = true;
	}
	if (t->is_relative)
		put_pointer(out, buttons, STEP_ZERO + x - t->x, STEP_ZERO + y - t->y);
	else
		put_pointer(out, buttons, x, y);
	t->x = x;
	t->y = y;
	t->buttons = (uint8_t)buttons;
}

/* Whole notches as clicks; the rest waits for more. */
static void roll(const struct rfb_typing *t, int32_t *rest, int32_t by, unsigned less, unsigned more,
	struct pst_buf *out)
{
	*rest = PST_CLAMP(*rest + by, -NOTCH * NOTCHES_MAX, NOTCH * NOTCHES_MAX);
	for (; *rest >= NOTCH || *rest <= -NOTCH; *rest -= *rest > 0 ? NOTCH : -NOTCH) {
		put_here(t, t->buttons | (*rest > 0 ? more : less), out);
		put_here(t, t->buttons, out);
	}
}

static void text_event(const struct rfb_typing *t, const struct input_event *ev, struct pst_buf *out)
{
	uint32_t c;
	int n;

	for (size_t at = 0; at < ev->text.len; at += (size_t)PST_MAX(n, 1)) {
		n = pst_utf8_next(ev->text.utf8 + at, ev->text.len - at, &c);
		struct rfb_key k = { n > 0 ? rfb_keysym_of_text(c) : 0, 0 };

		put_key(t, &k, true, out);
		put_key(t, &k, false, out);
	}
}

/* One finger is the left button. */
static void touch_event(struct rfb_typing *t, const struct input_event *ev, struct pst_buf *out)
{
	bool is_down = ev->touch.phase == INPUT_TOUCH_BEGIN || ev->touch.phase == INPUT_TOUCH_MOVE;

	if (ev->touch.finger == 0)
		point(t, ev->touch.x, ev->touch.y, is_down ? INPUT_LEFT : 0, out);
}

static void release_all(struct rfb_typing *t, struct pst_buf *out)
{
	while (t->n_down)
		put_key(t, &t->down[--t->n_down], false, out);
	if (t->buttons)
		put_here(t, 0, out);
	t->buttons = 0;
	t->is_placed = false;
}

void rfb_typing_event(struct rfb_typing *t, const struct input_event *ev, struct pst_buf *out)
{
	switch (ev->kind) {
	case INPUT_KEY:
		key_event(t, ev, out);
		break;
	case INPUT_POINTER:
		/* Left, middle and right are the same bits there; back and forward have none. */
		point(t, ev->pointer.x, ev->pointer.y,
			ev->pointer.buttons & (INPUT_LEFT | INPUT_MIDDLE | INPUT_RIGHT), out);
		break;
	case INPUT_WHEEL:
		roll(t, &t->wheel_x, ev->wheel.dx, WHEEL_LEFT, WHEEL_RIGHT, out);
		roll(t, &t->wheel_y, ev->wheel.dy, WHEEL_UP, WHEEL_DOWN, out);
		break;
	case INPUT_TEXT:
		text_event(t, ev, out);
		break;
	case INPUT_TOUCH:
		touch_event(t, ev, out);
		break;
	case INPUT_RELEASE_ALL:
		release_all(t, out);
		break;
	default:
		break;
	}
}

void rfb_typing_set_relative(struct rfb_typing *t, bool is_relative)
{
	if (t->is_relative != is_relative)
		t->is_placed = false;
	t->is_relative = is_relative;
}
