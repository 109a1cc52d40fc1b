/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clipboard text both ways: ServerCutText/ClientCutText in Latin-1 (RFC 6143 §7.5.6, §7.6.4) and the extended clipboard
 * in UTF-8 (zlib, CR LF line ends, closing zero byte). Inflated data has the ceiling of CLIPBOARD_TEXT_MAX.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "protocol/front/rfb/rfb_priv.h"

#define CLIPBOARD_TEXT_MAX (1024u * 1024)
#define FORMAT_TEXT 1u
#define ACTION_CAPS (1u << 24)
#define ACTION_REQUEST (1u << 25)
#define ACTION_PEEK (1u << 26)
#define ACTION_NOTIFY (1u << 27)
#define ACTION_PROVIDE (1u << 28)

static void put_extended(struct pst_buf *out, uint32_t flags, const void *data, size_t len)
{
	pst_buf_put_u8(out, 3);
	pst_buf_put_zero(out, 3);
	pst_buf_put_be32(out, (uint32_t) - (int32_t)(4 + len));
	pst_buf_put_be32(out, flags);
	pst_buf_append(out, data, len);
}

void rfb_clipboard_caps(struct rfb *f)
{
	struct pst_buf *out = rfb_stream_out(f->stream);
	static const uint8_t text_max[4] = { 0, 16, 0, 0 }; /* 1 MiB may come unasked */
	put_extended(out, FORMAT_TEXT | ACTION_CAPS | ACTION_REQUEST | ACTION_PEEK | ACTION_NOTIFY | ACTION_PROVIDE,
		text_max, sizeof(text_max));
	f->clipboard.caps_sent = true;
	rfb_stream_flush(f->stream);
}

/* The text with CR LF line ends and a closing zero byte, behind its length. */
static void put_wire_text(struct pst_buf *out, const char *utf8, size_t len)
{
	pst_buf_put_be32(out, 0);
	for (size_t i = 0; i < len; i++) {
		if (utf8[i] == '\n' && (i == 0 || utf8[i - 1] != '\r'))
			pst_buf_put_u8(out, '\r');
		pst_buf_put_u8(out, (uint8_t)utf8[i]);
	}
	pst_buf_put_u8(out, 0);
	if (!out->failed)
		pst_buf_poke_be32(out, 0, (uint32_t)(out->len - 4));
}

static void send_provide(struct rfb *f, const char *utf8, size_t len)
{
	struct pst_buf plain, packed;
	pst_buf_init(&plain, 2 * CLIPBOARD_TEXT_MAX + 16);
	put_wire_text(&plain, utf8, len);
	pst_buf_init(&packed, 3 * CLIPBOARD_TEXT_MAX);
	uLongf size = compressBound((uLong)plain.len);
	uint8_t *to = plain.failed ? NULL : pst_buf_reserve(&packed, size);
	if (to && compress2(to, &size, plain.data, (uLong)plain.len, Z_DEFAULT_COMPRESSION) == Z_OK) {
		put_extended(rfb_stream_out(f->stream), FORMAT_TEXT | ACTION_PROVIDE, to, size);
		rfb_stream_flush(f->stream);
	}
	pst_buf_finish(&plain);
	pst_buf_finish(&packed);
}

static void send_latin1(struct rfb *f, const char *utf8, size_t len)
{
	struct pst_buf *out = rfb_stream_out(f->stream);
	pst_buf_put_u8(out, 3);
	pst_buf_put_zero(out, 3);
	size_t at_len = out->len;
	pst_buf_put_be32(out, 0);
	uint32_t rune;
	for (int used; len > 0 && (used = pst_utf8_next(utf8, len, &rune)) > 0; utf8 += used, len -= (size_t)used)
		pst_buf_put_u8(out, rune < 256 ? (uint8_t)rune : '?');
	if (!out->failed)
		pst_buf_poke_be32(out, at_len, (uint32_t)(out->len - at_len - 4));
	rfb_stream_flush(f->stream);
}

