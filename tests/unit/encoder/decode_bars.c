/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plain reader of ClearCodec pictures; see decode_bars.h. */
#include "decode_bars.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define BARS 32768
#define SHORTS 16384
#define GLYPHS 4000
#define SIDE 52

struct bar {
	int len;
	uint32_t px[SIDE];
};

struct bars_decoder {
	struct bar bars[BARS], shorts[SHORTS];
	int next_bar, next_short;
	struct {
		int w, h;
		uint32_t px[1024];
	} glyphs[GLYPHS];
};

struct bars_decoder *bars_decoder_create(void)
{
	return calloc(1, sizeof(struct bars_decoder));
}

void bars_decoder_destroy(struct bars_decoder *d)
{
	free(d);
}

static uint32_t bgr(struct pst_cursor *c)
{
	uint32_t b = pst_cursor_u8(c), g = pst_cursor_u8(c), r = pst_cursor_u8(c);

	return r << 16 | g << 8 | b;
}

static bool read_runs(struct pst_cursor *c, size_t area, uint32_t *ret)
{
	size_t at = 0;

	while (pst_cursor_left(c) > 0 && pst_cursor_ok(c)) {
		uint32_t colour = bgr(c), n = pst_cursor_u8(c);

		if (n == 0xff)
			n = pst_cursor_le16(c);
		if (n == 0xffff)
			n = pst_cursor_le32(c);
		if (n > area - at)
			return false;
		while (n--)
			ret[at++] = colour;
	}
	return pst_cursor_ok(c) && at == area;
}

static const struct bar *read_short(struct bars_decoder *d, struct pst_cursor *c, int len)
{
	struct bar *b = &d->shorts[d->next_short];

	if (len < 1 || len > SIDE)
		return NULL;
	d->next_short = (d->next_short + 1) % SHORTS;
	b->len = len;
	for (int i = 0; i < len; i++)
		b->px[i] = bgr(c);
	return b;
}

static const struct bar *read_bar(struct bars_decoder *d, struct pst_cursor *c, int height, uint32_t background)
{
	int code = pst_cursor_le16(c), top = code & 0xff;
	const struct bar *part;
	struct bar *b = &d->bars[d->next_bar];

	if (code & 0x8000)
		return d->bars[code & 0x7fff].len == height ? &d->bars[code & 0x7fff] : NULL;
	if (code & 0x4000) {
		top = pst_cursor_u8(c);
		part = &d->shorts[code & 0x3fff];
	} else {
		part = read_short(d, c, (code >> 8) - top);
	}
	if (!part || part->len == 0 || top + part->len > height)
		return NULL;
	d->next_bar = (d->next_bar + 1) % BARS;
	b->len = height;
	for (int i = 0; i < height; i++)
		b->px[i] = background;
	memcpy(b->px + top, part->px, (size_t)part->len * sizeof(*part->px));
	return b;
}

static bool read_band(struct bars_decoder *d, struct pst_cursor *c, int w, int h, uint32_t *ret)
{
	int x0 = pst_cursor_le16(c), x1 = pst_cursor_le16(c), y0 = pst_cursor_le16(c), y1 = pst_cursor_le16(c);
	uint32_t background = bgr(c);

	if (!pst_cursor_ok(c) || x0 > x1 || x1 >= w || y0 > y1 || y1 >= h || y1 - y0 + 1 > SIDE)
		return false;
	for (int x = x0; x <= x1; x++) {
		const struct bar *b = read_bar(d, c, y1 - y0 + 1, background);

		if (!b || !pst_cursor_ok(c))
			return false;
		for (int y = y0; y <= y1; y++)
			ret[y * w + x] = b->px[y - y0];
	}
	return true;
}

static bool read_layers(struct bars_decoder *d, struct pst_cursor *c, int w, int h, uint32_t *ret)
{
	uint32_t runs = pst_cursor_le32(c), bands = pst_cursor_le32(c), subcodecs = pst_cursor_le32(c);
	struct pst_cursor part;

	if (!pst_cursor_ok(c) || subcodecs || (uint64_t)runs + bands != pst_cursor_left(c))
		return false;
	pst_cursor_init(&part, pst_cursor_bytes(c, runs), runs);
	if (runs && !read_runs(&part, (size_t)w * (size_t)h, ret))
		return false;
	while (pst_cursor_left(c) > 0)
		if (!read_band(d, c, w, h, ret))
			return false;
	return true;
}

bool bars_decode(struct bars_decoder *d, const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	size_t size = (size_t)w * (size_t)h * sizeof(*ret);
	struct pst_cursor c;
	int flags, glyph = -1;

	pst_cursor_init(&c, p, n);
	flags = pst_cursor_u8(&c);
	pst_cursor_skip(&c, 1);
	if (flags & 1)
		glyph = pst_cursor_le16(&c);
	if (!pst_cursor_ok(&c) || flags > 3 || glyph >= GLYPHS || (glyph >= 0 && w * h > 1024))
		return false;
	if (flags & 2) {
		if (glyph < 0 || d->glyphs[glyph].w != w || d->glyphs[glyph].h != h)
			return false;
		memcpy(ret, d->glyphs[glyph].px, size);
		return pst_cursor_left(&c) == 0;
	}
	if (!read_layers(d, &c, w, h, ret))
		return false;
	if (glyph >= 0) {
		d->glyphs[glyph].w = w;
		d->glyphs[glyph].h = h;
		memcpy(d->glyphs[glyph].px, ret, size);
	}
	return true;
}
