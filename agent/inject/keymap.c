/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key → (group, level) → keysym, the other way round. Which level a key is in depends on its type and the
 * modifiers, so the modifiers that may be changed are tried in all their combinations on the few keys that
 * have the keysym at all.
 */
#include "agent/inject/keymap.h"

#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <limits.h>

#define COST_MODIFIER 4 /* each shift or level modifier to change */
#define COST_LOCK 6     /* each lock to change */
#define COST_GROUP 16
#define COST_OTHER_KEY 1

unsigned keymap_mods(XkbDescPtr xkb, KeyCode code)
{
	bool is_key = code >= xkb->min_key_code && code <= xkb->max_key_code;

	return is_key && xkb->map->modmap ? xkb->map->modmap[code] : 0;
}

static unsigned modifiers_of(XkbDescPtr xkb, KeySym sym)
{
	for (unsigned code = xkb->min_key_code; code <= xkb->max_key_code; code++)
		for (int i = 0; i < XkbKeyNumSyms(xkb, code); i++)
			if (XkbKeySymsPtr(xkb, code)[i] == sym && keymap_mods(xkb, (KeyCode)code) != 0)
				return keymap_mods(xkb, (KeyCode)code);
	return 0;
}

struct keymap_masks keymap_masks_find(XkbDescPtr xkb)
{
	const unsigned fixed = ShiftMask | LockMask | ControlMask;

	return (struct keymap_masks){
		.level3 = modifiers_of(xkb, XK_ISO_Level3_Shift) & ~fixed,
		.level5 = modifiers_of(xkb, XK_ISO_Level5_Shift) & ~fixed,
		.num_lock = modifiers_of(xkb, XK_Num_Lock) & ~fixed,
	};
}

/* A key may have fewer groups than the keyboard: the XKB protocol says how the number is brought into range.
 */
static unsigned group_in_range(XkbDescPtr xkb, KeyCode code, unsigned group)
{
	unsigned n = (unsigned)XkbKeyNumGroups(xkb, code), info = (unsigned)XkbKeyGroupInfo(xkb, code);

	if (group < n)
		return group;
	switch (XkbOutOfRangeGroupAction(info)) {
	case XkbRedirectIntoRange:
		group = (unsigned)XkbOutOfRangeGroupNumber(info);
		return group < n ? group : 0;
	case XkbClampIntoRange:
		return n - 1;
	default:
		return group % n;
	}
}

/* The level that the modifiers select, and which of them that uses up. */
static int level_of(const XkbKeyTypeRec *type, unsigned mods, unsigned *ret_consumed)
{
	unsigned active = mods & type->mods.mask;

	*ret_consumed = type->mods.mask;
	for (int i = 0; i < type->map_count; i++) {
		if (!type->map[i].active || type->map[i].mods.mask != active)
			continue;
		if (type->preserve)
			*ret_consumed &= ~(unsigned)type->preserve[i].mask;
		return type->map[i].level;
	}
	return 0;
}

/* Clients turn a letter to its capital where Lock is on and not used up by the level. */
static KeySym capitalised(unsigned mods, KeySym sym)
{
	KeySym lower, upper;

	if (!(mods & LockMask))
		return sym;
	XConvertCase(sym, &lower, &upper);
	return upper;
}

KeySym keymap_sym(XkbDescPtr xkb, KeyCode code, unsigned group, unsigned mods)
{
	unsigned consumed;

	if (code < xkb->min_key_code || code > xkb->max_key_code || XkbKeyNumGroups(xkb, code) == 0)
		return NoSymbol;

	group = group_in_range(xkb, code, group);
	int level = level_of(XkbKeyKeyType(xkb, code, group), mods, &consumed);
	if (level >= XkbKeyGroupWidth(xkb, code, group))
		return NoSymbol;
	return capitalised(mods & ~consumed, XkbKeySymEntry(xkb, code, level, group));
}

static int mods_cost(unsigned changed, const struct keymap_masks *masks)
{
	unsigned locks = LockMask | masks->num_lock;

	return COST_MODIFIER * __builtin_popcount(changed & ~locks) +
	       COST_LOCK * __builtin_popcount(changed & locks);
}

static bool has_sym(XkbDescPtr xkb, KeyCode code, KeySym sym)
{
	KeySym lower, upper;

	for (int i = 0; i < XkbKeyNumSyms(xkb, code); i++) {
		KeySym have = XkbKeySymsPtr(xkb, code)[i];
		if (have == sym)
			return true;
		XConvertCase(have, &lower, &upper);
		if (have != NoSymbol && upper == sym)
			return true;
	}
	return false;
}

struct search {
	XkbDescPtr xkb;
	const struct keymap_masks *masks;
	KeySym sym;
	unsigned group, mods;
	KeyCode preferred;
	struct keymap_choice *best;
};

/* All combinations of the changeable modifiers: bits of `all`, walked as the subsets of a mask. */
static void try_group(const struct search *s, KeyCode code, unsigned group)
{
	unsigned all = ShiftMask | LockMask | s->masks->level3 | s->masks->level5 | s->masks->num_lock;
	unsigned subset = 0;
	int cost_key = (group != s->group ? COST_GROUP : 0) +
		       (code != s->preferred && s->preferred ? COST_OTHER_KEY : 0);

	do {
		unsigned mods = (s->mods & ~all) | subset;
		int cost = mods_cost(mods ^ s->mods, s->masks) + cost_key;
		if (cost < s->best->cost && keymap_sym(s->xkb, code, group, mods) == s->sym)
			*s->best = (struct keymap_choice){ code, group, mods, cost };
		subset = (subset - all) & all;
	} while (subset != 0);
}

bool keymap_find(XkbDescPtr xkb, const struct keymap_masks *masks, KeySym sym, unsigned group, unsigned mods,
	KeyCode preferred, struct keymap_choice *ret)
{
	struct keymap_choice best = { .cost = INT_MAX };
	const struct search s = { xkb, masks, sym, group, mods, preferred, &best };
	unsigned groups = xkb->ctrls ? xkb->ctrls->num_groups : 1;

	for (unsigned code = xkb->min_key_code; code <= xkb->max_key_code; code++) {
		if (!has_sym(xkb, (KeyCode)code, sym))
			continue;
		try_group(&s, (KeyCode)code, group);
		for (unsigned g = 0; g < groups && g < XkbNumKbdGroups; g++)
			if (g != group)
				try_group(&s, (KeyCode)code, g);
	}
	if (best.cost == INT_MAX)
		return false;
	*ret = best;
	return true;
}

static bool locks(KeySym sym)
{
	return sym == XK_Caps_Lock || sym == XK_Shift_Lock || sym == XK_Num_Lock ||
	       sym == XK_ISO_Level3_Lock || sym == XK_ISO_Level5_Lock || sym == XK_Scroll_Lock;
}

KeyCode keymap_modifier_key(XkbDescPtr xkb, unsigned mask)
{
	for (unsigned code = xkb->min_key_code; code <= xkb->max_key_code; code++)
		if (keymap_mods(xkb, (KeyCode)code) == mask && XkbKeyNumSyms(xkb, code) > 0 &&
			!locks(XkbKeySymsPtr(xkb, code)[0]))
			return (KeyCode)code;
	return 0;
}

bool keymap_is_spare(XkbDescPtr xkb, KeyCode code)
{
	if (keymap_mods(xkb, code) != 0)
		return false;
	for (int i = 0; i < XkbKeyNumSyms(xkb, code); i++)
		if (XkbKeySymsPtr(xkb, code)[i] != NoSymbol)
			return false;
	return true;
}
