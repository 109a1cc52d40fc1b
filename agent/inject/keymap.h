/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searches an XKB map for the key, group and modifiers that give a keysym. Reads the map only: no requests.
 */
#pragma once

#include <X11/XKBlib.h>
#include <stdbool.h>

/* Real modifiers that carry a meaning in this map (0: the map has no such key). */
struct keymap_masks {
	unsigned level3, level5, num_lock;
};

struct keymap_choice {
	KeyCode code;
	unsigned group; /* to be in force while the key is pressed */
	unsigned mods;  /* real modifiers to be in force, all eight of them */
	int cost;       /* 0: press the key as things are */
};

struct keymap_masks keymap_masks_find(XkbDescPtr xkb);

/*
 * The cheapest way to type sym when group and mods (effective, real) are in force now: fewest changes of
 * shift, level and lock modifiers, the present group, then the key `preferred` (0 for none). Control, Alt and
 * Super stay as they are.
 */
bool keymap_find(XkbDescPtr xkb, const struct keymap_masks *masks, KeySym sym, unsigned group, unsigned mods,
	KeyCode preferred, struct keymap_choice *ret);

/* What the key gives in that group with these modifiers; NoSymbol for nothing. */
KeySym keymap_sym(XkbDescPtr xkb, KeyCode code, unsigned group, unsigned mods);

/* The key that holds a real modifier down (never one that locks); 0 for none. */
KeyCode keymap_modifier_key(XkbDescPtr xkb, unsigned mask);

/* True when the key has no keysym at all and no modifier: free to be bound. */
bool keymap_is_spare(XkbDescPtr xkb, KeyCode code);

/* The real modifiers that the key is bound to; 0 for an ordinary key. */
unsigned keymap_mods(XkbDescPtr xkb, KeyCode code);
