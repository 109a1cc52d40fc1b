/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ClearCodec, [MS-RDPEGFX] 2.2.4.1, lossless and made for text: what CODEC_CLEAR pictures of RDP hold. Quiet rows go into the residual layer as runs, the rest
 * into bands of columns that the client knows again; a picture of at most 1,024 pixels that was sent before is the number of a glyph. It counts on
 * RDP8 bulk compression behind it, to which a known letter is a match.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "encoder/codec.h"
#include "encoder/codec/clear_bars.h"
#include "encoder/codec/clear_cut.h"
#include "encoder/codec/slot_ring.h"

#define GLYPHS 4000
#define GLYPH_AREA_MAX 1024
#define PART_MIN 24 /* columns of one colour that make a background of their own */
#define TRIM_MIN 8  /* columns of nothing but background that are worth a run */
#define BYTES_MAX (64u << 20)
#define BYTES_KEEP (64u * 1024) /* more is given back after the picture */
#define RGB 0x00ffffffu

enum { FLAG_GLYPH_INDEX = 0x01, FLAG_GLYPH_HIT = 0x02 };

struct clear {
	struct codec base;
	uint8_t sequence;
	struct slot_ring *glyphs;
	struct clear_bars *bars;
	struct pst_buf residual, bands;
	uint32_t run_colour, run_len; /* of the residual layer, not yet written */
	bool has_residual;            /* some pixel shows it */
};

/* RGB_RUN_SEGMENT, 2.2.4.1.1.1.1 */
static void flush_run(struct clear *c)
{
	const uint8_t bgr[3] = { (uint8_t)c->run_colour, (uint8_t)(c->run_colour >> 8), (uint8_t)(c->run_colour >> 16) };
	if (c->run_len == 0)
		return;
	pst_buf_append(&c->residual, bgr, sizeof(bgr));
	pst_buf_put_u8(&c->residual, (uint8_t)PST_MIN(c->run_len, 0xffu));
	if (c->run_len >= 0xff)
		pst_buf_put_le16(&c->residual, (uint16_t)PST_MIN(c->run_len, 0xffffu));
	if (c->run_len >= 0xffff)
		pst_buf_put_le32(&c->residual, c->run_len);
	c->run_len = 0;
}

static void add_run(struct clear *c, uint32_t colour, uint32_t len)
{
	if (colour != c->run_colour)
		flush_run(c);
	c->run_colour = colour;
	c->run_len += len;
}

static void put_gap(struct clear *c, const struct pixmap *p, const struct rect *r, const struct clear_cut *cut)
{
	c->has_residual = true;
	for (int32_t y = cut->y; y < cut->y + cut->h; y++) {
		const uint32_t *row = pixmap_at(p, r->x, r->y + y);
		for (int32_t x = 0, from = 0; x < r->w; from = x) {
			while (++x < r->w && !((row[x] ^ row[from]) & RGB))
				;
			add_run(c, row[from] & RGB, (uint32_t)(x - from));
		}
	}
}

/* The columns from the first to the last that are not all background; none is the same as one. */
static struct rect trim(const struct pixmap *p, const struct rect *r, const struct clear_cut *cut, uint32_t background)
{
	int32_t left = r->w - 1, right = 0;
	for (int32_t y = cut->y; y < cut->y + cut->h; y++) {
		const uint32_t *row = pixmap_at(p, r->x, r->y + y);
		for (int32_t x = 0; x < left; x++)
			if ((row[x] & RGB) != background)
				left = x;
		for (int32_t x = r->w - 1; x > right; x--)
			if ((row[x] & RGB) != background)
				right = x;
	}
	left = PST_MIN(left, right);
	return (struct rect){ left, cut->y, right - left + 1, cut->h };
}

static void put_plain_band(struct clear *c, const struct pixmap *p, const struct rect *r, const struct clear_cut *cut, uint32_t background)
{
	struct rect part = trim(p, r, cut, background);
	if (r->w - part.w < TRIM_MIN && !c->has_residual)
		part = (struct rect){ 0, cut->y, r->w, cut->h };
	c->has_residual |= part.w < r->w;
	add_run(c, background, (uint32_t)(r->w * cut->h));
	clear_bars_put(c->bars, p, r->x, r->y, &part, background, &c->bands);
}

/* Where the next background begins in a quiet row beside the band, from column x on, which has one already. */
static int32_t part_end(const uint32_t *row, int32_t x, int32_t w)
{
	uint32_t background = row[x] & RGB;
	for (int32_t from = x; from < w; from = x) {
		while (++x < w && !((row[x] ^ row[from]) & RGB))
			;
		if (x - from >= PART_MIN && (row[from] & RGB) != background)
			return from;
	}
	return w;
}

