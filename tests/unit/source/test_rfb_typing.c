/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a viewer does in the words of RFB.
 * Covers: protocol/source/rfb/typing.c
 * Covers: protocol/source/rfb/keys.c
 */
#include <criterion/criterion.h>
#include <linux/input-event-codes.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/rfb/keys.h"
#include "protocol/source/rfb/typing.h"

static struct rfb_typing typing;

static void expect(const struct input_event *ev, const void *bytes, size_t len)
{
	struct pst_buf out;

	pst_buf_init(&out, 4096);
	rfb_typing_event(&typing, ev, &out);
	cr_assert_eq(out.len, len, "%zu bytes for %zu", out.len, len);
	if (len)
		cr_assert_arr_eq(out.data, bytes, len);
	pst_buf_finish(&out);
}

#define EXPECT(ev, ...) expect(&ev, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))
#define KEY(down, sym, code) ((struct input_event){ .kind = INPUT_KEY, .key = { down, sym, code } })
#define POINTER(x, y, buttons) ((struct input_event){ .kind = INPUT_POINTER, .pointer = { x, y, buttons } })
#define WHEEL(dx, dy) ((struct input_event){ .kind = INPUT_WHEEL, .wheel = { dx, dy } })
#define TOUCH(phase, x, y) ((struct input_event){ .kind = INPUT_TOUCH, .touch = { phase, 0, x, y } })
#define TEXT(utf8, len) ((struct input_event){ .kind = INPUT_TEXT, .text = { utf8, len } })
#define RELEASE_ALL ((struct input_event){ .kind = INPUT_RELEASE_ALL })

Test(rfb_typing, test_keys_go_as_keysyms_until_scan_codes_are_taken)
{
	memset(&typing, 0, sizeof(typing));
	EXPECT(KEY(true, 'a', KEY_A), 4, 1, 0, 0, 0, 0, 0, 'a');
	EXPECT(KEY(false, 'A', KEY_A), 4, 0, 0, 0, 0, 0, 0, 'a');
	EXPECT(KEY(true, 0, KEY_DELETE), 4, 1, 0, 0, 0, 0, 0xff, 0xff);
	EXPECT(KEY(false, 0, KEY_DELETE), 4, 0, 0, 0, 0, 0, 0xff, 0xff);
	typing.takes_scancodes = true;
	EXPECT(KEY(true, 0xffff, KEY_DELETE), 255, 0, 0, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 0xd3);
	EXPECT(KEY(false, 0xffff, KEY_DELETE), 255, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0xd3);
	EXPECT(KEY(true, 0x20ac, 0), 4, 1, 0, 0, 0, 0, 0x20, 0xac);
}

Test(rfb_typing, test_what_is_down_can_be_let_go)
{
	memset(&typing, 0, sizeof(typing));
	EXPECT(KEY(true, 0xffe3, KEY_LEFTCTRL), 4, 1, 0, 0, 0, 0, 0xff, 0xe3);
	EXPECT(POINTER(3, 4, INPUT_RIGHT | INPUT_BACK), 5, 4, 0, 3, 0, 4);
	EXPECT(RELEASE_ALL, 4, 0, 0, 0, 0, 0, 0xff, 0xe3, 5, 0, 0, 3, 0, 4);
	expect(&RELEASE_ALL, NULL, 0);
	/* More keys than there are fingers: the rest is not pressed, and so not kept. */
	for (uint32_t i = 0; i < 100; i++) {
		struct input_event ev = KEY(true, 0x100 + i, 0);
		struct pst_buf out;

		pst_buf_init(&out, 64);
		rfb_typing_event(&typing, &ev, &out);
		pst_buf_finish(&out);
	}
	cr_assert_eq(typing.n_down, RFB_KEYS_MAX);
}

Test(rfb_typing, test_the_wheel_clicks_by_whole_notches)
{
	memset(&typing, 0, sizeof(typing));
	EXPECT(POINTER(1, 2, 0), 5, 0, 0, 1, 0, 2);
	expect(&WHEEL(0, 60), NULL, 0);
	EXPECT(WHEEL(0, 60), 5, 16, 0, 1, 0, 2, 5, 0, 0, 1, 0, 2);
	EXPECT(WHEEL(-120, 0), 5, 32, 0, 1, 0, 2, 5, 0, 0, 1, 0, 2);
}

/* A relative pointer is brought to a corner first; from there it is counted. */
Test(rfb_typing, test_a_relative_pointer_goes_by_steps)
{
	memset(&typing, 0, sizeof(typing));
	rfb_typing_set_relative(&typing, true);
	EXPECT(POINTER(16, 32, 0), 5, 0, 0x5f, 0xff, 0x5f, 0xff, 5, 0, 0x80, 0x0f, 0x80, 0x1f);
	EXPECT(POINTER(15, 32, INPUT_LEFT), 5, 1, 0x7f, 0xfe, 0x7f, 0xff);
	rfb_typing_set_relative(&typing, false);
	EXPECT(POINTER(70000, -5, 0), 5, 0, 0x20, 0, 0, 0);
}

Test(rfb_typing, test_text_and_touch)
{
	memset(&typing, 0, sizeof(typing));
	EXPECT(TEXT("\xc3\xb1\n", 3), 4, 1, 0, 0, 0, 0, 0, 0xf1, 4, 0, 0, 0, 0, 0, 0, 0xf1, 4, 1, 0, 0, 0, 0,
		0xff, 0x0d, 4, 0, 0, 0, 0, 0, 0xff, 0x0d);
	EXPECT(TOUCH(INPUT_TOUCH_BEGIN, 1, 1), 5, 1, 0, 1, 0, 1);
	EXPECT(TOUCH(INPUT_TOUCH_END, 1, 1), 5, 0, 0, 1, 0, 1);
	expect(&(struct input_event){ .kind = INPUT_LOCKS, .locks = INPUT_CAPS_LOCK }, NULL, 0);
}

Test(rfb_typing, test_signs_of_text)
{
	cr_assert_eq(rfb_keysym_of_text(0x20ac), 0x010020ac);
	cr_assert_eq(rfb_keysym_of_text(7), 0);
}
