/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RemoteFX's messages; see remotefx.h. The tiles are made in encoder/codec. */
#include "protocol/front/rdp/remotefx.h"

#include <stdlib.h>

#include "base/mem.h"
#include "encoder/codec/rfx_tile.h"
#include "encoder/codec/rlgr.h"

#define PLANE_MAX (3 * RFX_TILE_AREA) /* bytes of a packed plane, far beyond what noise takes */
#define PROPERTIES 0x2828             /* ICT, DWT 5/3, RLGR3, scalar quantization; video mode */

enum block {
	BLOCK_TILE = 0xcac3,
	BLOCK_SYNC = 0xccc0,
	BLOCK_VERSIONS = 0xccc1,
	BLOCK_CHANNELS = 0xccc2,
	BLOCK_CONTEXT = 0xccc3,
	BLOCK_FRAME_BEGIN = 0xccc4,
	BLOCK_FRAME_END = 0xccc5,
	BLOCK_REGION = 0xccc6,
	BLOCK_EXTENSION = 0xccc7,
};

struct remotefx {
	int32_t width, height;
	uint32_t frame;
	bool was_begun;
	int16_t planes[3][RFX_TILE_AREA];
	uint8_t packed[3][PLANE_MAX];
};

/* Luma and chroma, from a quality on: about what JPEG of that quality shows and takes. */
static const struct quality {
	int from;
	struct rfx_quant luma, chroma;
} qualities[] = {
	{ 90, { { 6, 6, 6, 6, 7, 7, 8, 8, 8, 9 } }, { { 6, 6, 6, 6, 7, 7, 8, 8, 8, 9 } } },
	{ 80, { { 6, 6, 6, 7, 7, 7, 8, 9, 9, 10 } }, { { 6, 7, 7, 7, 8, 8, 9, 10, 10, 11 } } },
	{ 65, { { 6, 7, 7, 8, 8, 8, 9, 10, 10, 11 } }, { { 7, 8, 8, 8, 9, 9, 10, 11, 11, 12 } } },
	{ 50, { { 7, 8, 8, 9, 9, 9, 10, 11, 11, 12 } }, { { 8, 9, 9, 9, 10, 10, 11, 12, 12, 13 } } },
	{ 0, { { 8, 9, 9, 10, 10, 10, 11, 12, 12, 13 } }, { { 9, 10, 10, 10, 11, 11, 12, 13, 13, 14 } } },
};

struct remotefx *remotefx_create(int32_t width, int32_t height, struct pst_err *err)
{
	struct remotefx *x = pst_zalloc(1, sizeof(*x));
	if (!x) {
		pst_err_set(err, PST_ENOMEM, "no memory for RemoteFX");
		return NULL;
	}
	x->width = width;
	x->height = height;
	return x;
}

void remotefx_destroy(struct remotefx *x)
{
	free(x);
}

/* TS_RFX_BLOCKT; with codec and channel, TS_RFX_CODEC_CHANNELT. */
static void put_block(struct pst_buf *out, enum block type, uint32_t len)
{
	pst_buf_put_le16(out, (uint16_t)type);
	pst_buf_put_le32(out, len);
}

static void put_channel_block(struct pst_buf *out, enum block type, uint32_t len, uint8_t channel)
{
	put_block(out, type, len);
	pst_buf_put_u8(out, 1);
	pst_buf_put_u8(out, channel);
}

static void put_headers(const struct remotefx *x, struct pst_buf *out)
{
	put_block(out, BLOCK_SYNC, 12);
	pst_buf_put_le32(out, 0xcaccacca);
	pst_buf_put_le16(out, 0x0100);
	put_channel_block(out, BLOCK_CONTEXT, 13, 0xff);
	pst_buf_put_u8(out, 0);
	pst_buf_put_le16(out, RFX_TILE_SIDE);
	pst_buf_put_le16(out, PROPERTIES);
	put_block(out, BLOCK_VERSIONS, 10);
	pst_buf_put_u8(out, 1);
	pst_buf_put_u8(out, 1);
	pst_buf_put_le16(out, 0x0100);
	put_block(out, BLOCK_CHANNELS, 12);
	pst_buf_put_u8(out, 1);
	pst_buf_put_u8(out, 0);
	pst_buf_put_le16(out, (uint16_t)x->width);
	pst_buf_put_le16(out, (uint16_t)x->height);
}

static void put_region(struct pst_buf *out, const struct rect *r)
{
	put_channel_block(out, BLOCK_REGION, 15 + 8, 0);
	pst_buf_put_u8(out, 1);
	pst_buf_put_le16(out, 1);
	pst_buf_put_le16(out, 0);
	pst_buf_put_le16(out, 0);
	pst_buf_put_le16(out, (uint16_t)r->w);
	pst_buf_put_le16(out, (uint16_t)r->h);
	pst_buf_put_le16(out, 0xcac1);
	pst_buf_put_le16(out, 1);
}

