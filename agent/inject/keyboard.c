/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keysyms to X keys. Modifiers that a keysym needs are locked around its press and put back at once, without
 * key events of their own; held ones that are in the way are let go and pressed again. State and map are
 * asked from the server before each keysym: a layout change by the user or a program must never turn into a
 * wrong character.
 */
#include "agent/inject/keyboard.h"

#include <X11/XKBlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XTest.h>
#include <stdlib.h>
#include <string.h>

#include "agent/inject/keymap.h"
#include "agent/inject/layout.h"
#include "agent/inject/spare.h"
#include "base/clock.h"
#include "base/mem.h"

#define PRESSED_MAX 64
#define EVDEV_OFFSET 8 /* X keycode of evdev code 0 */

/* What a press of the viewer pressed here. */
struct pressed {
	uint32_t keysym;
	uint16_t evdev;
	KeyCode code;
};

struct keyboard {
	struct x11 *x;
	XkbDescPtr map;
	struct keymap_masks masks;
	struct spare spare;
	struct pressed pressed[PRESSED_MAX];
	size_t n_pressed;
	bool is_stale;   /* the map changed since it was read */
	bool is_evdev;   /* X keycodes are evdev codes + 8 */
	bool is_viewers; /* the desktop's layout is the viewer's: keycodes are keys */
};

static void fake(struct keyboard *k, KeyCode code, bool is_down)
{
	XTestFakeKeyEvent(k->x->dpy, code, is_down, CurrentTime);
}

/* ---- the map ---- */

static void spare_reconcile(struct keyboard *k)
{
	for (unsigned code = k->map->min_key_code; code <= k->map->max_key_code; code++) {
		if (!keymap_is_spare(k->map, (KeyCode)code))
			continue;
		if (spare_has(&k->spare, (uint8_t)code))
			spare_unbind(&k->spare, (uint8_t)code);
		else
			spare_add(&k->spare, (uint8_t)code);
	}
	/* A layout may have given a meaning of its own to a code that was spare: it is not ours any more. */
	for (size_t i = k->spare.n; i-- > 0;) {
		struct spare_key *key = &k->spare.keys[i];
		if (key->keysym && keymap_sym(k->map, key->code, 0, 0) != key->keysym)
			spare_drop(&k->spare, key->code);
	}
}

static bool keycodes_are_evdev(struct keyboard *k)
{
	if (XkbGetNames(k->x->dpy, XkbKeycodesNameMask, k->map) != Success || !k->map->names ||
		!k->map->names->keycodes)
		return false;
	char *name = XGetAtomName(k->x->dpy, k->map->names->keycodes);
	bool is_evdev = name && strstr(name, "evdev") != NULL;
	XFree(name);
	return is_evdev;
}

static void map_load(struct keyboard *k)
{
	XkbDescPtr map = XkbGetMap(k->x->dpy, XkbAllClientInfoMask, XkbUseCoreKbd);
	if (!map)
		return;

	if (k->map)
		XkbFreeKeyboard(k->map, 0, True);
	k->map = map;
	k->is_stale = false;
	XkbGetControls(k->x->dpy, XkbGroupsWrapMask, k->map);
	k->is_evdev = keycodes_are_evdev(k);
	k->masks = keymap_masks_find(k->map);
	spare_reconcile(k);
}

static bool is_map_event(const struct keyboard *k, const XEvent *ev)
{
	const XkbEvent *xkb = (const XkbEvent *)ev;

	return ev->type == k->x->xkb_base &&
	       (xkb->any.xkb_type == XkbMapNotify || xkb->any.xkb_type == XkbNewKeyboardNotify);
}

static void on_x_event(const XEvent *ev, void *arg)
{
	struct keyboard *k = arg;

	if (is_map_event(k, ev))
		k->is_stale = true;
}

static Bool is_map_event_cb(Display *dpy, XEvent *ev, XPointer arg)
{
	return is_map_event((const struct keyboard *)(const void *)arg, ev);
}

