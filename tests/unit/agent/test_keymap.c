/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way from keysym to key, on maps made by hand: no X server is asked. */
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <criterion/criterion.h>
#include <stdlib.h>

#include "agent/inject/keymap.h"
#include "base/mem.h"

enum { A = 38, TWO = 11, E = 26, SHIFT = 50, ALTGR = 92, NUM = 77, CAPS = 66, KP1 = 87, FREE = 120 };

static const struct keymap_masks masks = { .level3 = Mod5Mask, .num_lock = Mod2Mask };

static void key_set(XkbDescPtr xkb, KeyCode code, int type, const KeySym *syms, int n)
{
	int types[1] = { type };

	cr_assert_eq(XkbChangeTypesOfKey(xkb, code, 1, XkbGroup1Mask, types, NULL), Success);
	for (int i = 0; i < n; i++)
		XkbKeySymsPtr(xkb, code)[i] = syms[i];
}

static void entry_set(XkbKeyTypePtr type, int i, unsigned mods, int level)
{
	type->map[i].active = True;
	type->map[i].mods.mask = type->map[i].mods.real_mods = (unsigned char)mods;
	type->map[i].level = (unsigned char)level;
}

/* Type 4 of the map: four levels by Shift and AltGr, as the symbols of Europe have them. */
static void four_level(XkbDescPtr xkb)
{
	XkbKeyTypePtr type = &xkb->map->types[4];

	type->mods.mask = type->mods.real_mods = ShiftMask | Mod5Mask;
	type->num_levels = 4;
	type->map_count = 3;
	type->map = calloc(3, sizeof(*type->map));
	entry_set(type, 0, ShiftMask, 1);
	entry_set(type, 1, Mod5Mask, 2);
	entry_set(type, 2, ShiftMask | Mod5Mask, 3);
}

static XkbDescPtr map_make(void)
{
	static const KeySym a[] = { XK_a, XK_A }, two[] = { XK_2, XK_quotedbl, XK_at, XK_section },
			    e[] = { XK_e, XK_E, XK_EuroSign, XK_cent }, shift[] = { XK_Shift_L },
			    altgr[] = { XK_ISO_Level3_Shift }, num[] = { XK_Num_Lock },
			    caps[] = { XK_Caps_Lock }, kp[] = { XK_KP_End, XK_KP_1 };
	XkbDescPtr xkb = XkbAllocKeyboard();

	xkb->min_key_code = 8;
	xkb->max_key_code = 255;
	cr_assert_eq(XkbAllocClientMap(xkb, XkbAllClientInfoMask, 8), Success);
	cr_assert_eq(XkbInitCanonicalKeyTypes(xkb, XkbAllRequiredTypes, 1), Success);
	xkb->map->num_types = 5;
	four_level(xkb);
	entry_set(&xkb->map->types[XkbAlphabeticIndex], 1, LockMask, 1);
	xkb->map->types[XkbAlphabeticIndex].preserve[1].mask = 0;
	key_set(xkb, A, XkbAlphabeticIndex, a, 2);
	key_set(xkb, TWO, 4, two, 4);
	key_set(xkb, E, 4, e, 4);
	key_set(xkb, SHIFT, XkbOneLevelIndex, shift, 1);
	key_set(xkb, ALTGR, XkbOneLevelIndex, altgr, 1);
	key_set(xkb, NUM, XkbOneLevelIndex, num, 1);
	key_set(xkb, CAPS, XkbOneLevelIndex, caps, 1);
	XkbKeyTypePtr keypad = &xkb->map->types[XkbKeypadIndex];
	keypad->mods.mask |= Mod2Mask;
	for (int i = 0; i < keypad->map_count; i++)
		if (keypad->map[i].mods.vmods) {
			keypad->map[i].active = True;
			keypad->map[i].mods.mask = (unsigned char)(keypad->map[i].mods.real_mods | Mod2Mask);
		}
	key_set(xkb, KP1, XkbKeypadIndex, kp, 2);
	xkb->map->modmap[SHIFT] = ShiftMask;
	xkb->map->modmap[CAPS] = LockMask;
	xkb->map->modmap[ALTGR] = Mod5Mask;
	xkb->map->modmap[NUM] = Mod2Mask;
	return xkb;
}

Test(keymap, keysyms_find_their_key_and_modifiers)
{
	static const struct {
		KeySym sym;
		unsigned mods;
		KeyCode code;
		unsigned want;
	} cases[] = {
		{ XK_a, 0, A, 0 },
		{ XK_A, 0, A, ShiftMask },
		{ XK_A, ShiftMask, A, ShiftMask },
		{ XK_a, ShiftMask, A, 0 },
		{ XK_A, LockMask, A, LockMask },
		{ XK_a, LockMask, A, LockMask | ShiftMask },
		{ XK_at, 0, TWO, Mod5Mask },
		{ XK_at, Mod5Mask, TWO, Mod5Mask },
		{ XK_at, ShiftMask, TWO, Mod5Mask },
		{ XK_quotedbl, Mod5Mask, TWO, ShiftMask },
		{ XK_EuroSign, ControlMask, E, ControlMask | Mod5Mask },
		{ XK_a, ControlMask | Mod1Mask, A, ControlMask | Mod1Mask },
		{ XK_ntilde, 0, 0, 0 },
	};
	XkbDescPtr xkb = map_make();

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct keymap_choice c = { 0 };
		bool is_found = keymap_find(xkb, &masks, cases[i].sym, 0, cases[i].mods, 0, &c);
		cr_assert_eq(is_found, cases[i].code != 0, "case %zu", i);
		if (!is_found)
			continue;
		cr_assert(c.code == cases[i].code && c.mods == cases[i].want, "case %zu: code %d mods %x", i,
			c.code, c.mods);
		cr_assert_eq(keymap_sym(xkb, c.code, c.group, c.mods), cases[i].sym);
	}
	XkbFreeKeyboard(xkb, 0, True);
}

Test(keymap, modifiers_and_spare_keys_are_known)
{
	XkbDescPtr xkb = map_make();
	struct keymap_masks m = keymap_masks_find(xkb);

	cr_assert(m.level3 == Mod5Mask && m.num_lock == Mod2Mask && m.level5 == 0);
	cr_assert_eq(keymap_modifier_key(xkb, ShiftMask), SHIFT);
	cr_assert_eq(keymap_modifier_key(xkb, LockMask), 0); /* it would lock */
	cr_assert(keymap_is_spare(xkb, FREE) && !keymap_is_spare(xkb, A) && !keymap_is_spare(xkb, SHIFT));
	cr_assert_eq(keymap_sym(xkb, FREE, 0, 0), (KeySym)NoSymbol);
	cr_assert_eq(keymap_sym(xkb, 3, 0, 0), (KeySym)NoSymbol);
	XkbFreeKeyboard(xkb, 0, True);
}
