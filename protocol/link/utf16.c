/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-16 both ways; see utf16.h. */
#include "protocol/link/utf16.h"

#include "base/cursor.h"
#include "base/text.h"

#define REPLACEMENT 0xfffdu

static bool is_high(uint32_t u)
{
	return u >= 0xd800 && u < 0xdc00;
}

static bool is_low(uint32_t u)
{
	return u >= 0xdc00 && u < 0xe000;
}

static void put_rune(struct pst_buf *out, uint32_t rune)
{
	char utf8[4];
	int n = pst_utf8_put(rune, utf8);
	pst_buf_append(out, utf8, (size_t)n);
}

void utf16_to_text(struct pst_buf *out, const uint8_t *data, size_t len)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	uint32_t next = pst_cursor_le16(&c);
	while (pst_cursor_ok(&c) && next != 0) {
		uint32_t u = next;
		next = pst_cursor_le16(&c);
		if (is_high(u) && is_low(next)) {
			put_rune(out, 0x10000 + ((u - 0xd800) << 10) + (next - 0xdc00));
			next = pst_cursor_le16(&c);
		} else if (is_high(u) || is_low(u)) {
			put_rune(out, REPLACEMENT);
		} else if (u != '\r' || next != '\n') {
			put_rune(out, u);
		}
	}
}

static void put_unit(struct pst_buf *out, uint32_t rune)
{
	if (rune < 0x10000) {
		pst_buf_put_le16(out, (uint16_t)rune);
		return;
	}
	pst_buf_put_le16(out, (uint16_t)(0xd800 + ((rune - 0x10000) >> 10)));
	pst_buf_put_le16(out, (uint16_t)(0xdc00 + ((rune - 0x10000) & 0x3ff)));
}

void utf16_from_text(struct pst_buf *out, const char *utf8, size_t len)
{
	uint32_t rune, before = 0;
	for (int used; len > 0 && (used = pst_utf8_next(utf8, len, &rune)) > 0; utf8 += used, len -= (size_t)used) {
		if (rune == '\n' && before != '\r')
			put_unit(out, '\r');
		put_unit(out, rune);
		before = rune;
	}
	pst_buf_put_le16(out, 0);
}
