/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keys and pointer do on a page. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/source/lobby/reply.h"

#define LATE (REPLY_QUIET_MS + 1)

static const struct rect rows[] = { { 10, 0, 100, 10 }, { 10, 20, 100, 10 }, { 10, 40, 100, 10 } };

static struct input_event key(uint32_t keysym, uint16_t keycode)
{
	return (struct input_event){ .kind = INPUT_KEY, .key = { true, keysym, keycode } };
}

static enum reply_result press(struct reply *r, uint32_t keysym, uint16_t keycode)
{
	struct input_event ev = key(keysym, keycode);

	return reply_input(r, &ev, rows, LATE);
}

static enum reply_result point(struct reply *r, int32_t x, int32_t y, uint8_t buttons)
{
	struct input_event ev = { .kind = INPUT_POINTER, .pointer = { x, y, buttons } };

	return reply_input(r, &ev, rows, LATE);
}

Test(reply, test_keys_of_both_kinds_move_and_take)
{
	static const struct {
		uint32_t keysym;
		uint16_t keycode;
		enum reply_result result;
		size_t selected, first;
	} steps[] = {
		{ 0xff54, 0, REPLY_MOVED, 1, 0 }, { 0, 108, REPLY_MOVED, 2, 0 },    { 0xff54, 0, REPLY_MOVED, 3, 1 }, { 0xff57, 0, REPLY_MOVED, 9, 7 },
		{ 0, 108, REPLY_NONE, 9, 7 },	  { 0xff55, 0, REPLY_MOVED, 6, 6 }, { 0, 103, REPLY_MOVED, 5, 5 },    { 0, 102, REPLY_MOVED, 0, 0 },
		{ 0xff52, 0, REPLY_NONE, 0, 0 },  { 0, 109, REPLY_MOVED, 3, 1 },    { 0xff0d, 0, REPLY_TAKEN, 3, 1 }, { 0, 28, REPLY_TAKEN, 3, 1 },
		{ '5', 0, REPLY_TAKEN, 4, 2 },	  { 0, 3, REPLY_TAKEN, 1, 1 },	    { 0, 81, REPLY_TAKEN, 2, 1 },     { 0xffb9, 0, REPLY_TAKEN, 8, 6 },
		{ 'a', 0, REPLY_NONE, 8, 6 },	  { 'a', 28, REPLY_NONE, 8, 6 },    { '0', 0, REPLY_NONE, 8, 6 },     { 0xffe1, 42, REPLY_NONE, 8, 6 },
		{ 0xff1b, 0, REPLY_LEFT, 8, 6 },  { 0, 1, REPLY_LEFT, 8, 6 },
	};
	struct reply r;

	reply_init(&r, PAGE_CHOICE, 10, PST_ARRAY_LEN(rows));
	for (size_t i = 0; i < PST_ARRAY_LEN(steps); i++) {
		cr_assert_eq(press(&r, steps[i].keysym, steps[i].keycode), steps[i].result, "step %zu", i);
		cr_assert(r.selected == steps[i].selected && r.first == steps[i].first, "step %zu: %zu %zu", i, r.selected, r.first);
	}
}

Test(reply, test_a_digit_without_an_entry_and_a_key_going_up_do_nothing)
{
	struct input_event up = key(0xff0d, 0), text = { .kind = INPUT_TEXT, .text = { "2", 1 } }, lamps = { .kind = INPUT_LOCKS };
	struct reply r;

	reply_init(&r, PAGE_CHOICE, 3, 3);
	up.key.is_down = false;
	cr_assert_eq(reply_input(&r, &up, rows, LATE), REPLY_NONE);
	cr_assert_eq(press(&r, '4', 0), REPLY_NONE);
	cr_assert_eq(reply_input(&r, &lamps, rows, LATE), REPLY_NONE);
	cr_assert_eq(reply_input(&r, &text, rows, LATE), REPLY_TAKEN);
	cr_assert_eq(r.selected, 1);
}

Test(reply, test_pointer_takes_what_it_goes_down_and_up_on)
{
	struct reply r;

	reply_init(&r, PAGE_CHOICE, 10, PST_ARRAY_LEN(rows));
	cr_assert_eq(point(&r, 20, 25, 0), REPLY_NONE);
	cr_assert_eq(point(&r, 20, 25, INPUT_LEFT), REPLY_MOVED);
	cr_assert_eq(r.selected, 1);
	cr_assert_eq(point(&r, 20, 25, 0), REPLY_TAKEN);
	/* Down here, up there; down beside the rows; another button. */
	point(&r, 20, 5, INPUT_LEFT);
	cr_assert_eq(point(&r, 20, 45, 0), REPLY_NONE);
	point(&r, 5, 5, INPUT_LEFT);
	cr_assert_eq(point(&r, 20, 5, 0), REPLY_NONE);
	point(&r, 20, 5, INPUT_RIGHT);
	cr_assert_eq(point(&r, 20, 5, 0), REPLY_NONE);
}

Test(reply, test_wheel_scrolls_a_choice_only)
{
	struct input_event down = { .kind = INPUT_WHEEL, .wheel = { 0, 120 } };
	struct reply r;

	reply_init(&r, PAGE_CHOICE, 10, 3);
	cr_assert_eq(reply_input(&r, &down, rows, LATE), REPLY_MOVED);
	reply_init(&r, PAGE_NOTICE, 0, 0);
	cr_assert_eq(reply_input(&r, &down, rows, LATE), REPLY_NONE);
}

Test(reply, test_a_notice_is_closed_on_purpose_only)
{
	struct input_event enter = key(0xff0d, 0);
	struct reply r;

	reply_init(&r, PAGE_NOTICE, 0, 0);
	cr_assert_eq(reply_input(&r, &enter, NULL, 10), REPLY_NONE);
	cr_assert_eq(press(&r, 'x', 0), REPLY_NONE);
	cr_assert_eq(press(&r, ' ', 0), REPLY_LEFT);
	cr_assert_eq(press(&r, 0, 28), REPLY_LEFT);
	cr_assert_eq(press(&r, 0xff1b, 0), REPLY_LEFT);
	point(&r, 1, 1, INPUT_LEFT);
	cr_assert_eq(point(&r, 1, 1, 0), REPLY_LEFT);
}

Test(reply, test_waiting_ends_by_escape_only)
{
	struct reply r;

	reply_init(&r, PAGE_PROGRESS, 0, 0);
	cr_assert_eq(press(&r, 0xff0d, 0), REPLY_NONE);
	cr_assert_eq(press(&r, '1', 0), REPLY_NONE);
	point(&r, 1, 1, INPUT_LEFT);
	cr_assert_eq(point(&r, 1, 1, 0), REPLY_NONE);
	cr_assert_eq(press(&r, 0, 1), REPLY_LEFT);
}
