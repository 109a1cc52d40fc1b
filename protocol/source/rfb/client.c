/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of an RFB server, and ours. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "protocol/source/rfb/client_priv.h"

static long skip_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t n = (size_t)PST_MIN((uint64_t)len, c->skip);

	c->skip -= n;
	if (!c->skip)
		c->step = c->after_skip;
	return (long)n;
}

void rfb_skip(struct rfb_client *c, uint64_t n, rfb_step then)
{
	c->skip = n;
	c->after_skip = then;
	c->step = n ? skip_step : then;
}

/* Colours of a palette, which true colour does not have. */
static long colours_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	uint16_t n;

	pst_cursor_init(&in, data, len);
	pst_cursor_skip(&in, 4);
	n = pst_cursor_be16(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	rfb_skip(c, n * UINT64_C(6), rfb_message_step);
	return (long)in.at;
}

/* Latin-1 as UTF-8. */
static void tell_text(struct rfb_client *c)
{
	struct pst_buf utf8;

	pst_buf_init(&utf8, RFB_TEXT_MAX * 2);
	for (size_t i = 0; i < c->text.len; i++) {
		char letter[4];

		pst_buf_append(&utf8, letter, (size_t)pst_utf8_put(c->text.data[i], letter));
	}
	if (!utf8.failed && utf8.len)
		c->events->clipboard(c->arg, (const char *)utf8.data, utf8.len);
	pst_buf_finish(&utf8);
}

static long text_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t n = PST_MIN(len, (size_t)c->text_len - c->text.len);

	if (pst_buf_append(&c->text, data, n) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory for a clipboard");
	if (c->text.len == c->text_len) {
		c->step = rfb_message_step;
		tell_text(c);
	}
	return (long)n;
}

/* A negative length is that of an extension which was not asked for. */
static long text_head_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	uint32_t n;

	pst_cursor_init(&in, data, len);
	pst_cursor_skip(&in, 4);
	n = pst_cursor_be32(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	if (n & 0x80000000u)
		return pst_err_set(err, PST_EPROTO, "a clipboard of a kind that was not asked for");
	pst_buf_reset(&c->text);
	c->text_len = n;
	if (n && n <= RFB_TEXT_MAX)
		c->step = text_step;
	else
		rfb_skip(c, n, rfb_message_step);
	return (long)in.at;
}

long rfb_message_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	if (!len)
		return 0;
	switch (data[0]) {
	case RFB_UPDATE:
		return rfb_update_step(c, data, len, err);
	case RFB_COLOUR_MAP:
		return colours_step(c, data, len, err);
	case RFB_BELL:
		c->events->bell(c->arg);
		return 1;
	case RFB_SERVER_CUT_TEXT:
		return text_head_step(c, data, len, err);
	default:
		return pst_err_set(err, PST_EPROTO, "a message (%u) that RFB does not have", data[0]);
	}
}

struct rfb_client *rfb_client_create(const struct rfb_client_params *p)
{
	struct rfb_client *c = pst_zalloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->events = p->events;
	c->arg = p->arg;
	c->is_near = p->is_near;
	c->is_shared = p->is_shared;
	c->step = rfb_version_step;
	pst_strlcpy(c->password, sizeof(c->password), p->password); /* the first eight are all that counts */
	pst_buf_init(&c->text, RFB_TEXT_MAX);
	pst_buf_init(&c->out, RFB_OUT_MAX);
	c->decoder = rfb_decoder_create();
	if (c->decoder)
		return c;
	rfb_client_destroy(c);
	return NULL;
}

void rfb_client_destroy(struct rfb_client *c)
{
	if (!c)
		return;
	rfb_decoder_destroy(c->decoder);
	rfb_screen_finish(&c->screen);
	rfb_screen_finish(&c->shown);
	pst_buf_finish(&c->text);
	pst_buf_finish(&c->out);
	pst_wipe(c->password, sizeof(c->password));
	free(c);
}

long rfb_client_take(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	rfb_step step;
	size_t used = 0;
	long n;

	do {
		step = c->step;
		n = step(c, data + used, len - used, err);
		if (n < 0)
			return n;
		used += (size_t)n;
	} while ((n && used < len) || c->step != step);
	if (c->out.failed)
		return pst_err_set(err, PST_ELIMIT, "it does not read what it is sent");
	return (long)used;
}

struct pst_buf *rfb_client_out(struct rfb_client *c)
{
	return &c->out;
}

void rfb_ask(struct rfb_client *c)
{
	if (!c->is_open || c->is_asked || !c->has_credit)
		return;
	pst_buf_put_u8(&c->out, RFB_UPDATE_REQUEST);
	pst_buf_put_u8(&c->out, c->has_surface || c->is_whole);
	pst_buf_put_be32(&c->out, 0);
	pst_buf_put_be16(&c->out, (uint16_t)c->screen.width);
	pst_buf_put_be16(&c->out, (uint16_t)c->screen.height);
	c->is_asked = true;
	c->is_whole = !c->has_surface;
}

void rfb_client_ready(struct rfb_client *c)
{
	c->has_credit = true;
	rfb_ask(c);
}

void rfb_client_input(struct rfb_client *c, const struct input_event *ev)
{
	if (c->is_open)
		rfb_typing_event(&c->typing, ev, &c->out);
}

bool rfb_client_resize(struct rfb_client *c, int32_t width, int32_t height)
{
	if (!c->is_open || !c->can_resize)
		return false;
	if (width == c->screen.width && height == c->screen.height)
		return true;
	pst_buf_put_u8(&c->out, RFB_SET_DESKTOP_SIZE);
	pst_buf_put_zero(&c->out, 1);
	pst_buf_put_be16(&c->out, (uint16_t)width);
	pst_buf_put_be16(&c->out, (uint16_t)height);
	pst_buf_put_u8(&c->out, 1);
	pst_buf_put_zero(&c->out, 1);
	pst_buf_put_be32(&c->out, c->screen_id);
	pst_buf_put_be32(&c->out, 0);
	pst_buf_put_be16(&c->out, (uint16_t)width);
	pst_buf_put_be16(&c->out, (uint16_t)height);
	pst_buf_put_be32(&c->out, c->screen_flags);
	return true;
}

void rfb_client_clipboard(struct rfb_client *c, const char *utf8, size_t len)
{
	struct pst_buf text;
	uint32_t letter = 0;
	int n;

	if (!c->is_open)
		return;
	pst_buf_init(&text, len + 1);
	for (size_t at = 0; at < len; at += (size_t)PST_MAX(n, 1)) {
		n = pst_utf8_next(utf8 + at, len - at, &letter);
		pst_buf_put_u8(&text, n > 0 && letter < 0x100 ? (uint8_t)letter : '?');
	}
	if (!text.failed) {
		pst_buf_put_u8(&c->out, RFB_CLIENT_CUT_TEXT);
		pst_buf_put_zero(&c->out, 3);
		pst_buf_put_be32(&c->out, (uint32_t)text.len);
		pst_buf_append(&c->out, text.data, text.len);
	}
	pst_buf_finish(&text);
}
