/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys by letters and by places, wheels, buttons. Covers: protocol/source/rdp/typing.c protocol/source/rdp/keys.c */
#include "protocol/source/rdp/typing.h"

#include <criterion/criterion.h>
#include <freerdp/input.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/rdp/keys.h"

static char said[1024];

static void on_stroke(void *arg, const struct rdp_stroke *s)
{
	static const char *const names[] = { "scan", "letter", "mouse", "extra", "sync" };
	size_t len = strlen(said);

	snprintf(said + len, sizeof(said) - len, "%s %x %x;", names[s->kind], s->flags, s->code);
}

static struct rdp_typing typing(bool has_unicode, bool knows_layout)
{
	said[0] = '\0';
	return (struct rdp_typing){ .has_unicode = has_unicode, .knows_layout = knows_layout, .stroke = on_stroke };
}

static void key(struct rdp_typing *t, bool is_down, uint32_t keysym, uint16_t keycode)
{
	const struct input_event ev = { .kind = INPUT_KEY, .key = { is_down, keysym, keycode } };

	rdp_typing_event(t, &ev);
}

Test(rdp_typing, a_letter_goes_as_a_letter_and_comes_up_as_it_went_down)
{
	struct rdp_typing t = typing(true, false);

	key(&t, true, 0xf1, 39);
	key(&t, true, 0xd1, 39); /* it repeats, with Shift by now */
	key(&t, false, 0xd1, 39);
	key(&t, false, 0xf1, 39); /* nothing is down any more */
	cr_expect_str_eq(said, "letter 0 f1;letter 0 f1;letter 8000 f1;");
}

Test(rdp_typing, places_where_letters_do_not_do)
{
	struct rdp_typing t = typing(true, false);

	key(&t, true, 0xff0d, 28);             /* Return */
	key(&t, true, 0xffe3, KEY_LEFTCTRL);
	key(&t, true, 'c', KEY_C);             /* Ctrl+C is no letter */
	key(&t, true, 0xff52, KEY_UP);
	cr_expect_str_eq(said, "scan 0 1c;scan 0 1d;scan 0 2e;scan 100 48;");
}

Test(rdp_typing, what_altgr_makes_is_enough)
{
	struct rdp_typing t = typing(true, false);

	key(&t, true, 0xffe3, KEY_LEFTCTRL); /* as Windows says AltGr */
	key(&t, true, KEYS_LEVEL3, KEY_RIGHTALT);
	key(&t, true, 0x20ac, KEY_E);
	key(&t, false, KEYS_LEVEL3, KEY_RIGHTALT);
	cr_expect_str_eq(said, "scan 0 1d;letter 0 20ac;");
}

Test(rdp_typing, a_layout_that_both_know_needs_no_letters)
{
	struct rdp_typing t = typing(true, true);

	key(&t, true, 0xf1, 39);
	key(&t, true, 0xe1, 0); /* a viewer that has no places has its letters */
	cr_expect_str_eq(said, "scan 0 27;letter 0 e1;");
}

Test(rdp_typing, without_letters_there_are_the_places_of_a_us_keyboard)
{
	struct rdp_typing t = typing(false, false);

	key(&t, true, '?', 0);
	key(&t, true, 0xf1, 0);
	cr_expect_str_eq(said, "scan 0 35;");
	cr_expect_eq(keys_letter(0x01000000 | 0x4e2d), 0x4e2d);
	cr_expect_eq(keys_letter(0xff0d), 0);
}

Test(rdp_typing, text_is_typed_in_units)
{
	struct rdp_typing t = typing(true, false);
	struct input_event ev = { .kind = INPUT_TEXT, .text = { .utf8 = "€\n𝄞", .len = 8 } };

	rdp_typing_event(&t, &ev);
	cr_expect_str_eq(said, "letter 0 20ac;letter 8000 20ac;scan 0 1c;scan 8000 1c;letter 0 d834;letter 8000 d834;letter 0 dd1e;letter 8000 dd1e;");
}

Test(rdp_typing, the_pointer_s_buttons_and_wheels)
{
	struct rdp_typing t = typing(true, false);
	struct input_event ev = { .kind = INPUT_POINTER, .pointer = { 3, 4, INPUT_LEFT | INPUT_BACK } };

	rdp_typing_event(&t, &ev);
	ev = (struct input_event){ .kind = INPUT_WHEEL, .wheel = { 0, 60 } };
	rdp_typing_event(&t, &ev);
	rdp_typing_event(&t, &ev);
	ev = (struct input_event){ .kind = INPUT_RELEASE_ALL };
	rdp_typing_event(&t, &ev);
	cr_expect_str_eq(said, "mouse 800 0;mouse 9000 0;extra 8001 0;mouse 388 0;mouse 1000 0;extra 1 0;");
}