static void put_band(struct clear *c, const struct pixmap *p, const struct rect *r, const struct clear_cut *cut, int32_t quiet_y)
{
	const struct rect band = { r->x, r->y + cut->y, r->w, cut->h };
	if (quiet_y < 0) {
		put_plain_band(c, p, r, cut, clear_cut_background(p, &band));
		return;
	}
	const uint32_t *quiet = pixmap_at(p, r->x, r->y + quiet_y);
	int32_t end = part_end(quiet, 0, r->w);
	if (end == r->w) {
		put_plain_band(c, p, r, cut, quiet[0] & RGB);
		return;
	}
	add_run(c, c->run_colour, (uint32_t)(r->w * cut->h));
	for (int32_t x = 0; x < r->w; x = end) {
		end = part_end(quiet, x, r->w);
		const struct rect part = { x, cut->y, end - x, cut->h };
		clear_bars_put(c->bars, p, r->x, r->y, &part, quiet[x] & RGB, &c->bands);
	}
}

static void put_layers(struct clear *c, const struct pixmap *p, const struct rect *r, struct pst_buf *out)
{
	struct clear_cut before = { 0 }, cut;
	pst_buf_reset(&c->residual);
	pst_buf_reset(&c->bands);
	c->run_len = 0;
	c->has_residual = false;
	for (int32_t y = 0; y < r->h; y += cut.h) {
		cut = clear_cut_next(p, r, y);
		if (cut.is_band)
			put_band(c, p, r, &cut, before.h > 0 && !before.is_band ? y - 1 : -1);
		else
			put_gap(c, p, r, &cut);
		before = cut;
	}
	flush_run(c);
	if (!c->has_residual)
		pst_buf_reset(&c->residual);
	pst_buf_put_le32(out, (uint32_t)c->residual.len);
	pst_buf_put_le32(out, (uint32_t)c->bands.len);
	pst_buf_put_le32(out, 0);
	pst_buf_append(out, c->residual.data, c->residual.len);
	pst_buf_append(out, c->bands.data, c->bands.len);
	out->failed |= c->residual.failed || c->bands.failed;
	pst_buf_reset_to(&c->residual, BYTES_KEEP);
	pst_buf_reset_to(&c->bands, BYTES_KEEP);
}

static struct slot_key key_of(const struct clear *c, const struct pixmap *p, const struct rect *r)
{
	uint32_t px[GLYPH_AREA_MAX], n = 0;
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = 0; x < r->w; x++)
			px[n++] = pixmap_at(p, r->x, y)[x] & RGB;
	XXH128_hash_t h = XXH3_128bits_withSeed(px, n * sizeof(*px), (uint64_t)(uintptr_t)c + (uint32_t)r->w);
	return (struct slot_key){ h.low64, h.high64 };
}

static int clear_encode(struct codec *codec, const struct pixmap *p, const struct rect *r, int quality, struct pst_buf *out, struct pst_err *err)
{
	struct clear *c = pst_container_of(codec, struct clear, base);
	bool is_glyph = rect_area(r) <= GLYPH_AREA_MAX;
	struct slot_key key = { 0 };
	int32_t slot = SLOT_NONE;
	if (is_glyph) {
		key = key_of(c, p, r);
		slot = slot_ring_find(c->glyphs, &key);
	}
	bool is_known = slot != SLOT_NONE;
	pst_buf_put_u8(out, (uint8_t)((is_glyph ? FLAG_GLYPH_INDEX : 0) | (is_known ? FLAG_GLYPH_HIT : 0)));
	pst_buf_put_u8(out, c->sequence++);
	if (is_glyph)
		pst_buf_put_le16(out, (uint16_t)(is_known ? slot : slot_ring_add(c->glyphs, &key)));
	if (!is_known)
		put_layers(c, p, r, out);
	return out->failed ? pst_err_set(err, PST_ELIMIT, "clear: no room for %d × %d pixels", r->w, r->h) : 0;
}

static void clear_destroy(struct codec *codec)
{
	struct clear *c = pst_container_of(codec, struct clear, base);
	slot_ring_destroy(c->glyphs);
	clear_bars_destroy(c->bars);
	pst_buf_finish(&c->residual);
	pst_buf_finish(&c->bands);
	free(c);
}

static struct codec *clear_create(void)
{
	struct clear *c = pst_zalloc(1, sizeof(*c));
	if (!c)
		return NULL;
	pst_buf_init(&c->residual, BYTES_MAX);
	pst_buf_init(&c->bands, BYTES_MAX);
	c->glyphs = slot_ring_create(GLYPHS);
	c->bars = clear_bars_create();
	if (!c->glyphs || !c->bars) {
		clear_destroy(&c->base);
		return NULL;
	}
	return &c->base;
}

const struct codec_type codec_clear = {
	.name = "clear",
	.is_lossless = true,
	.is_stateful = true,
	.create = clear_create,
	.destroy = clear_destroy,
	.encode = clear_encode,
};