/* The reply to the state brings the map's events that precede it, so both are of the same moment. */
static bool state_get(struct keyboard *k, XkbStatePtr ret)
{
	XEvent ev;

	if (k->x->is_lost || XkbGetState(k->x->dpy, XkbUseCoreKbd, ret) != Success)
		return false;
	while (XCheckIfEvent(k->x->dpy, &ev, is_map_event_cb, (XPointer)k))
		k->is_stale = true;
	if (k->is_stale)
		map_load(k);
	return k->map != NULL;
}

/* ---- modifiers around a key ---- */

static void held_keys(struct keyboard *k, unsigned mods, bool is_down)
{
	for (size_t i = 0; i < k->n_pressed; i++)
		if (keymap_mods(k->map, k->pressed[i].code) & mods)
			fake(k, k->pressed[i].code, is_down);
}

static void choice_enter(struct keyboard *k, const struct keymap_choice *c, const XkbStateRec *now)
{
	unsigned on = c->mods & ~now->mods, off = now->mods & ~c->mods;

	if (c->group != now->group)
		XkbLockGroup(k->x->dpy, XkbUseCoreKbd, c->group);
	if (off & now->latched_mods)
		XkbLatchModifiers(k->x->dpy, XkbUseCoreKbd, off & now->latched_mods, 0);
	held_keys(k, off & now->base_mods, false);
	if (on | (off & now->locked_mods))
		XkbLockModifiers(k->x->dpy, XkbUseCoreKbd, on | (off & now->locked_mods), on);
}

static void choice_leave(struct keyboard *k, const struct keymap_choice *c, const XkbStateRec *now)
{
	unsigned on = c->mods & ~now->mods, off = now->mods & ~c->mods;

	if (on | (off & now->locked_mods))
		XkbLockModifiers(k->x->dpy, XkbUseCoreKbd, on | (off & now->locked_mods), now->locked_mods);
	held_keys(k, off & now->base_mods, true);
	if (c->group != now->group)
		XkbLockGroup(k->x->dpy, XkbUseCoreKbd, now->locked_group);
}

/*
 * Keys that are no characters (arrows, Tab, F5, Shift itself) are pressed whatever the modifiers are:
 * Shift+Tab comes as Tab with Shift held. The keypad's digits are characters.
 */
static bool is_function(uint32_t keysym)
{
	if (keysym >= 0xff95 && keysym <= 0xffb9)
		return keysym >= 0xffaa && keysym <= 0xffaf;
	return (keysym >= 0xff00 && keysym <= 0xffff) || (keysym >= 0x1008fe00 && keysym <= 0x1008ffff) ||
	       (keysym >= 0xfe01 && keysym <= 0xfe0f);
}

/* ---- spare keys ---- */

/* Two equal symbols: with one alone the server would make a pair of lower and upper case of a capital. */
static void spare_bind(struct keyboard *k, uint8_t code, uint32_t keysym)
{
	KeySym pair[2] = { keysym, keysym };

	XChangeKeyboardMapping(k->x->dpy, code, 2, pair, 1);
}

/*
 * Finds a way to type keysym, binding a spare key where there is none. 0 with *ret; or milliseconds to wait,
 * after which it is to be asked again; or -1 when it cannot be typed.
 */
static int64_t choose(struct keyboard *k, uint32_t keysym, uint16_t evdev, const XkbStateRec *now,
	struct keymap_choice *ret)
{
	uint64_t wait_ms, now_ms = pst_mono_ms();
	KeyCode preferred =
		evdev && k->is_evdev && evdev + EVDEV_OFFSET <= 255 ? (KeyCode)(evdev + EVDEV_OFFSET) : 0;

	if (keymap_find(k->map, &k->masks, keysym, now->group, now->mods, preferred, ret)) {
		spare_touch(&k->spare, ret->code, now_ms);
		return (int64_t)spare_settle(&k->spare, ret->code, now_ms);
	}
	uint8_t code = spare_take(&k->spare, keysym, now_ms, true, &wait_ms);
	if (code == 0)
		return wait_ms > 0 ? (int64_t)wait_ms : -1;

