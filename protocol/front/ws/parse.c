/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's messages: a table of types, each with its length and a reader of its fields. */
#include "protocol/front/ws/message.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/text.h"

#define BUTTONS_ALL (INPUT_LEFT | INPUT_MIDDLE | INPUT_RIGHT | INPUT_BACK | INPUT_FORWARD)
#define CAN_ALL (WS_CAN_H264 | WS_CAN_JPEG | WS_CAN_WEBP | WS_CAN_TOUCH | WS_CAN_WATCHED | WS_CAN_H264_444)
#define KEYSYM_MAX 0x1fffffffu /* the largest number that X allows */
#define KEYCODE_MAX 767        /* KEY_MAX of Linux */

/* Reads one field set; returns NULL, or what is wrong with the values. Short reads are caught by the caller. */
typedef const char *(*reader)(struct pst_cursor *c, struct ws_message *m);

static bool is_side(uint16_t side)
{
	return side >= 1 && side <= SCREEN_SIDE_MAX;
}

static bool is_scale(uint16_t pct)
{
	return pct >= WS_SCALE_MIN && pct <= WS_SCALE_MAX;
}

/* Keeps printable ASCII: the name is shown in lists and logs. */
static void copy_client_name(char out[64], const uint8_t *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < 63; i++) {
		if (text[i] >= 0x20 && text[i] < 0x7f)
			out[n++] = (char)text[i];
	}
	out[n] = '\0';
}

static const char *read_hello(struct pst_cursor *c, struct ws_message *m)
{
	uint16_t version = pst_cursor_be16(c);

	m->hello.width = pst_cursor_be16(c);
	m->hello.height = pst_cursor_be16(c);
	m->hello.scale_pct = pst_cursor_be16(c);
	m->hello.can = pst_cursor_be32(c);
	uint8_t language = pst_cursor_u8(c);
	uint16_t len = pst_cursor_be16(c);
	const uint8_t *name = pst_cursor_bytes(c, len);

	if (!pst_cursor_ok(c))
		return NULL;
	if (version != WS_VERSION)
		return "asks for another version than 1: reload the page";
	bool is_none = m->hello.width == 0 && m->hello.height == 0;
	if (!is_none && (!is_side(m->hello.width) || !is_side(m->hello.height)))
		return "asks for a screen side outside 1 to 8192";
	if (!is_scale(m->hello.scale_pct))
		return "has a scale outside 100 to 500 percent";
	if (language > 1 || len > 63 || (m->hello.can & ~(uint32_t)CAN_ALL))
		return "has a value out of range";

	m->hello.is_spanish = language == 1;
	copy_client_name(m->hello.client, name, len);
	return NULL;
}

static const char *read_ack(struct pst_cursor *c, struct ws_message *m)
{
	m->ack.sequence = pst_cursor_be32(c);
	m->ack.decode_us = pst_cursor_be32(c);
	return NULL;
}

static const char *read_key(struct pst_cursor *c, struct ws_message *m)
{
	uint8_t down = pst_cursor_u8(c);

	m->input.kind = INPUT_KEY;
	m->input.key.is_down = down == 1;
	m->input.key.keysym = pst_cursor_be32(c);
	m->input.key.keycode = pst_cursor_be16(c);
	if (!pst_cursor_ok(c))
		return NULL;
	if (down > 1)
		return "is neither down nor up";
	if (m->input.key.keysym > KEYSYM_MAX || m->input.key.keycode > KEYCODE_MAX)
		return "names a key that does not exist";
	if (m->input.key.keysym == 0 && m->input.key.keycode == 0)
		return "names no key";
	return NULL;
}

static const char *read_text(struct pst_cursor *c, struct ws_message *m)
{
	size_t len = pst_cursor_left(c);
	const uint8_t *text = pst_cursor_bytes(c, len);

	if (len < 1 || len > INPUT_TEXT_MAX)
		return "has not 1 to 1024 bytes";
	if (!pst_utf8_valid((const char *)text, len) || memchr(text, 0, len))
		return "is not valid UTF-8 text";
	m->input.kind = INPUT_TEXT;
	memcpy(m->input.text.utf8, text, len);
	m->input.text.len = (uint16_t)len;
	return NULL;
}

static const char *read_pointer(struct pst_cursor *c, struct ws_message *m)
{
	m->input.kind = INPUT_POINTER;
	m->input.pointer.x = pst_cursor_be16(c);
	m->input.pointer.y = pst_cursor_be16(c);
	m->input.pointer.buttons = pst_cursor_u8(c);
	if (m->input.pointer.x >= SCREEN_SIDE_MAX || m->input.pointer.y >= SCREEN_SIDE_MAX)
		return "lies outside of every screen";
	if (m->input.pointer.buttons & ~BUTTONS_ALL)
		return "names a button that does not exist";
	return NULL;
}

