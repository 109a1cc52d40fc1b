/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input events: what is valid, and that the wire keeps it. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/link/input_wire.h"

static const struct {
	struct input_event ev;
	bool is_valid;
} events[] = {
	{ { .kind = INPUT_KEY, .key = { true, 0x61, 0 } }, true },
	{ { .kind = INPUT_KEY, .key = { false, 0, 30 } }, true },
	{ { .kind = INPUT_KEY, .key = { true, 0, 0 } }, false },
	{ { .kind = INPUT_KEY, .key = { true, 0x20000000, 1 } }, false },
	{ { .kind = INPUT_KEY, .key = { true, 0, 0x300 } }, false },
	{ { .kind = INPUT_POINTER, .pointer = { -1, 100000, 31 } }, true },
	{ { .kind = INPUT_POINTER, .pointer = { 0, 0, 32 } }, false },
	{ { .kind = INPUT_WHEEL, .wheel = { -32768, 32767 } }, true },
	{ { .kind = INPUT_TEXT, .text = { "ñ", 2 } }, true },
	{ { .kind = INPUT_TEXT, .text = { "\xc3", 1 } }, false },
	{ { .kind = INPUT_TEXT, .text = { "", 0 } }, false },
	{ { .kind = INPUT_TOUCH, .touch = { INPUT_TOUCH_END, 9, 1, 2 } }, true },
	{ { .kind = INPUT_TOUCH, .touch = { INPUT_TOUCH_END, 10, 1, 2 } }, false },
	{ { .kind = INPUT_TOUCH, .touch = { 4, 0, 1, 2 } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "es" } }, true },
	{ { .kind = INPUT_LAYOUT, .layout = { "de(nodeadkeys)" } }, true },
	{ { .kind = INPUT_LAYOUT, .layout = { "" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "../../etc" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "es;id" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "-option" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "de(" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "de()" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "de(a)b" } }, false },
	{ { .kind = INPUT_LAYOUT, .layout = { "de(-a)" } }, false },
	{ { .kind = INPUT_LOCKS, .locks = 7 }, true },
	{ { .kind = INPUT_LOCKS, .locks = 8 }, false },
	{ { .kind = INPUT_SCALE, .scale_pct = 100 }, true },
	{ { .kind = INPUT_SCALE, .scale_pct = 500 }, true },
	{ { .kind = INPUT_SCALE, .scale_pct = 99 }, false },
	{ { .kind = INPUT_SCALE, .scale_pct = 501 }, false },
	{ { .kind = INPUT_RELEASE_ALL }, true },
	{ { .kind = INPUT_KINDS }, false },
};

Test(input_wire, valid_events_travel_and_others_do_not)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(events); i++) {
		struct input_event back;
		struct pst_cursor c;
		struct pst_buf b, again;

		memset(&back, 0, sizeof(back));
		pst_buf_init(&b, 2048);
		pst_buf_init(&again, 2048);
		cr_assert_eq(input_event_is_valid(&events[i].ev), events[i].is_valid, "case %zu", i);
		cr_assert_eq(input_wire_encode(&b, &events[i].ev), events[i].is_valid, "case %zu", i);
		if (events[i].is_valid) {
			pst_cursor_init(&c, b.data, b.len);
			input_wire_decode(&c, &back);
			cr_assert(pst_cursor_ok(&c) && pst_cursor_left(&c) == 0, "case %zu", i);
			cr_assert(input_wire_encode(&again, &back));
			cr_assert(
				again.len == b.len && memcmp(again.data, b.data, b.len) == 0, "case %zu", i);
		}
		pst_buf_finish(&b);
		pst_buf_finish(&again);
	}
}

Test(input_wire, booleans_and_kinds_are_strict)
{
	static const uint8_t bad[][8] = { { INPUT_KEY, 2, 0x61, 0, 0, 0, 0, 0 }, { INPUT_KINDS }, { 255 } };

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++) {
		struct input_event ev;
		struct pst_cursor c;
		pst_cursor_init(&c, bad[i], sizeof(bad[i]));
		input_wire_decode(&c, &ev);
		cr_assert(!pst_cursor_ok(&c), "case %zu", i);
	}
}
