/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ZRLE (RFC 6143 §7.7.6): a length and zlib data of 64 × 64 tiles. CPIXELs are three bytes B G R, which is
 * right for the little-endian 32-bit format with red at 16, green at 8 and blue at 0 that a server offers;
 * the caller takes care of that.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "encoder/codec.h"
#include "encoder/codec/zstream.h"
#include "encoder/palette.h"

#define TILE 64
#define PACKED_MAX 16       /* colours of a packed palette */
#define PALETTE_RLE_MAX 127 /* colours of a palette with run lengths */
/* An index means another colour in each tile, where the same letter in runs of colours is found again by
 * zlib: indices only where they are this much shorter. */
#define PALETTE_GAIN 3
#define LEVEL 6
#define LEVEL_MUCH 5      /* a quarter less time for a twelfth more bytes, */
#define MUCH (256 * 1024) /* from so many pixels on */
#define OUT_MAX (64u << 20)
#define NO_COLOUR UINT32_MAX
enum { SUB_RAW = 0, SUB_SOLID = 1, SUB_RLE = 128 };

struct zrle {
	struct codec base;
	struct zstream stream;
	bool is_thrifty;
	struct pst_buf tile, packed;
	struct palette palette;
	uint32_t px[TILE * TILE + 1]; /* of the tile, and one that ends the last run */
};

/* What each form of a tile would cost, counted in one pass. */
struct shape {
	size_t raw, rle, palette_rle, packed;
	int32_t colours; /* 0 when there are more than PALETTE_RLE_MAX */
};

static size_t run_bytes(size_t run)
{
	return 1 + (run - 1) / 255;
}

static uint8_t *set_cpixel(uint8_t *at, uint32_t colour)
{
	*at++ = (uint8_t)colour;
	*at++ = (uint8_t)(colour >> 8);
	*at++ = (uint8_t)(colour >> 16);
	return at;
}

static uint8_t *set_run(uint8_t *at, size_t run)
{
	for (run--; run >= 255; run -= 255)
		*at++ = 255;
	*at++ = (uint8_t)run;
	return at;
}

static void put_cpixel(struct pst_buf *out, uint32_t colour)
{
	uint8_t bgr[3];

	set_cpixel(bgr, colour);
	pst_buf_append(out, bgr, 3);
}

static void put_run(struct pst_buf *out, size_t run)
{
	uint8_t bytes[TILE * TILE / 255 + 1];

	pst_buf_append(out, bytes, (size_t)(set_run(bytes, run) - bytes));
}

/* The tile's pixels in reading order: runs go over the ends of rows. */
static void load_tile(struct zrle *z, const struct pixmap *p, const struct rect *r)
{
	uint32_t *to = z->px;

	for (int32_t y = r->y; y < r->y + r->h; y++) {
		const uint32_t *row = pixmap_at(p, r->x, y);

		for (int32_t x = 0; x < r->w; x++)
			*to++ = row[x] & 0x00ffffffu;
	}
	*to = NO_COLOUR;
}

/* The length of the run that starts at pixel i of the tile. */
static size_t run_at(const struct zrle *z, size_t i)
{
	size_t end = i + 1;

	while (z->px[end] == z->px[i])
		end++;
	return end - i;
}

static void measure(struct zrle *z, const struct pixmap *p, const struct rect *r, struct shape *ret)
{
	size_t area = (size_t)rect_area(r), run;

	*ret = (struct shape){ .raw = area * 3 };
	palette_clear(&z->palette);
	ret->colours = palette_scan(&z->palette, p, r, PALETTE_RLE_MAX) ? z->palette.len : 0;
	for (size_t i = 0; i < area; i += run) {
		run = run_at(z, i);
		ret->rle += 3 + run_bytes(run);
		ret->palette_rle += run == 1 ? 1 : 1 + run_bytes(run);
	}
	ret->palette_rle += 3 * (size_t)ret->colours;
	ret->packed = 3 * (size_t)ret->colours +
		      (size_t)r->h * (((size_t)r->w * (size_t)palette_bits(ret->colours) + 7) / 8);
}

static void put_palette(struct zrle *z)
{
	for (int32_t i = 0; i < z->palette.len; i++)
		put_cpixel(&z->tile, z->palette.colours[i]);
}

static void put_packed(struct zrle *z, const struct pixmap *p, const struct rect *r)
{
	uint8_t indices[TILE], bytes[TILE];

	pst_buf_put_u8(&z->tile, (uint8_t)z->palette.len);
	put_palette(z);
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		palette_map_row(&z->palette, pixmap_at(p, r->x, y), r->w, indices);
		pst_buf_append(&z->tile, bytes,
			palette_pack_row(indices, r->w, palette_bits(z->palette.len), bytes));
	}
}

