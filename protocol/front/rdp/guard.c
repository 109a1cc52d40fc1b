/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds of channel data; see guard.h. */
#include "protocol/front/rdp/guard.h"

#include "base/cursor.h"

#define FLAG_FIRST 1u
#define FLAG_LAST 2u
#define CMD_DATA_FIRST 2

enum guard_verdict guard_static(struct guard *g, size_t size, uint32_t flags, size_t total)
{
	if (flags & FLAG_FIRST) {
		g->held = 0;
		g->is_dropping = total > GUARD_MESSAGE_MAX;
	}
	if (g->is_dropping)
		return GUARD_DROP;
	if (size > GUARD_MESSAGE_MAX - g->held)
		return GUARD_END;
	g->held = flags & FLAG_LAST ? 0 : g->held + size;
	return GUARD_TAKE;
}

/* A number of one, two or four bytes by its two-bit length code, [MS-RDPEDYC] 2.2.2.1. */
static uint32_t take_number(struct pst_cursor *c, unsigned code)
{
	switch (code) {
	case 0: return pst_cursor_u8(c);
	case 1: return pst_cursor_le16(c);
	default: return pst_cursor_le32(c);
	}
}

bool guard_dynamic(const uint8_t *data, size_t size, uint32_t flags)
{
	struct pst_cursor c;
	if ((flags & (FLAG_FIRST | FLAG_LAST)) != (FLAG_FIRST | FLAG_LAST))
		return false;
	pst_cursor_init(&c, data, size);
	uint8_t head = pst_cursor_u8(&c);
	if (head >> 4 != CMD_DATA_FIRST)
		return pst_cursor_ok(&c);
	take_number(&c, head & 3u); /* the channel */
	uint32_t announced = take_number(&c, head >> 2 & 3u);
	return pst_cursor_ok(&c) && announced <= GUARD_MESSAGE_MAX;
}