static void put_quant(struct pst_buf *out, const struct rfx_quant *q)
{
	for (int i = 0; i < 10; i += 2)
		pst_buf_put_u8(out, (uint8_t)(q->at[i] | q->at[i + 1] << 4));
}

/* TS_RFX_TILE of the part r of the picture, in this column and row of its tiles. */
static void put_tile(struct remotefx *x, const struct pixmap *sent, const struct rect *r, int column, int row, const struct quality *q,
		     struct pst_buf *out)
{
	size_t len[3], all = 0;
	rfx_tile_planes(sent, r, x->planes);
	for (int i = 0; i < 3; i++) {
		rfx_tile_bands(x->planes[i], i == 0 ? &q->luma : &q->chroma);
		len[i] = rlgr3_encode(x->planes[i], RFX_TILE_AREA, x->packed[i], PLANE_MAX);
		out->failed |= len[i] == 0;
		all += len[i];
	}
	put_block(out, BLOCK_TILE, (uint32_t)(19 + all));
	pst_buf_put_u8(out, 0);
	pst_buf_put_u8(out, 1);
	pst_buf_put_u8(out, 1);
	pst_buf_put_le16(out, (uint16_t)column);
	pst_buf_put_le16(out, (uint16_t)row);
	for (int i = 0; i < 3; i++)
		pst_buf_put_le16(out, (uint16_t)len[i]);
	for (int i = 0; i < 3; i++)
		pst_buf_append(out, x->packed[i], len[i]);
}

/* TS_RFX_TILESET, whose length is known at its end. */
static void put_tiles(struct remotefx *x, const struct pixmap *sent, const struct rect *r, const struct quality *q, struct pst_buf *out)
{
	int columns = (r->w + RFX_TILE_SIDE - 1) / RFX_TILE_SIDE, rows = (r->h + RFX_TILE_SIDE - 1) / RFX_TILE_SIDE;
	size_t at = out->len;
	put_channel_block(out, BLOCK_EXTENSION, 0, 0);
	pst_buf_put_le16(out, 0xcac2);
	pst_buf_put_le16(out, 0);
	pst_buf_put_le16(out, (uint16_t)(1 | PROPERTIES << 1)); /* the last one; then as in the context */
	pst_buf_put_u8(out, 2);
	pst_buf_put_u8(out, RFX_TILE_SIDE);
	pst_buf_put_le16(out, (uint16_t)(columns * rows));
	pst_buf_put_le32(out, 0);
	put_quant(out, &q->luma);
	put_quant(out, &q->chroma);
	size_t tiles_at = out->len;
	for (int i = 0; i < columns * rows; i++) {
		int32_t dx = i % columns * RFX_TILE_SIDE, dy = i / columns * RFX_TILE_SIDE;
		const struct rect tile = { r->x + dx, r->y + dy, PST_MIN(RFX_TILE_SIDE, r->w - dx), PST_MIN(RFX_TILE_SIDE, r->h - dy) };
		put_tile(x, sent, &tile, i % columns, i / columns, q, out);
	}
	if (out->failed)
		return;
	pst_buf_poke_le32(out, at + 2, (uint32_t)(out->len - at));
	pst_buf_poke_le32(out, tiles_at - 14, (uint32_t)(out->len - tiles_at));
}

int remotefx_pack(struct remotefx *x, const struct pixmap *sent, const struct rect *r, int quality, struct pst_buf *out, struct pst_err *err)
{
	const struct quality *q = qualities;
	while (quality < q->from)
		q++;
	if (!x->was_begun)
		put_headers(x, out);
	x->was_begun = true;
	put_channel_block(out, BLOCK_FRAME_BEGIN, 14, 0);
	pst_buf_put_le32(out, x->frame++);
	pst_buf_put_le16(out, 1);
	put_region(out, r);
	put_tiles(x, sent, r, q, out);
	put_channel_block(out, BLOCK_FRAME_END, 8, 0);
	return out->failed ? pst_err_set(err, PST_EINTERNAL, "a picture of %d × %d pixels cannot be packed by RemoteFX", r->w, r->h) : 0;
}

int remotefx_split(const struct rect *r, const struct pixmap *sent,
		   int (*put)(void *arg, const struct pixmap *sent, const struct rect *piece, struct pst_err *err), void *arg, struct pst_err *err)
{
	for (int32_t y = r->y; y < r->y + r->h; y += REMOTEFX_PART) {
		for (int32_t x = r->x; x < r->x + r->w; x += REMOTEFX_PART) {
			const struct rect piece = { x, y, PST_MIN(REMOTEFX_PART, r->x + r->w - x), PST_MIN(REMOTEFX_PART, r->y + r->h - y) };
			int rc = put(arg, sent, &piece, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}