	x11_try_begin(k->x);
	spare_bind(k, code, keysym);
	int error = x11_try_end(k->x);
	map_load(k);
	if (error != 0)
		spare_drop(&k->spare, code);
	return error == 0 && spare_has(&k->spare, code) ? SPARE_SETTLE_MS : -1;
}

void keyboard_prepare(struct keyboard *k, const uint32_t *keysyms, size_t n)
{
	uint64_t wait_ms, now_ms = pst_mono_ms();
	struct keymap_choice c;
	XkbStateRec now;
	size_t bound = 0;

	if (!state_get(k, &now))
		return;
	for (size_t i = 0; i < n; i++) {
		if (keymap_find(k->map, &k->masks, keysyms[i], now.group, now.mods, 0, &c)) {
			spare_touch(&k->spare, c.code, now_ms);
			continue;
		}
		if (spare_is_bound(&k->spare, keysyms[i]))
			continue;
		uint8_t code = spare_take(&k->spare, keysyms[i], now_ms, true, &wait_ms);
		if (code == 0)
			break;
		spare_bind(k, code, keysyms[i]);
		bound++;
	}
	if (bound == 0)
		return;
	XSync(k->x->dpy, False);
	map_load(k);
}

/* ---- presses ---- */

/* Returns what choose does; *ret_code is the key that is down now. */
static int64_t press_keysym(struct keyboard *k, uint32_t keysym, uint16_t evdev, KeyCode *ret_code)
{
	struct keymap_choice c;
	XkbStateRec now;

	if (!state_get(k, &now))
		return -1;
	int64_t rc = choose(k, keysym, evdev, &now, &c);
	if (rc != 0)
		return rc;

	*ret_code = c.code;
	if (is_function(keysym) || keymap_mods(k->map, c.code) != 0) {
		fake(k, c.code, true);
		return 0;
	}
	choice_enter(k, &c, &now);
	fake(k, c.code, true);
	choice_leave(k, &c, &now);
	return 0;
}

static KeyCode press_physical(struct keyboard *k, uint16_t evdev)
{
	unsigned code = evdev + EVDEV_OFFSET;

	if (!k->is_evdev || code < k->map->min_key_code || code > k->map->max_key_code)
		return 0;
	fake(k, (KeyCode)code, true);
	return (KeyCode)code;
}

static bool is_same_letter(uint32_t a, uint32_t b)
{
	KeySym lower_a, lower_b, upper;

	XConvertCase(a, &lower_a, &upper);
	XConvertCase(b, &lower_b, &upper);
	return lower_a == lower_b;
}

/* A release may name another case of the letter when Shift went up first, and has the same physical key if it
 * has one. */
static struct pressed *pressed_find(struct keyboard *k, uint32_t keysym, uint16_t evdev)
{
	for (size_t i = 0; i < k->n_pressed; i++)
		if (evdev ? k->pressed[i].evdev == evdev : k->pressed[i].keysym == keysym)
			return &k->pressed[i];
	for (size_t i = 0; i < k->n_pressed && !evdev; i++)
		if (is_same_letter(k->pressed[i].keysym, keysym))
			return &k->pressed[i];
	return NULL;
}

static void release(struct keyboard *k, struct pressed *p)
{
	KeyCode code = p->code;

	*p = k->pressed[--k->n_pressed];
	for (size_t i = 0; i < k->n_pressed; i++)
		if (k->pressed[i].code == code)
			return;
	spare_set_down(&k->spare, code, false);
	fake(k, code, false);
}

static uint64_t press(struct keyboard *k, uint32_t keysym, uint16_t evdev)
{
	KeyCode code = 0;

	if (k->n_pressed == PRESSED_MAX)
		keyboard_release_all(k);
	if (evdev && (k->is_viewers || keysym == 0))
		code = press_physical(k, evdev);
	if (code == 0 && keysym) {
		int64_t rc = press_keysym(k, keysym, evdev, &code);
		if (rc > 0)
			return (uint64_t)rc;
	}
	if (code == 0)
		return 0;
	spare_set_down(&k->spare, code, true);
	k->pressed[k->n_pressed++] = (struct pressed){ keysym, evdev, code };
	return 0;
}

