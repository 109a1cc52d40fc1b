/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One handler for each kind of event, and the text that waits. */
#include "agent/inject/inject.h"

#include <X11/keysym.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include "agent/inject/keyboard.h"
#include "agent/inject/pointer.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

struct inject {
	struct x11 *x;
	struct keyboard *keyboard;
	struct pointer pointer;
	struct pst_timer *timer;
	void (*idle)(void *arg);
	void *arg;
	char text[INPUT_TEXT_MAX]; /* not typed yet */
	size_t text_at, text_len;
};

/* Line ends and tabs are keys; other control characters are nobody's text. */
static uint32_t keysym_of(uint32_t code_point)
{
	switch (code_point) {
	case '\n':
	case '\r':
		return XK_Return;
	case '\t':
		return XK_Tab;
	case '\b':
		return XK_BackSpace;
	default:
		return code_point < 0x20 || code_point == 0x7f ? 0 : xkb_utf32_to_keysym(code_point);
	}
}

/* Types until the text ends or a spare key has to rest; returns the rest's length in ms, 0 at the end. */
static uint64_t text_type(struct inject *in)
{
	while (in->text_at < in->text_len) {
		uint32_t code_point = 0;
		int n = pst_utf8_next(in->text + in->text_at, in->text_len - in->text_at, &code_point);
		if (n <= 0)
			break;
		uint32_t keysym = keysym_of(code_point);
		uint64_t wait_ms = keysym ? keyboard_type(in->keyboard, keysym, pst_mono_ms()) : 0;
		if (wait_ms > 0)
			return wait_ms;
		in->text_at += (size_t)n;
	}
	in->text_at = in->text_len = 0;
	return 0;
}

static void on_timer(void *arg)
{
	struct inject *in = arg;
	uint64_t wait_ms = text_type(in);

	if (wait_ms > 0)
		pst_timer_start(in->timer, wait_ms, on_timer, in);
	else
		in->idle(in->arg);
}

static bool text_begin(struct inject *in, const struct input_event *ev)
{
	memcpy(in->text, ev->text.utf8, ev->text.len);
	in->text_len = ev->text.len;
	in->text_at = 0;
	uint64_t wait_ms = text_type(in);
	if (wait_ms > 0)
		pst_timer_start(in->timer, wait_ms, on_timer, in);
	return wait_ms == 0;
}

static void release_all(struct inject *in)
{
	keyboard_release_all(in->keyboard);
	if (!in->x->is_lost)
		pointer_release_all(&in->pointer);
}

bool inject_event(struct inject *in, const struct input_event *ev, struct pst_err *err)
{
	if (in->x->is_lost)
		return true;

	switch (ev->kind) {
	case INPUT_KEY:
		keyboard_key(in->keyboard, ev->key.is_down, ev->key.keysym, ev->key.keycode);
		break;
	case INPUT_POINTER:
		pointer_move(&in->pointer, ev->pointer.x, ev->pointer.y);
		pointer_buttons(&in->pointer, ev->pointer.buttons);
		break;
	case INPUT_WHEEL:
		pointer_wheel(&in->pointer, ev->wheel.dx, ev->wheel.dy);
		break;
	case INPUT_TEXT:
		return text_begin(in, ev);
	case INPUT_TOUCH:
		pointer_touch(&in->pointer, ev->touch.phase, ev->touch.finger, ev->touch.x, ev->touch.y);
		break;
	case INPUT_LAYOUT:
		keyboard_layout(in->keyboard, ev->layout.name, err);
		break;
	case INPUT_LOCKS:
		keyboard_locks(in->keyboard, ev->locks);
		break;
	case INPUT_RELEASE_ALL:
		release_all(in);
		break;
	default:
		break;
	}
	return true;
}

void inject_begin(struct inject *in)
{
	pointer_release_all(&in->pointer);
	keyboard_begin(in->keyboard);
}

void inject_end(struct inject *in)
{
	pst_timer_stop(in->timer);
	in->text_at = in->text_len = 0;
	release_all(in);
}

struct inject *inject_create(uv_loop_t *loop, struct x11 *x, void (*idle)(void *arg), void *arg, struct pst_err *err)
{
	struct inject *in = pst_zalloc(1, sizeof(*in));
	if (!in) {
		pst_err_set(err, PST_ENOMEM, "no memory for the input");
		return NULL;
	}

	in->x = x;
	in->idle = idle;
	in->arg = arg;
	pointer_init(&in->pointer, x);
	in->timer = pst_timer_create(loop);
	in->keyboard = keyboard_create(x, err);
	if (!in->timer || !in->keyboard) {
		inject_destroy(in);
		return NULL;
	}
	return in;
}

void inject_destroy(struct inject *in)
{
	if (!in)
		return;

	keyboard_destroy(in->keyboard);
	pst_timer_destroy(in->timer);
	free(in);
}
