/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parser of client messages; see message.h. */
#include "protocol/front/rfb/message.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

typedef ssize_t (*parse_fn)(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err);

struct message_type {
	uint8_t number;
	uint8_t min_len; /* bytes before parse is called, with the type byte */
	parse_fn parse;  /* called after the type byte; returns the message's bytes, 0 for more, negative */
};

static ssize_t done(const struct pst_cursor *c)
{
	return pst_cursor_ok(c) ? (ssize_t)c->at : 0;
}

static ssize_t parse_pixel_format(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	pst_cursor_skip(c, 3);
	ret->kind = RFB_SET_PIXEL_FORMAT;
	rfb_pixel_format_read(c, &ret->format);
	if (!rfb_pixel_format_is_valid(&ret->format))
		return pst_err_set(err, PST_EUNSUPPORTED,
			"the viewer asked for a pixel format that is not true colour of 8, 16 or 32 bits");
	return done(c);
}

static ssize_t parse_encodings(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	pst_cursor_skip(c, 1);
	uint16_t count = pst_cursor_be16(c);
	if (pst_cursor_left(c) < (size_t)count * 4)
		return 0;

	ret->kind = RFB_SET_ENCODINGS;
	ret->encodings.len = 0;
	for (uint16_t i = 0; i < count; i++) {
		int32_t encoding = (int32_t)pst_cursor_be32(c);
		if (ret->encodings.len < RFB_ENCODINGS_MAX)
			ret->encodings.list[ret->encodings.len++] = encoding;
	}
	return done(c);
}

static ssize_t parse_update_request(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	ret->kind = RFB_UPDATE_REQUEST;
	ret->update.is_incremental = pst_cursor_u8(c) != 0;
	ret->update.area.x = pst_cursor_be16(c);
	ret->update.area.y = pst_cursor_be16(c);
	ret->update.area.w = pst_cursor_be16(c);
	ret->update.area.h = pst_cursor_be16(c);
	return done(c);
}

static ssize_t parse_key(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	ret->kind = RFB_KEY;
	ret->key.is_down = pst_cursor_u8(c) != 0;
	pst_cursor_skip(c, 2);
	ret->key.keysym = pst_cursor_be32(c);
	ret->key.scancode = 0;
	return done(c);
}

static ssize_t parse_pointer(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	ret->kind = RFB_POINTER;
	ret->pointer.buttons = pst_cursor_u8(c);
	ret->pointer.x = pst_cursor_be16(c);
	ret->pointer.y = pst_cursor_be16(c);
	return done(c);
}

/* A negative length marks the extended clipboard: four bytes of flags, then data. */
static ssize_t parse_cut_text(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	pst_cursor_skip(c, 3);
	int64_t len = (int32_t)pst_cursor_be32(c);
	ret->kind = RFB_CUT_TEXT;
	ret->cut.is_extended = len < 0;
	if (len < 0)
		len = -len;
	if (len > RFB_CUT_TEXT_MAX)
		return pst_err_set(err, PST_ELIMIT, "a clipboard text of %lld bytes is over the limit of %d",
			(long long)len, RFB_CUT_TEXT_MAX);
	if (ret->cut.is_extended && len < 4)
		return pst_err_set(err, PST_EPROTO, "an extended clipboard message of %lld bytes has no flags",
			(long long)len);
	if (pst_cursor_left(c) < (size_t)len)
		return 0;

	ret->cut.flags = ret->cut.is_extended ? pst_cursor_be32(c) : 0;
	ret->cut.len = (size_t)len - (ret->cut.is_extended ? 4 : 0);
	ret->cut.data = pst_cursor_bytes(c, ret->cut.len);
	return done(c);
}

static ssize_t parse_continuous(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	ret->kind = RFB_CONTINUOUS_UPDATES;
	ret->continuous.enable = pst_cursor_u8(c) != 0;
	pst_cursor_skip(c, 8); /* the area: always the whole screen for us */
	return done(c);
}

static ssize_t parse_fence(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	pst_cursor_skip(c, 3);
	ret->kind = RFB_FENCE;
	ret->fence.flags = pst_cursor_be32(c);
	ret->fence.len = pst_cursor_u8(c);
	if (ret->fence.len > RFB_FENCE_MAX)
		return pst_err_set(err, PST_EPROTO, "a fence with %u bytes is over the limit of %d", ret->fence.len,
			RFB_FENCE_MAX);
	if (pst_cursor_left(c) < ret->fence.len)
		return 0;
	pst_cursor_copy(c, ret->fence.data, ret->fence.len);
	return done(c);
}

static ssize_t parse_desktop_size(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	pst_cursor_skip(c, 1);
	ret->kind = RFB_DESKTOP_SIZE;
	ret->size.width = pst_cursor_be16(c);
	ret->size.height = pst_cursor_be16(c);
	uint8_t screens = pst_cursor_u8(c);
	pst_cursor_skip(c, 1);
	if (screens > RFB_SCREENS_MAX)
		return pst_err_set(err, PST_ELIMIT, "%u screens are over the limit of %d", screens, RFB_SCREENS_MAX);
	if (pst_cursor_left(c) < (size_t)screens * 16)
		return 0;
	pst_cursor_skip(c, (size_t)screens * 16);
	return done(c);
}

/* QEMU client message, of which only the extended key event (0) exists for us. */
static ssize_t parse_qemu(struct pst_cursor *c, struct rfb_message *ret, struct pst_err *err)
{
	uint8_t sub = pst_cursor_u8(c);
	if (sub != 0)
		return pst_err_set(err, PST_EPROTO, "unknown QEMU message %u", sub);
	ret->kind = RFB_KEY;
	ret->key.is_down = pst_cursor_be16(c) != 0;
	ret->key.keysym = pst_cursor_be32(c);
	ret->key.scancode = pst_cursor_be32(c);
	return done(c);
}

static const struct message_type message_types[] = {
	{ 0, 20, parse_pixel_format },
	{ 2, 4, parse_encodings },
	{ 3, 10, parse_update_request },
	{ 4, 8, parse_key },
	{ 5, 6, parse_pointer },
	{ 6, 8, parse_cut_text },
	{ 150, 10, parse_continuous },
	{ 248, 9, parse_fence },
	{ 251, 8, parse_desktop_size },
	{ 255, 12, parse_qemu },
};

ssize_t rfb_message_parse(const uint8_t *data, size_t len, struct rfb_message *ret, struct pst_err *err)
{
	if (len == 0)
		return 0;
	for (size_t i = 0; i < PST_ARRAY_LEN(message_types); i++) {
		const struct message_type *t = &message_types[i];
		if (t->number != data[0])
			continue;
		if (len < t->min_len)
			return 0;
		struct pst_cursor c;
		pst_cursor_init(&c, data, len);
		pst_cursor_skip(&c, 1);
		return t->parse(&c, ret, err);
	}
	return pst_err_set(err, PST_EPROTO, "the viewer sent a message of unknown type %u", data[0]);
}