uint64_t keyboard_key(struct keyboard *k, bool is_down, uint32_t keysym, uint16_t evdev)
{
	if (k->x->is_lost || !k->map)
		return 0;

	struct pressed *p = pressed_find(k, keysym, evdev);
	if (!is_down) {
		if (p)
			release(k, p);
		return 0;
	}
	/* A second press is the viewer's key repeat. */
	if (p && keymap_mods(k->map, p->code) != 0)
		return 0;
	if (p)
		release(k, p);
	return press(k, keysym, evdev);
}

uint64_t keyboard_type(struct keyboard *k, uint32_t keysym)
{
	struct keymap_choice c;
	XkbStateRec now;

	if (!state_get(k, &now))
		return 0;
	int64_t rc = choose(k, keysym, 0, &now, &c);
	if (rc != 0)
		return rc > 0 ? (uint64_t)rc : 0;

	choice_enter(k, &c, &now);
	fake(k, c.code, true);
	fake(k, c.code, false);
	choice_leave(k, &c, &now);
	return 0;
}

/* ---- the rest ---- */

static void repeat_off(struct keyboard *k)
{
	XkbChangeEnabledControls(k->x->dpy, XkbUseCoreKbd, XkbRepeatKeysMask, 0);
}

int keyboard_layout(struct keyboard *k, const char *name, struct pst_err *err)
{
	keyboard_release_all(k);
	int rc = layout_load(k->x, name, err);
	k->is_stale = true;
	map_load(k);
	repeat_off(k);
	k->is_viewers = rc == 0;
	return rc;
}

void keyboard_locks(struct keyboard *k, uint8_t locks)
{
	unsigned values = 0;
	XkbStateRec now;

	if (!state_get(k, &now))
		return;
	if (locks & INPUT_CAPS_LOCK)
		values |= LockMask;
	if (locks & INPUT_NUM_LOCK)
		values |= k->masks.num_lock;
	XkbLockModifiers(k->x->dpy, XkbUseCoreKbd, LockMask | k->masks.num_lock, values);
}

/* Every key that the server sees down, ours or left by an agent before us: a desktop has no other keyboard.
 */
void keyboard_release_all(struct keyboard *k)
{
	char down[32] = { 0 };

	k->n_pressed = 0;
	for (size_t i = 0; i < k->spare.n; i++)
		k->spare.keys[i].is_down = false;
	if (k->x->is_lost)
		return;
	XQueryKeymap(k->x->dpy, down);
	for (unsigned code = EVDEV_OFFSET; code < 256; code++)
		if (down[code / 8] & (1 << code % 8))
			fake(k, (KeyCode)code, false);
	XkbLatchModifiers(k->x->dpy, XkbUseCoreKbd, 0xff, 0);
	XFlush(k->x->dpy);
}

void keyboard_begin(struct keyboard *k)
{
	k->is_viewers = false;
	keyboard_release_all(k);
	repeat_off(k);
	if (k->is_stale)
		map_load(k);
}

struct keyboard *keyboard_create(struct x11 *x, struct pst_err *err)
{
	const unsigned events = XkbMapNotifyMask | XkbNewKeyboardNotifyMask;
	struct keyboard *k = pst_zalloc(1, sizeof(*k));
	if (!k) {
		pst_err_set(err, PST_ENOMEM, "no memory for the keyboard");
		return NULL;
	}

	k->x = x;
	XkbSelectEvents(x->dpy, XkbUseCoreKbd, events, events);
	map_load(k);
	if (!k->map) {
		free(k);
		pst_err_set(err, PST_EIO, "the X server gives no keyboard map");
		return NULL;
	}
	x11_subscribe(x, on_x_event, k);
	return k;
}

void keyboard_destroy(struct keyboard *k)
{
	if (!k)
		return;

	keyboard_release_all(k);
	XkbFreeKeyboard(k->map, 0, True);
	free(k);
}
