/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payload of INPUT. A layout's name reaches XKB's file names, so its characters are limited here already.
 */
#include "protocol/link/input_wire.h"

#include <string.h>

#include "base/text.h"

#define KEYCODE_MAX 0x2ff     /* KEY_MAX of Linux */
#define KEYSYM_MAX 0x1fffffff /* XKeysyms have 29 bits */
#define BUTTONS_ALL 31
#define LOCKS_ALL 7

static bool layout_char_is_valid(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

/* "es" or "de(nodeadkeys)". */
static bool layout_is_valid(const char *name)
{
	size_t n = strnlen(name, INPUT_LAYOUT_MAX), i = 0;

	if (n == 0 || n == INPUT_LAYOUT_MAX)
		return false;
	while (i < n && layout_char_is_valid(name[i]))
		i++;
	if (i == n)
		return name[0] != '-';
	if (i == 0 || name[0] == '-' || name[i] != '(' || name[n - 1] != ')' || n - i < 3 ||
		name[i + 1] == '-')
		return false;
	for (i++; i < n - 1; i++)
		if (!layout_char_is_valid(name[i]))
			return false;
	return true;
}

bool input_event_is_valid(const struct input_event *ev)
{
	switch (ev->kind) {
	case INPUT_KEY:
		return ev->key.keysym <= KEYSYM_MAX && ev->key.keycode <= KEYCODE_MAX &&
		       (ev->key.keysym != 0 || ev->key.keycode != 0);
	case INPUT_POINTER:
		return (ev->pointer.buttons & ~BUTTONS_ALL) == 0;
	case INPUT_TEXT:
		return ev->text.len > 0 && ev->text.len <= INPUT_TEXT_MAX &&
		       pst_utf8_valid(ev->text.utf8, ev->text.len);
	case INPUT_TOUCH:
		return ev->touch.phase <= INPUT_TOUCH_CANCEL && ev->touch.finger < INPUT_TOUCH_MAX;
	case INPUT_LAYOUT:
		return layout_is_valid(ev->layout.name);
	case INPUT_LOCKS:
		return (ev->locks & ~LOCKS_ALL) == 0;
	case INPUT_SCALE:
		return ev->scale_pct >= INPUT_SCALE_MIN && ev->scale_pct <= INPUT_SCALE_MAX;
	case INPUT_WHEEL:
	case INPUT_RELEASE_ALL:
		return true;
	default:
		return false;
	}
}

static void text_decode(struct pst_cursor *c, struct input_event *ev)
{
	size_t n = pst_cursor_left(c);

	if (n > INPUT_TEXT_MAX) {
		pst_cursor_fail(c);
		return;
	}
	ev->text.len = (uint16_t)n;
	pst_cursor_copy(c, ev->text.utf8, n);
}

static void layout_decode(struct pst_cursor *c, struct input_event *ev)
{
	size_t n = pst_cursor_left(c);

	if (n >= INPUT_LAYOUT_MAX) {
		pst_cursor_fail(c);
		return;
	}
	memset(ev->layout.name, 0, sizeof(ev->layout.name));
	pst_cursor_copy(c, ev->layout.name, n);
	if (strlen(ev->layout.name) != n)
		pst_cursor_fail(c);
}

static bool flag_decode(struct pst_cursor *c)
{
	uint8_t v = pst_cursor_u8(c);

	if (v > 1)
		pst_cursor_fail(c);
	return v == 1;
}

static void fields_decode(struct pst_cursor *c, struct input_event *ev)
{
	switch (ev->kind) {
	case INPUT_KEY:
		ev->key.is_down = flag_decode(c);
		ev->key.keysym = pst_cursor_le32(c);
		ev->key.keycode = pst_cursor_le16(c);
		break;
	case INPUT_POINTER:
		ev->pointer.x = (int32_t)pst_cursor_le32(c);
		ev->pointer.y = (int32_t)pst_cursor_le32(c);
		ev->pointer.buttons = pst_cursor_u8(c);
		break;
	case INPUT_WHEEL:
		ev->wheel.dx = (int16_t)pst_cursor_le16(c);
		ev->wheel.dy = (int16_t)pst_cursor_le16(c);
		break;
	case INPUT_TEXT:
		text_decode(c, ev);
		break;
	case INPUT_TOUCH:
		ev->touch.phase = (enum input_touch)pst_cursor_u8(c);
		ev->touch.finger = pst_cursor_u8(c);
		ev->touch.x = (int32_t)pst_cursor_le32(c);
		ev->touch.y = (int32_t)pst_cursor_le32(c);
		break;
	case INPUT_LAYOUT:
		layout_decode(c, ev);
		break;
	case INPUT_LOCKS:
		ev->locks = pst_cursor_u8(c);
		break;
	case INPUT_SCALE:
		ev->scale_pct = pst_cursor_le16(c);
		break;
	default:
		break;
	}
}

void input_wire_decode(struct pst_cursor *c, struct input_event *ret)
{
	ret->kind = (enum input_kind)pst_cursor_u8(c);
	if (ret->kind >= INPUT_KINDS) {
		pst_cursor_fail(c);
		return;
	}

	fields_decode(c, ret);
	if (pst_cursor_ok(c) && !input_event_is_valid(ret))
		pst_cursor_fail(c);
}

static void fields_encode(struct pst_buf *b, const struct input_event *ev)
{
	switch (ev->kind) {
	case INPUT_KEY:
		pst_buf_put_u8(b, ev->key.is_down);
		pst_buf_put_le32(b, ev->key.keysym);
		pst_buf_put_le16(b, ev->key.keycode);
		break;
	case INPUT_POINTER:
		pst_buf_put_le32(b, (uint32_t)ev->pointer.x);
		pst_buf_put_le32(b, (uint32_t)ev->pointer.y);
		pst_buf_put_u8(b, ev->pointer.buttons);
		break;
	case INPUT_WHEEL:
		pst_buf_put_le16(b, (uint16_t)ev->wheel.dx);
		pst_buf_put_le16(b, (uint16_t)ev->wheel.dy);
		break;
	case INPUT_TEXT:
		pst_buf_append(b, ev->text.utf8, ev->text.len);
		break;
	case INPUT_TOUCH:
		pst_buf_put_u8(b, (uint8_t)ev->touch.phase);
		pst_buf_put_u8(b, ev->touch.finger);
		pst_buf_put_le32(b, (uint32_t)ev->touch.x);
		pst_buf_put_le32(b, (uint32_t)ev->touch.y);
		break;
	case INPUT_LAYOUT:
		pst_buf_append(b, ev->layout.name, strlen(ev->layout.name));
		break;
	case INPUT_LOCKS:
		pst_buf_put_u8(b, ev->locks);
		break;
	case INPUT_SCALE:
		pst_buf_put_le16(b, ev->scale_pct);
		break;
	default:
		break;
	}
}

bool input_wire_encode(struct pst_buf *b, const struct input_event *ev)
{
	if (!input_event_is_valid(ev))
		return false;

	pst_buf_put_u8(b, (uint8_t)ev->kind);
	fields_encode(b, ev);
	return true;
}
