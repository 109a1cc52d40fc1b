/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and pointer on a page; see reply.h. */
#include "protocol/source/lobby/reply.h"

#include <string.h>

#include "base/mem.h"

enum key {
	KEY_NONE,
	KEY_UP,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_ENTER,
	KEY_SPACE,
	KEY_ESCAPE,
	KEY_DIGIT
};

/* X11 keysym, Linux key code; a digit's number is its place below. */
static const struct {
	uint32_t keysym;
	uint16_t keycode;
	enum key key;
} keys[] = {
	{ 0xff52, 103, KEY_UP },
	{ 0xff54, 108, KEY_DOWN },
	{ 0xff55, 104, KEY_PAGE_UP },
	{ 0xff56, 109, KEY_PAGE_DOWN },
	{ 0xff50, 102, KEY_HOME },
	{ 0xff57, 107, KEY_END },
	{ 0xff0d, 28, KEY_ENTER },
	{ 0xff8d, 96, KEY_ENTER },
	{ 0xff1b, 1, KEY_ESCAPE },
	{ 0x20, 57, KEY_SPACE },
	{ 0xff97, 0, KEY_UP },
	{ 0xff99, 0, KEY_DOWN },
	{ 0xff09, 15, KEY_DOWN },
};

/* The key pad's codes of 1 … 9. */
static const uint16_t pad_codes[] = { 79, 80, 81, 75, 76, 77, 71, 72, 73 };

static int digit_of(const struct input_event *ev)
{
	uint32_t keysym = ev->key.keysym;

	if (ev->kind == INPUT_TEXT)
		return ev->text.len == 1 && ev->text.utf8[0] >= '1' && ev->text.utf8[0] <= '9'
			       ? ev->text.utf8[0] - '0'
			       : 0;
	if (keysym >= '1' && keysym <= '9')
		return (int)(keysym - '0');
	if (keysym >= 0xffb1 && keysym <= 0xffb9)
		return (int)(keysym - 0xffb0);
	if (keysym)
		return 0;
	if (ev->key.keycode >= 2 && ev->key.keycode <= 10)
		return ev->key.keycode - 1;
	for (size_t i = 0; i < PST_ARRAY_LEN(pad_codes); i++)
		if (ev->key.keycode == pad_codes[i])
			return (int)i + 1;
	return 0;
}

static enum key key_of(const struct input_event *ev)
{
	if (digit_of(ev))
		return KEY_DIGIT;
	for (size_t i = 0; ev->kind == INPUT_KEY && i < PST_ARRAY_LEN(keys); i++)
		if (ev->key.keysym ? ev->key.keysym == keys[i].keysym : ev->key.keycode == keys[i].keycode)
			return keys[i].key;
	return KEY_NONE;
}

void reply_set_rows(struct reply *r, size_t rows)
{
	r->rows = PST_MIN(rows, r->n);
	if (r->selected < r->first)
		r->first = r->selected;
	if (r->rows && r->selected >= r->first + r->rows)
		r->first = r->selected - r->rows + 1;
	r->first = PST_MIN(r->first, r->n - r->rows);
}

void reply_init(struct reply *r, enum page_kind kind, size_t n, size_t rows)
{
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->n = n;
	reply_set_rows(r, rows);
}

static enum reply_result select_entry(struct reply *r, int64_t to)
{
	size_t before = r->selected;

	if (!r->n)
		return REPLY_NONE;
	r->selected = (size_t)PST_CLAMP(to, (int64_t)0, (int64_t)r->n - 1);
	reply_set_rows(r, r->rows);
	return r->selected != before ? REPLY_MOVED : REPLY_NONE;
}

static enum reply_result choice_key(struct reply *r, enum key key, int digit)
{
	const int64_t at = (int64_t)r->selected, page = (int64_t)r->rows;

	switch (key) {
	case KEY_UP:
		return select_entry(r, at - 1);
	case KEY_DOWN:
		return select_entry(r, at + 1);
	case KEY_PAGE_UP:
		return select_entry(r, at - page);
	case KEY_PAGE_DOWN:
		return select_entry(r, at + page);
	case KEY_HOME:
		return select_entry(r, 0);
	case KEY_END:
		return select_entry(r, (int64_t)r->n - 1);
	case KEY_DIGIT:
		if ((size_t)digit > r->n)
			return REPLY_NONE;
		select_entry(r, digit - 1);
		return REPLY_TAKEN;
	case KEY_ENTER:
		return r->n ? REPLY_TAKEN : REPLY_NONE;
	case KEY_ESCAPE:
		return REPLY_LEFT;
	default:
		return REPLY_NONE;
	}
}

static bool entry_at(const struct reply *r, const struct rect *rects, int32_t x, int32_t y, size_t *ret)
{
	const struct rect here = { x, y, 1, 1 };

	for (size_t i = 0; i < r->rows; i++)
		if (rect_contains(&rects[i], &here)) {
			*ret = r->first + i;
			return true;
		}
	return false;
}

/* An entry is taken when the button goes down and up on it; a button that was down before the page counts for
 * nothing. */
static enum reply_result on_pointer(struct reply *r, const struct input_event *ev, const struct rect *rects)
{
	bool is_down = ev->pointer.buttons & INPUT_LEFT, was_down = r->is_down;
	size_t entry = 0;
	bool is_on = entry_at(r, rects, ev->pointer.x, ev->pointer.y, &entry);

	r->is_down = is_down;
	if (is_down && !was_down) {
		r->has_pressed = is_on || r->kind == PAGE_NOTICE;
		r->pressed = entry;
		return is_on ? select_entry(r, (int64_t)entry) : REPLY_NONE;
	}
	if (is_down || !was_down || !r->has_pressed)
		return REPLY_NONE;
	r->has_pressed = false;
	if (r->kind == PAGE_NOTICE)
		return REPLY_LEFT;
	return r->kind == PAGE_CHOICE && is_on && entry == r->pressed ? REPLY_TAKEN : REPLY_NONE;
}

static enum reply_result on_key(struct reply *r, const struct input_event *ev)
{
	enum key key = key_of(ev);

	if (ev->kind == INPUT_KEY && !ev->key.is_down)
		return REPLY_NONE;
	if (r->kind == PAGE_CHOICE)
		return choice_key(r, key, digit_of(ev));
	if (r->kind == PAGE_NOTICE && (key == KEY_ENTER || key == KEY_SPACE))
		return REPLY_LEFT;
	return key == KEY_ESCAPE ? REPLY_LEFT : REPLY_NONE;
}

enum reply_result reply_input(
	struct reply *r, const struct input_event *ev, const struct rect *rects, uint64_t shown_ms)
{
	if (r->kind == PAGE_NOTICE && shown_ms < REPLY_QUIET_MS)
		return REPLY_NONE;
	switch (ev->kind) {
	case INPUT_KEY:
	case INPUT_TEXT:
		return on_key(r, ev);
	case INPUT_POINTER:
		return on_pointer(r, ev, rects);
	case INPUT_WHEEL:
		return r->kind == PAGE_CHOICE ? select_entry(r, (int64_t)r->selected + (ev->wheel.dy > 0) -
									(ev->wheel.dy < 0))
					      : REPLY_NONE;
	default:
		return REPLY_NONE;
	}
}
