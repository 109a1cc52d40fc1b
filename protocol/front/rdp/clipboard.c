/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clipboard text both ways on the static channel cliprdr, [MS-RDPECLIP]. Formats are announced at once and data goes when it is
 * asked for; of the client's formats only Unicode text is read. Every message has the ceiling of the channel's.
 */
#include <freerdp/channels/wtsvc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "protocol/front/rdp/channel.h"
#include "protocol/front/rdp/clip_wire.h"
#include "protocol/front/rdp/rdp_priv.h"
#include "protocol/link/utf16.h"

#define TEXT_MAX (1024u * 1024) /* bytes of UTF-8 */
#define RESPONSE_OK 1
#define RESPONSE_FAIL 2

static int send_message(struct rdp *f, enum clip_type type, uint16_t flags, const struct pst_buf *body, struct pst_err *err)
{
	struct pst_buf out;
	size_t len = body ? body->len : 0;
	pst_buf_init(&out, len + 8);
	pst_buf_put_le16(&out, (uint16_t)type);
	pst_buf_put_le16(&out, flags);
	pst_buf_put_le32(&out, (uint32_t)len);
	pst_buf_append(&out, body ? body->data : NULL, len);
	int r = channel_write(f->clip.channel, &out, err);
	pst_buf_finish(&out);
	return r;
}

static int greet(struct rdp *f, struct pst_err *err)
{
	struct pst_buf caps;
	pst_buf_init(&caps, 64);
	pst_buf_put_le16(&caps, 1); /* one set: general */
	pst_buf_put_le16(&caps, 0);
	pst_buf_put_le16(&caps, 1);
	pst_buf_put_le16(&caps, 12);
	pst_buf_put_le32(&caps, 2);
	pst_buf_put_le32(&caps, CLIP_LONG_NAMES);
	int r = send_message(f, CLIP_CAPS, 0, &caps, err);
	pst_buf_finish(&caps);
	return r < 0 ? r : send_message(f, CLIP_MONITOR_READY, 0, NULL, err);
}

/* Unicode text without a name: an empty long name, or 32 zero bytes. */
static int offer(struct rdp *f, struct pst_err *err)
{
	struct pst_buf list;
	pst_buf_init(&list, 64);
	pst_buf_put_le32(&list, CLIP_UNICODE_TEXT);
	pst_buf_put_zero(&list, f->clip.has_long_names ? 2 : CLIP_SHORT_NAME_LEN);
	int r = send_message(f, CLIP_FORMAT_LIST, 0, &list, err);
	pst_buf_finish(&list);
	return r;
}

static int on_format_list(struct rdp *f, const struct clip_message *m, struct pst_err *err)
{
	bool has_text = clip_lists_text(m, f->clip.has_long_names);
	int r = send_message(f, CLIP_FORMAT_LIST_RESPONSE, RESPONSE_OK, NULL, err);
	if (r < 0 || !has_text || !f->clipboard_in)
		return r;
	struct pst_buf want;
	pst_buf_init(&want, 8);
	pst_buf_put_le32(&want, CLIP_UNICODE_TEXT);
	r = send_message(f, CLIP_DATA_REQUEST, 0, &want, err);
	pst_buf_finish(&want);
	return r;
}

static int on_data_request(struct rdp *f, const struct clip_message *m, struct pst_err *err)
{
	bool is_there = clip_wanted(m) == CLIP_UNICODE_TEXT && f->clip.text;
	struct pst_buf data;
	pst_buf_init(&data, 4 * TEXT_MAX + 16);
	if (is_there)
		utf16_from_text(&data, f->clip.text, f->clip.len);
	int r = send_message(f, CLIP_DATA_RESPONSE, is_there && !data.failed ? RESPONSE_OK : RESPONSE_FAIL, is_there && !data.failed ? &data : NULL, err);
	pst_buf_finish(&data);
	return r;
}

static void on_data(struct rdp *f, const uint8_t *data, size_t len)
{
	struct pst_buf text;
	pst_buf_init(&text, TEXT_MAX);
	utf16_to_text(&text, data, len);
	if (!text.failed && text.len > 0 && f->clipboard_in && rdp_is_live(f) && pst_utf8_valid((const char *)text.data, text.len))
		f->ev.clipboard(f->arg, (const char *)text.data, text.len);
	pst_buf_finish(&text);
}

static int on_message(void *arg, const uint8_t *bytes, size_t size, struct pst_err *err)
{
	struct rdp *f = arg;
	struct clip_message m;
	int r = clip_parse(bytes, size, &m, err);
	if (r < 0)
		return r;
	switch (m.type) {
	case CLIP_CAPS:
		f->clip.has_long_names = (clip_general_flags(&m) & CLIP_LONG_NAMES) != 0;
		return 0;
	case CLIP_FORMAT_LIST:
		return on_format_list(f, &m, err);
	case CLIP_DATA_REQUEST:
		return on_data_request(f, &m, err);
	case CLIP_DATA_RESPONSE:
		if (m.flags & RESPONSE_OK)
			on_data(f, m.body, m.len);
		return 0;
	default:
		return 0; /* files, locks, temporary directories: not offered */
	}
}

int rdp_clip_poll(struct rdp *f, struct pst_err *err)
{
	if (!f->clip.was_opened && f->is_opened) {
		f->clip.was_opened = true;
		if (!WTSVirtualChannelManagerIsChannelJoined(f->channels, "cliprdr"))
			return 0;
		f->clip.channel = WTSVirtualChannelOpen(f->channels, WTS_CURRENT_SESSION, (LPSTR)(uintptr_t)"cliprdr");
		if (f->clip.channel)
			return greet(f, err);
	}
	return f->clip.channel ? channel_read(f->clip.channel, on_message, f, err) : 0;
}

void rdp_clip_send(struct rdp *f, const char *utf8, size_t len)
{
	struct pst_err err = PST_ERR_INIT;
	if (!f->clipboard_out || len > TEXT_MAX)
		return;
	free(f->clip.text);
	f->clip.text = pst_memdup(utf8, len);
	f->clip.len = f->clip.text ? len : 0;
	if (f->clip.channel && (offer(f, &err) < 0 || rdp_flush(f) < 0))
		rdp_fail(f, PST_ECLOSED, "the RDP client takes no clipboard");
}

void rdp_clip_finish(struct rdp *f)
{
	if (f->clip.channel)
		WTSVirtualChannelClose(f->clip.channel);
	free(f->clip.text);
}
