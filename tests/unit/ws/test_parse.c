/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of the browser: whole, cut short and hostile. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/front/ws/message.h"

struct bad_case {
	const char *name, *says;
	uint8_t bytes[24];
	size_t len;
};

static const struct bad_case bad_cases[] = {
	{ "empty", "empty", { 0 }, 0 },
	{ "type 0", "unknown type 0", { 0 }, 1 },
	{ "type 13", "unknown type 13", { 13 }, 1 },
	{ "a part of type 13", "unknown type", { 0x8d }, 1 },
	{ "cut hello", "wrong length", { 1, 0, 1 }, 3 },
	{ "version 2", "version", { 1, 0, 2, 1, 0, 1, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0 }, 16 },
	{ "width 0, height 1", "screen side", { 1, 0, 1, 0, 0, 0, 1, 0, 100, 0, 0, 0, 0, 0, 0, 0 }, 16 },
	{ "height 65535", "screen side", { 1, 0, 1, 0, 1, 255, 255, 0, 100, 0, 0, 0, 0, 0, 0, 0 }, 16 },
	{ "scale 99", "scale", { 1, 0, 1, 0, 1, 0, 1, 0, 99, 0, 0, 0, 0, 0, 0, 0 }, 16 },
	{ "unknown ability", "out of range", { 1, 0, 1, 0, 1, 0, 1, 0, 100, 0, 0, 0, 64, 0, 0, 0 }, 16 },
	{ "language 2", "out of range", { 1, 0, 1, 0, 1, 0, 1, 0, 100, 0, 0, 0, 0, 2, 0, 0 }, 16 },
	{ "long hello", "wrong length", { 1, 0, 1, 0, 1, 0, 1, 0, 100, 0, 0, 0, 0, 0, 0, 0, 9 }, 17 },
	{ "ack of 7 bytes", "wrong length", { 2, 0, 0, 0, 1, 0, 0, 0 }, 8 },
	{ "key neither up nor down", "down nor up", { 3, 2, 0, 0, 0, 97, 0, 30 }, 8 },
	{ "no key", "names no key", { 3, 1, 0, 0, 0, 0, 0, 0 }, 8 },
	{ "keysym too large", "does not exist", { 3, 1, 0x20, 0, 0, 0, 0, 30 }, 8 },
	{ "keycode too large", "does not exist", { 3, 1, 0, 0, 0, 97, 3, 0 }, 8 },
	{ "no text", "1 to 1024", { 4 }, 1 },
	{ "text with a zero", "UTF-8", { 4, 'a', 0, 'b' }, 4 },
	{ "overlong text", "UTF-8", { 4, 0xc0, 0x80 }, 3 },
	{ "pointer at 8192", "outside", { 5, 0x20, 0, 0, 0, 0 }, 6 },
	{ "sixth button", "button", { 5, 0, 1, 0, 1, 32 }, 6 },
	{ "finger 10", "finger", { 7, 0, 10, 0, 1, 0, 1 }, 7 },
	{ "phase 4", "phase", { 7, 4, 0, 0, 1, 0, 1 }, 7 },
	{ "resize to nothing", "screen side", { 8, 0, 0, 0, 0, 0, 100 }, 7 },
	{ "refresh outside", "outside", { 10, 0x1f, 0xff, 0, 0, 0, 2, 0, 1 }, 9 },
	{ "release with a body", "wrong length", { 11, 0 }, 2 },
	{ "ping in parts", "parts", { 0x8c, 0, 0, 0, 0, 0, 0, 0, 1 }, 9 },
};

Test(parse, bad_messages_are_named_with_their_fault)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(bad_cases); i++) {
		const struct bad_case *c = &bad_cases[i];
		struct pst_err err = PST_ERR_INIT;
		struct ws_message m;

		cr_assert(ws_message_parse(c->bytes, c->len, &m, &err) == PST_EPROTO, "%s was taken", c->name);
		cr_assert(strstr(err.text, c->says), "%s says: %s", c->name, err.text);
	}
}

static struct ws_message parse(const uint8_t *bytes, size_t len)
{
	struct pst_err err = PST_ERR_INIT;
	struct ws_message m;

	cr_assert(ws_message_parse(bytes, len, &m, &err) == 0, "%s", err.text);
	return m;
}

Test(parse, a_hello_keeps_printable_characters_of_the_name)
{
	const uint8_t bytes[] = { 1, 0, 1, 5, 0, 3, 32, 0, 200, 0, 0, 0, 3, 1, 0, 6, 'W', 'e', 'b', '\n', 0x1b, '1' };
	struct ws_message m = parse(bytes, sizeof(bytes));

	cr_assert(m.hello.width == 1280 && m.hello.height == 800 && m.hello.scale_pct == 200);
	cr_assert(m.hello.can == (WS_CAN_H264 | WS_CAN_JPEG) && m.hello.is_spanish);
	cr_assert_str_eq(m.hello.client, "Web1");
}

Test(parse, input_becomes_input_events)
{
	const uint8_t key[] = { 3, 1, 0, 0, 0, 0xf1, 0, 39 }, wheel[] = { 6, 0xff, 0x88, 0, 120 }, pointer[] = { 5, 2, 128, 1, 144, 5 };
	const uint8_t text[] = { 4, 0xc3, 0xb1 }, touch[] = { 7, 2, 9, 0, 1, 0, 2 };
	struct input_event ev = parse(key, sizeof(key)).input;

	cr_assert(ev.kind == INPUT_KEY && ev.key.is_down && ev.key.keysym == 0xf1 && ev.key.keycode == 39);
	ev = parse(wheel, sizeof(wheel)).input;
	cr_assert(ev.kind == INPUT_WHEEL && ev.wheel.dx == -120 && ev.wheel.dy == 120);
	ev = parse(pointer, sizeof(pointer)).input;
	cr_assert(ev.kind == INPUT_POINTER && ev.pointer.x == 640 && ev.pointer.y == 400 && ev.pointer.buttons == (INPUT_LEFT | INPUT_RIGHT));
	ev = parse(text, sizeof(text)).input;
	cr_assert(ev.kind == INPUT_TEXT && ev.text.len == 2 && memcmp(ev.text.utf8, "ñ", 2) == 0);
	ev = parse(touch, sizeof(touch)).input;
	cr_assert(ev.kind == INPUT_TOUCH && ev.touch.phase == INPUT_TOUCH_END && ev.touch.finger == 9);
}

Test(parse, only_clipboards_have_parts)
{
	const uint8_t bytes[] = { 0x89, 'a', 'b' };
	struct ws_message m = parse(bytes, sizeof(bytes));

	cr_assert(m.type == WS_C_CLIPBOARD && m.is_part && m.clipboard.len == 2);
}
