/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys by XTEST. A physical key where the viewer's layout is the desktop's own; otherwise the key and
 * modifiers that give the keysym, or a spare key bound to it. A release lets go what its press pressed, and
 * nothing stays down after keyboard_release_all. Loop thread only.
 */
#pragma once

#include "agent/x11.h"
#include "protocol/link/input.h"

struct keyboard;

/* Returns owned, NULL with err. */
struct keyboard *keyboard_create(struct x11 *x, struct pst_err *err);
void keyboard_destroy(struct keyboard *k);

/* A viewer came: the X server's own key repeat goes off, because viewers repeat by themselves and a stalled
 * line must not flood. */
void keyboard_begin(struct keyboard *k);

/*
 * INPUT_KEY. At least one of keysym and keycode is set. Returns 0, or the milliseconds after which the caller
 * calls again with the same key, because a spare key is not ready; nothing else may be typed meanwhile.
 */
uint64_t keyboard_key(struct keyboard *k, bool is_down, uint32_t keysym, uint16_t evdev);

/* Types one keysym, down and up. Returns as keyboard_key. */
uint64_t keyboard_type(struct keyboard *k, uint32_t keysym);

/* These will be typed soon: binds spare keys for those that no key gives, all at once, as far as spare keys
 * last. */
void keyboard_prepare(struct keyboard *k, const uint32_t *keysyms, size_t n);

/* INPUT_LAYOUT: loads the layout "name" or "name(variant)"; from then on keycodes are keys. 0 or PST_E… with
 * err. */
int keyboard_layout(struct keyboard *k, const char *name, struct pst_err *err);

/* INPUT_LOCKS: enum input_lock bits. */
void keyboard_locks(struct keyboard *k, uint8_t locks);

void keyboard_release_all(struct keyboard *k);
