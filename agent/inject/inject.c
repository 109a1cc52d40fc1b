/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One handler for each kind of event, and the key or text that waits for its spare keys. */
#include "agent/inject/inject.h"

#include <X11/keysym.h>
#include <stdlib.h>
#include <xkbcommon/xkbcommon.h>

#include "agent/inject/keyboard.h"
#include "agent/inject/pointer.h"
#include "agent/inject/spare.h"
#include "base/log.h"
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
	struct input_event held; /* the key or text that waits */
	size_t text_at;          /* bytes of the held text that are typed */
	bool is_holding;
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

/* Keys for the rest of the text, so that the programs see all changes of the map before the first press. */
static void text_prepare(struct inject *in)
{
	uint32_t keysyms[SPARE_MAX], code_point = 0;
	size_t n = 0, at = in->text_at;

	while (at < in->held.text.len && n < SPARE_MAX) {
		int used = pst_utf8_next(in->held.text.utf8 + at, in->held.text.len - at, &code_point);
		if (used <= 0)
			break;
		at += (size_t)used;
		uint32_t keysym = keysym_of(code_point);
		if (keysym)
			keysyms[n++] = keysym;
	}
	keyboard_prepare(in->keyboard, keysyms, n);
}

/* Types until the text ends or a spare key is not ready; returns milliseconds to wait, 0 at the end. */
static uint64_t text_type(struct inject *in)
{
	uint32_t code_point = 0;

	text_prepare(in);
	while (in->text_at < in->held.text.len) {
		int n = pst_utf8_next(
			in->held.text.utf8 + in->text_at, in->held.text.len - in->text_at, &code_point);
		if (n <= 0)
			break;
		uint32_t keysym = keysym_of(code_point);
		uint64_t wait_ms = keysym ? keyboard_type(in->keyboard, keysym) : 0;
		if (wait_ms > 0)
			return wait_ms;
		in->text_at += (size_t)n;
	}
	return 0;
}

static uint64_t held_try(struct inject *in)
{
	const struct input_event *ev = &in->held;

	if (ev->kind == INPUT_TEXT)
		return text_type(in);
	return keyboard_key(in->keyboard, ev->key.is_down, ev->key.keysym, ev->key.keycode);
}

static void on_timer(void *arg)
{
	struct inject *in = arg;
	uint64_t wait_ms = held_try(in);

	in->is_holding = wait_ms > 0;
	if (in->is_holding)
		pst_timer_start(in->timer, wait_ms, on_timer, in);
	else
		in->idle(in->arg);
}

static bool held_begin(struct inject *in, const struct input_event *ev)
{
	in->held = *ev;
	in->text_at = 0;
	uint64_t wait_ms = held_try(in);
	in->is_holding = wait_ms > 0;
	if (in->is_holding)
		pst_timer_start(in->timer, wait_ms, on_timer, in);
	return !in->is_holding;
}

static void release_all(struct inject *in)
{
	keyboard_release_all(in->keyboard);
	if (!in->x->is_lost)
		pointer_release_all(&in->pointer);
}

bool inject_event(struct inject *in, const struct input_event *ev)
{
	struct pst_err why = PST_ERR_INIT;

	PRE(!in->is_holding);
	if (in->x->is_lost)
		return true;

	switch (ev->kind) {
	case INPUT_KEY:
	case INPUT_TEXT:
		return held_begin(in, ev);
	case INPUT_POINTER:
		pointer_move(&in->pointer, ev->pointer.x, ev->pointer.y);
		pointer_buttons(&in->pointer, ev->pointer.buttons);
		break;
	case INPUT_WHEEL:
		pointer_wheel(&in->pointer, ev->wheel.dx, ev->wheel.dy);
		break;
	case INPUT_TOUCH:
		pointer_touch(&in->pointer, ev->touch.phase, ev->touch.finger, ev->touch.x, ev->touch.y);
		break;
	case INPUT_LAYOUT:
		if (keyboard_layout(in->keyboard, ev->layout.name, &why) < 0)
			pst_info("input: %s", why.text);
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
	in->is_holding = false;
	release_all(in);
}

struct inject *inject_create(
	uv_loop_t *loop, struct x11 *x, void (*idle)(void *arg), void *arg, struct pst_err *err)
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
	if (!in->timer)
		pst_err_set(err, PST_ENOMEM, "no memory for the input");
	else
		in->keyboard = keyboard_create(x, err);
	if (!in->keyboard) {
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
