/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clipboard messages; see clip_wire.h. */
#include "protocol/front/rdp/clip_wire.h"

#include "base/cursor.h"

#define FORMATS_MAX 256

int clip_parse(const uint8_t *data, size_t len, struct clip_message *ret, struct pst_err *err)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	struct clip_message m = { .type = pst_cursor_le16(&c), .flags = pst_cursor_le16(&c) };
	m.len = pst_cursor_le32(&c);
	m.body = pst_cursor_bytes(&c, m.len);
	if (!pst_cursor_ok(&c))
		return pst_err_set(err, PST_EPROTO, "a clipboard message of the RDP client is cut short");
	*ret = m;
	return 0;
}

uint32_t clip_general_flags(const struct clip_message *m)
{
	struct pst_cursor c;
	pst_cursor_init(&c, m->body, m->len);
	pst_cursor_skip(&c, 12); /* one set: its number, kind, length and version */
	return pst_cursor_le32(&c);
}

static void skip_name(struct pst_cursor *c, bool is_long)
{
	if (!is_long)
		pst_cursor_skip(c, CLIP_SHORT_NAME_LEN);
	else
		while (pst_cursor_left(c) >= 2 && pst_cursor_le16(c) != 0)
			;
}

bool clip_lists_text(const struct clip_message *m, bool has_long_names)
{
	struct pst_cursor c;
	bool has_text = false;
	pst_cursor_init(&c, m->body, m->len);
	for (int i = 0; i < FORMATS_MAX && pst_cursor_left(&c) >= 4; i++) {
		has_text |= pst_cursor_le32(&c) == CLIP_UNICODE_TEXT;
		skip_name(&c, has_long_names);
	}
	return has_text;
}

uint32_t clip_wanted(const struct clip_message *m)
{
	struct pst_cursor c;
	pst_cursor_init(&c, m->body, m->len);
	return pst_cursor_le32(&c);
}