void rfb_clipboard_send(struct rfb *f, const char *utf8, size_t len)
{
	if (f->phase != RFB_RUNNING || !f->clipboard_out || len > CLIPBOARD_TEXT_MAX)
		return;
	free(f->clipboard.text);
	f->clipboard.text = pst_memdup(utf8, len);
	f->clipboard.len = f->clipboard.text ? len : 0;
	if (f->features.extended_clipboard)
		send_provide(f, utf8, len);
	else
		send_latin1(f, utf8, len);
}

static void give_text(struct rfb *f, const char *utf8, size_t len)
{
	if (f->clipboard_in && pst_utf8_valid(utf8, len))
		f->ev.clipboard(f->arg, utf8, len);
}

/* Drops CR before LF and everything from the closing zero byte. Returns the new length. */
static size_t normalise(char *text, size_t len)
{
	size_t to = 0;
	for (size_t i = 0; i < len && text[i] != '\0'; i++)
		if (text[i] != '\r' || i + 1 >= len || text[i + 1] != '\n')
			text[to++] = text[i];
	return to;
}

static int receive_provide(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	size_t max = CLIPBOARD_TEXT_MAX + CLIPBOARD_TEXT_MAX / 8;
	uint8_t *plain = pst_zalloc(1, max);
	if (!plain)
		return pst_err_set(err, PST_ENOMEM, "no memory for the viewer's clipboard");
	z_stream z = { .next_in = (Bytef *)(uintptr_t)m->cut.data, .avail_in = (uInt)m->cut.len, .next_out = plain,
		.avail_out = (uInt)max };
	int r = inflateInit(&z);
	if (r == Z_OK)
		r = inflate(&z, Z_SYNC_FLUSH);
	size_t len = z.total_out;
	inflateEnd(&z);
	bool is_whole = (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR) && len >= 4;
	if (is_whole) {
		uint32_t said = (uint32_t)plain[0] << 24 | (uint32_t)plain[1] << 16 | (uint32_t)plain[2] << 8 | plain[3];
		size_t text_len = normalise((char *)plain + 4, PST_MIN((size_t)said, len - 4));
		if (text_len <= CLIPBOARD_TEXT_MAX)
			give_text(f, (char *)plain + 4, text_len);
	}
	free(plain);
	return is_whole ? 0 : pst_err_set(err, PST_EPROTO, "the viewer's clipboard data does not unpack");
}

static int receive_extended(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	uint32_t flags = m->cut.flags;
	struct pst_buf *out = rfb_stream_out(f->stream);
	if (flags & ACTION_CAPS || !(flags & FORMAT_TEXT))
		return 0;
	if (flags & ACTION_PROVIDE)
		return receive_provide(f, m, err);
	if (flags & ACTION_NOTIFY)
		put_extended(out, FORMAT_TEXT | ACTION_REQUEST, NULL, 0);
	else if (flags & ACTION_PEEK)
		put_extended(out, (f->clipboard.text ? FORMAT_TEXT : 0) | ACTION_NOTIFY, NULL, 0);
	else if (flags & ACTION_REQUEST && f->clipboard.text)
		send_provide(f, f->clipboard.text, f->clipboard.len);
	rfb_stream_flush(f->stream);
	return 0;
}

static void put_rune(struct pst_buf *out, uint8_t latin1)
{
	if (latin1 < 128) {
		pst_buf_put_u8(out, latin1);
	} else {
		pst_buf_put_u8(out, (uint8_t)(0xc0 | latin1 >> 6));
		pst_buf_put_u8(out, 0x80 | (latin1 & 0x3f));
	}
}

int rfb_clipboard_receive(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	if (m->cut.is_extended)
		return receive_extended(f, m, err);
	struct pst_buf text;
	pst_buf_init(&text, 2 * CLIPBOARD_TEXT_MAX);
	for (size_t i = 0; i < m->cut.len; i++)
		put_rune(&text, m->cut.data[i]);
	if (!text.failed && text.len <= CLIPBOARD_TEXT_MAX && text.len > 0)
		give_text(f, (char *)text.data, text.len);
	pst_buf_finish(&text);
	return 0;
}
