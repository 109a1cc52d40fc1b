/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lobby with any text on any screen, and keys in any order: width, height, kind, keys and entry name, then title and text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/lobby/draw.h"

#define SIDE_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_text(struct pst_cursor *c, char *to, size_t room)
{
	size_t len = PST_MIN((size_t)pst_cursor_u8(c) * 2, room - 1);
	const uint8_t *from = pst_cursor_bytes(c, len);

	if (from)
		memcpy(to, from, len);
}

static void press_keys(struct reply *r, const struct layout *l, uint64_t bits)
{
	for (int i = 0; i < 8; i++, bits >>= 8) {
		const struct input_event key = { .kind = INPUT_KEY, .key = { bits & 1, bits & 2 ? 0xff00 + (bits & 0xff) : 0, (uint16_t)(1 + (bits & 0x7f)) } };
		const struct input_event point = { .kind = INPUT_POINTER, .pointer = { (int32_t)(bits & 0xff), (int32_t)(bits >> 8 & 0xff), bits & 1 } };

		reply_input(r, i & 1 ? &key : &point, l->rows, REPLY_QUIET_MS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct font *font;
	static struct page_entry entries[PAGE_ENTRIES_MAX];
	struct pst_cursor c;
	struct page p = { .entries = entries };
	struct canvas canvas;
	struct layout l;
	struct reply r;

	if (!font)
		font = font_open(NULL);
	pst_cursor_init(&c, data, size);
	const int32_t w = 1 + pst_cursor_be16(&c) % SIDE_MAX, h = 1 + pst_cursor_be16(&c) % SIDE_MAX;
	p.kind = pst_cursor_u8(&c) % 3;
	p.language = pst_cursor_u8(&c) % 3;
	p.n_entries = p.kind == PAGE_CHOICE ? pst_cursor_u8(&c) % PAGE_ENTRIES_MAX : 0;
	const uint64_t keys = pst_cursor_be64(&c);
	memset(entries, 0, sizeof(entries));
	take_text(&c, entries[0].name, sizeof(entries[0].name));
	take_text(&c, p.title.en, sizeof(p.title.en));
	take_text(&c, p.title.es, sizeof(p.title.es));
	take_text(&c, p.text.en, sizeof(p.text.en));
	uint32_t *pixels = malloc((size_t)w * (size_t)h * 4);
	if (!pixels || !font)
		return 0;
	canvas_init(&canvas, pixels, w, h);
	layout_make(&l, &p, font, w, h);
	reply_init(&r, p.kind, p.n_entries, l.n_rows);
	press_keys(&r, &l, keys);
	draw_page(&canvas, font, &l, &p, &r, keys);
	free(pixels);
	return 0;
}