static void put_palette_rle(struct zrle *z, size_t area)
{
	pst_buf_put_u8(&z->tile, (uint8_t)(SUB_RLE + z->palette.len));
	put_palette(z);
	for (size_t i = 0, run; i < area; i += run) {
		uint8_t index = (uint8_t)palette_find(&z->palette, z->px[i]);

		run = run_at(z, i);
		pst_buf_put_u8(&z->tile, run == 1 ? index : index | 128);
		if (run > 1)
			put_run(&z->tile, run);
	}
}

/* Shorter than raw, or it would not have been chosen: see put_tile. */
static void put_rle(struct zrle *z, size_t area)
{
	uint8_t *start = pst_buf_reserve(&z->tile, 1 + area * 3), *at = start;

	if (!at)
		return;
	*at++ = SUB_RLE;
	for (size_t i = 0, run; i < area; i += run) {
		run = run_at(z, i);
		at = set_run(set_cpixel(at, z->px[i]), run);
	}
	pst_buf_commit(&z->tile, (size_t)(at - start));
}

static void put_raw(struct zrle *z, size_t area)
{
	uint8_t *start = pst_buf_reserve(&z->tile, 1 + area * 3), *at = start;

	if (!at)
		return;
	*at++ = SUB_RAW;
	for (size_t i = 0; i < area; i++)
		at = set_cpixel(at, z->px[i]);
	pst_buf_commit(&z->tile, (size_t)(at - start));
}

static void put_tile(struct zrle *z, const struct pixmap *p, const struct rect *r)
{
	size_t area = (size_t)rect_area(r);
	struct shape s;

	load_tile(z, p, r);
	measure(z, p, r, &s);
	if (s.colours == 1) {
		pst_buf_put_u8(&z->tile, SUB_SOLID);
		put_cpixel(&z->tile, z->palette.colours[0]);
	} else if (s.colours && s.colours <= PACKED_MAX && s.packed <= s.palette_rle) {
		put_packed(z, p, r);
	} else if (s.colours && s.palette_rle * PALETTE_GAIN <= s.rle && s.palette_rle < s.raw) {
		put_palette_rle(z, area);
	} else if (s.rle < s.raw) {
		put_rle(z, area);
	} else {
		put_raw(z, area);
	}
}

static int zrle_encode(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	struct zrle *z = pst_container_of(c, struct zrle, base);
	int32_t right = r->x + r->w, bottom = r->y + r->h;

	(void)quality;
	pst_buf_reset(&z->packed);
	zstream_set_level(&z->stream, rect_area(r) > MUCH && !z->is_thrifty ? LEVEL_MUCH : LEVEL);
	for (int32_t y = r->y; y < bottom; y += TILE) {
		for (int32_t x = r->x; x < right; x += TILE) {
			struct rect tile = { x, y, PST_MIN(TILE, right - x), PST_MIN(TILE, bottom - y) };
			bool is_last = x + TILE >= right && y + TILE >= bottom;
			int rc;

			pst_buf_reset(&z->tile);
			put_tile(z, p, &tile);
			rc = zstream_write(&z->stream, z->tile.data, z->tile.len, is_last, &z->packed, err);
			if (rc < 0)
				return rc;
		}
	}
	pst_buf_put_be32(out, (uint32_t)z->packed.len);
	return pst_buf_append(out, z->packed.data, z->packed.len);
}

static void zrle_destroy(struct codec *c)
{
	struct zrle *z = pst_container_of(c, struct zrle, base);

	zstream_close(&z->stream);
	pst_buf_finish(&z->tile);
	pst_buf_finish(&z->packed);
	free(z);
}

static struct codec *zrle_create(void)
{
	struct zrle *z = pst_zalloc(1, sizeof(*z));

	if (!z)
		return NULL;
	/* A tile is at most raw: the other forms are only taken when they are smaller. */
	pst_buf_init(&z->tile, TILE * TILE * 4 + 1024);
	pst_buf_init(&z->packed, OUT_MAX);
	if (!pst_buf_reserve(&z->tile, TILE * TILE * 4) || zstream_open(&z->stream, LEVEL, NULL) < 0) {
		zrle_destroy(&z->base);
		return NULL;
	}
	return &z->base;
}

static void zrle_set_thrift(struct codec *c, bool is_thrifty)
{
	pst_container_of(c, struct zrle, base)->is_thrifty = is_thrifty;
}

const struct codec_type codec_zrle = {
	.set_thrift = zrle_set_thrift,
	.name = "zrle",
	.is_lossless = true,
	.is_stateful = true,
	.create = zrle_create,
	.destroy = zrle_destroy,
	.encode = zrle_encode,
};