static const char *read_wheel(struct pst_cursor *c, struct ws_message *m)
{
	m->input.kind = INPUT_WHEEL;
	m->input.wheel.dx = (int16_t)pst_cursor_be16(c);
	m->input.wheel.dy = (int16_t)pst_cursor_be16(c);
	return NULL;
}

static const char *read_touch(struct pst_cursor *c, struct ws_message *m)
{
	uint8_t phase = pst_cursor_u8(c);

	m->input.kind = INPUT_TOUCH;
	m->input.touch.finger = pst_cursor_u8(c);
	m->input.touch.x = pst_cursor_be16(c);
	m->input.touch.y = pst_cursor_be16(c);
	if (phase > INPUT_TOUCH_CANCEL || m->input.touch.finger >= INPUT_TOUCH_MAX)
		return "has an unknown phase or finger";
	if (m->input.touch.x >= SCREEN_SIDE_MAX || m->input.touch.y >= SCREEN_SIDE_MAX)
		return "lies outside of every screen";
	m->input.touch.phase = phase;
	return NULL;
}

static const char *read_resize(struct pst_cursor *c, struct ws_message *m)
{
	m->resize.width = pst_cursor_be16(c);
	m->resize.height = pst_cursor_be16(c);
	m->resize.scale_pct = pst_cursor_be16(c);
	if (!pst_cursor_ok(c))
		return NULL;
	if (!is_side(m->resize.width) || !is_side(m->resize.height))
		return "asks for a screen side outside 1 to 8192";
	return is_scale(m->resize.scale_pct) ? NULL : "has a scale outside 100 to 500 percent";
}

static const char *read_clipboard(struct pst_cursor *c, struct ws_message *m)
{
	m->clipboard.len = pst_cursor_left(c);
	m->clipboard.data = pst_cursor_bytes(c, m->clipboard.len);
	return NULL;
}

static const char *read_refresh(struct pst_cursor *c, struct ws_message *m)
{
	m->refresh.x = pst_cursor_be16(c);
	m->refresh.y = pst_cursor_be16(c);
	m->refresh.w = pst_cursor_be16(c);
	m->refresh.h = pst_cursor_be16(c);
	if (m->refresh.x + m->refresh.w > SCREEN_SIDE_MAX || m->refresh.y + m->refresh.h > SCREEN_SIDE_MAX)
		return "lies outside of every screen";
	return NULL;
}

static const char *read_release_all(struct pst_cursor *c, struct ws_message *m)
{
	(void)c;
	m->input.kind = INPUT_RELEASE_ALL;
	return NULL;
}

static const char *read_ping(struct pst_cursor *c, struct ws_message *m)
{
	m->ping = pst_cursor_be64(c);
	return NULL;
}

static const struct {
	const char *name;
	bool has_parts;
	reader read;
} messages[WS_C_TYPES] = {
	[WS_C_HELLO] = { "HELLO", false, read_hello },
	[WS_C_ACK] = { "ACK", false, read_ack },
	[WS_C_KEY] = { "KEY", false, read_key },
	[WS_C_TEXT] = { "TEXT", false, read_text },
	[WS_C_POINTER] = { "POINTER", false, read_pointer },
	[WS_C_WHEEL] = { "WHEEL", false, read_wheel },
	[WS_C_TOUCH] = { "TOUCH", false, read_touch },
	[WS_C_RESIZE] = { "RESIZE", false, read_resize },
	[WS_C_CLIPBOARD] = { "CLIPBOARD", true, read_clipboard },
	[WS_C_REFRESH] = { "REFRESH", false, read_refresh },
	[WS_C_RELEASE_ALL] = { "RELEASE_ALL", false, read_release_all },
	[WS_C_PING] = { "PING", false, read_ping },
};

int ws_message_parse(const uint8_t *data, size_t len, struct ws_message *ret, struct pst_err *err)
{
	struct ws_message m;
	struct pst_cursor c;

	memset(&m, 0, sizeof(m));
	pst_cursor_init(&c, data, len);
	uint8_t first = pst_cursor_u8(&c);
	uint8_t type = first & (uint8_t)~WS_PART;

	if (!pst_cursor_ok(&c))
		return pst_err_set(err, PST_EPROTO, "the client sent an empty message");
	if (type == 0 || type >= WS_C_TYPES)
		return pst_err_set(err, PST_EPROTO, "the client sent a message of unknown type %u", first);
	if ((first & WS_PART) && !messages[type].has_parts)
		return pst_err_set(err, PST_EPROTO, "the client's %s came in parts, which only CLIPBOARD may",
				   messages[type].name);

	const char *wrong = messages[type].read(&c, &m);

	if (!pst_cursor_ok(&c) || pst_cursor_left(&c) > 0)
		return pst_err_set(err, PST_EPROTO, "the client's %s has a wrong length of %zu bytes",
				   messages[type].name, len);
	if (wrong)
		return pst_err_set(err, PST_EPROTO, "the client's %s %s", messages[type].name, wrong);

	m.type = (enum ws_client_type)type;
	m.is_part = (first & WS_PART) != 0;
	*ret = m;
	return 0;
}
