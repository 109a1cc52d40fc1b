/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a viewer does in the words of QEMU's D-Bus display.
 * Covers: protocol/source/dbus/typing.c
 */
#include "protocol/source/dbus/typing.h"

#include <criterion/criterion.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <string.h>

static char said[2048];

static void put(void *arg, enum dbus_act act, int32_t a, int32_t b)
{
	static const char *const words[] = { "press", "release", "down", "up", "place", "step" };
	size_t n = strlen(said);

	if (act == DBUS_PLACE || act == DBUS_STEP)
		snprintf(said + n, sizeof(said) - n, "%s %d,%d;", words[act], a, b);
	else
		snprintf(said + n, sizeof(said) - n, "%s %x;", words[act], (unsigned)a);
}

static struct dbus_typing typing(bool is_relative)
{
	said[0] = '\0';
	return (struct dbus_typing){ .put = put, .width = 640, .height = 480, .is_relative = is_relative };
}

static void expect(struct dbus_typing *t, const struct input_event *ev, const char *wanted)
{
	said[0] = '\0';
	dbus_typing_event(t, ev);
	cr_expect_str_eq(said, wanted, "%s instead of %s", said, wanted);
}

#define KEY(down, sym, code) &(struct input_event){ .kind = INPUT_KEY, .key = { down, sym, code } }
#define POINTER(x, y, buttons) &(struct input_event){ .kind = INPUT_POINTER, .pointer = { x, y, buttons } }
#define WHEEL(x, y) &(struct input_event){ .kind = INPUT_WHEEL, .wheel = { x, y } }
#define TEXT(s) &(struct input_event){ .kind = INPUT_TEXT, .text = { s, sizeof(s) - 1 } }
#define ALL_UP &(struct input_event){ .kind = INPUT_RELEASE_ALL }

Test(dbus_typing, test_keys_go_by_their_places)
{
	struct dbus_typing t = typing(false);

	expect(&t, KEY(true, 'a', KEY_A), "press 1e;");
	expect(&t, KEY(true, 'a', KEY_A), "press 1e;"); /* it repeats */
	expect(&t, KEY(false, 'A', KEY_A), "release 1e;");
	expect(&t, KEY(true, 0xff53, KEY_RIGHT), "press cd;");
	expect(&t, KEY(true, '@', 0), "press 3;"); /* without a place: where a US keyboard has it */
	expect(&t, KEY(true, 0x20ac, 0), "");
	expect(&t, ALL_UP, "release 3;release cd;");
	expect(&t, ALL_UP, "");
}

Test(dbus_typing, test_no_more_keys_are_down_than_can_be_let_go)
{
	struct dbus_typing t = typing(false);

	for (uint16_t code = 1; code < 60; code++)
		dbus_typing_event(&t, KEY(true, 0, code));
	cr_expect_eq(t.n_down, DBUS_KEYS_MAX);
	said[0] = '\0';
	dbus_typing_event(&t, ALL_UP);
	cr_expect_eq(t.n_down, 0);
	cr_expect(strstr(said, "release 1;"));
}

Test(dbus_typing, test_text_is_typed_with_shift_where_it_needs_it)
{
	struct dbus_typing t = typing(false);

	expect(&t, TEXT("aB\n\xc3\xb1"), "press 1e;release 1e;press 2a;press 30;release 30;release 2a;press 1c;release 1c;");
}

Test(dbus_typing, test_a_pointer_is_placed_on_the_screen)
{
	struct dbus_typing t = typing(false);

	expect(&t, POINTER(10, 20, 0), "place 10,20;");
	expect(&t, POINTER(700, -5, INPUT_LEFT | INPUT_FORWARD), "place 639,0;down 0;down 6;");
	expect(&t, POINTER(1, 1, INPUT_RIGHT), "place 1,1;up 0;down 2;up 6;");
	expect(&t, WHEEL(0, -60), "");
	expect(&t, WHEEL(0, -60), "down 3;up 3;");
	expect(&t, WHEEL(240, 0), "down 8;up 8;down 8;up 8;");
	expect(&t, ALL_UP, "up 2;");
	expect(&t, &(struct input_event){ .kind = INPUT_TOUCH, .touch = { INPUT_TOUCH_BEGIN, 0, 3, 4 } }, "place 3,4;down 0;");
	t.width = 0;
	expect(&t, POINTER(1, 1, 0), "");
}

Test(dbus_typing, test_a_pointer_that_takes_steps_is_counted_from_the_corner)
{
	struct dbus_typing t = typing(true);

	expect(&t, POINTER(10, 20, 0), "step -8192,-8192;step 10,20;");
	expect(&t, POINTER(15, 20, 1), "step 5,0;down 0;");
	expect(&t, POINTER(15, 20, 0), "up 0;");
	dbus_typing_moved(&t, 100, 100); /* the machine knows better */
	expect(&t, POINTER(90, 100, 0), "step -10,0;");
	dbus_typing_set_relative(&t, false);
	expect(&t, POINTER(90, 100, 0), "place 90,100;");
}
