/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bitmap data; see parts.h. */
#include "protocol/front/rdp/parts.h"

#include <freerdp/codec/interleaved.h>
#include <freerdp/codec/planar.h>
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/front/rdp/planar.h"

#define SIDE 64               /* the interleaved codec takes no more */
#define WIDE 256              /* of planar parts, where an update may be long */
#define WIDE_FROM (64u * 1024)
#define DATA_MAX 65535u       /* bitmapLength has 16 bits */

struct parts {
	uint32_t depth;
	int32_t width, height; /* of a part, at most */
	BITMAP_PLANAR_CONTEXT *planar;
	BITMAP_INTERLEAVED_CONTEXT *interleaved;
	uint8_t scratch[WIDE * SIDE * 4]; /* the largest part without any run */
};

/* The worst part, pixels as they are, fits an update. */
static void choose_size(struct parts *p, uint32_t update_max)
{
	uint32_t room = PST_MIN(update_max, DATA_MAX) - PARTS_HEADER_LEN;
	p->width = p->depth == 32 && update_max >= WIDE_FROM ? WIDE : SIDE;
	p->height = SIDE;
	while ((uint32_t)p->width * (uint32_t)p->height * 4 + 64 > room)
		p->height /= 2;
}

struct parts *parts_create(uint32_t depth, bool skips_alpha, uint32_t update_max, struct pst_err *err)
{
	if ((depth != 15 && depth != 16 && depth != 24 && depth != 32) || update_max < PARTS_UPDATE_MIN) {
		pst_err_set(err, PST_EUNSUPPORTED, "an RDP client of %u bits a pixel and updates of %u bytes is not served; 32 bits are best", depth, update_max);
		return NULL;
	}
	struct parts *p = pst_zalloc(1, sizeof(*p));
	if (p) {
		p->depth = depth;
		choose_size(p, update_max);
		if (depth == 32)
			p->planar = freerdp_bitmap_planar_context_new((skips_alpha ? PLANAR_FORMAT_HEADER_NA : 0u) | PLANAR_FORMAT_HEADER_RLE,
								      (UINT32)p->width, (UINT32)p->height);
		else if (depth < 24)
			p->interleaved = bitmap_interleaved_context_new(TRUE);
	}
	if (!p || (!p->planar && !p->interleaved && depth != 24)) {
		parts_destroy(p);
		pst_err_set(err, PST_ENOMEM, "no memory for a picture's codec");
		return NULL;
	}
	return p;
}

void parts_destroy(struct parts *p)
{
	if (!p)
		return;
	freerdp_bitmap_planar_context_free(p->planar);
	bitmap_interleaved_context_free(p->interleaved);
	free(p);
}

static BYTE *pack_planar(struct parts *p, const struct pixmap *sent, const struct rect *r, UINT32 *ret_len)
{
	if (!freerdp_bitmap_planar_context_reset(p->planar, (UINT32)r->w, (UINT32)r->h))
		return NULL;
	return planar_pack(p->planar, sent, r, ret_len);
}

static BYTE *pack_interleaved(struct parts *p, const struct pixmap *sent, const struct rect *r, UINT32 *ret_len)
{
	*ret_len = sizeof(p->scratch);
	bool is_packed = interleaved_compress(p->interleaved, p->scratch, ret_len, (UINT32)r->w, (UINT32)r->h, sent->data, PIXEL_FORMAT_BGRX32, sent->stride,
					      (UINT32)r->x, (UINT32)r->y, NULL, p->depth);
	return is_packed ? p->scratch : NULL;
}

static uint32_t narrow(uint32_t depth, uint32_t px)
{
	switch (depth) {
	case 15: return (px >> 9 & 0x7c00) | (px >> 6 & 0x3e0) | (px >> 3 & 0x1f);
	case 16: return (px >> 8 & 0xf800) | (px >> 5 & 0x7e0) | (px >> 3 & 0x1f);
	default: return px & 0xffffff;
	}
}

/* Rows from the bottom; with columns in fours no row needs padding. */
static BYTE *pack_plain(struct parts *p, const struct pixmap *sent, const struct rect *r, UINT32 *ret_len)
{
	uint8_t *to = p->scratch;
	for (int32_t y = r->y + r->h - 1; y >= r->y; y--) {
		const uint32_t *row = pixmap_at(sent, r->x, y);
		for (int32_t x = 0; x < r->w; x++) {
			uint32_t px = narrow(p->depth, row[x]);
			for (uint32_t bits = 0; bits < p->depth; bits += 8)
				*to++ = (uint8_t)(px >> bits);
		}
	}
	*ret_len = (UINT32)(to - p->scratch);
	return p->scratch;
}

/* NULL too when the packed part would be longer than its pixels. */
static BYTE *pack_runs(struct parts *p, const struct pixmap *sent, const struct rect *r, UINT32 *ret_len)
{
	if (p->planar)
		return pack_planar(p, sent, r, ret_len);
	return p->interleaved ? pack_interleaved(p, sent, r, ret_len) : NULL;
}

static int pack_one(struct parts *p, const struct pixmap *sent, const struct rect *r, int (*put)(void *arg, const BITMAP_DATA *part, struct pst_err *err),
		    void *arg, struct pst_err *err)
{
	UINT32 len = 0, pixel = (p->depth + 7) / 8;
	BYTE *packed = pack_runs(p, sent, r, &len), *data = packed ? packed : pack_plain(p, sent, r, &len);
	if (len > DATA_MAX)
		return pst_err_set(err, PST_EINTERNAL, "a part of the picture of %d × %d pixels cannot be packed", r->w, r->h);
	const BITMAP_DATA part = {
		.destLeft = (UINT32)r->x, .destTop = (UINT32)r->y, .destRight = (UINT32)(r->x + r->w - 1), .destBottom = (UINT32)(r->y + r->h - 1),
		.width = (UINT32)r->w, .height = (UINT32)r->h, .bitsPerPixel = p->depth, .bitmapLength = len, .cbCompMainBodySize = len,
		.cbScanWidth = (UINT32)r->w * pixel, .cbUncompressedSize = (UINT32)(r->w * r->h) * pixel, .bitmapDataStream = data, .compressed = packed != NULL,
	};
	int rc = put(arg, &part, err);
	if (data != p->scratch)
		free(data);
	return rc;
}

/* Columns in fours; at the right edge of a screen whose width is no multiple of four the part begins earlier instead. */
static struct rect widened(const struct rect *r, int32_t screen_w)
{
	struct rect wide = { r->x & ~3, r->y, 0, r->h };
	wide.w = (r->x + r->w - wide.x + 3) & ~3;
	if (wide.x + wide.w > screen_w)
		wide.x = PST_MAX(screen_w - wide.w, 0);
	wide.w = PST_MIN(wide.w, screen_w);
	return wide;
}

int parts_pack(struct parts *p, const struct pixmap *sent, const struct rect *r, int (*put)(void *arg, const BITMAP_DATA *part, struct pst_err *err),
	       void *arg, struct pst_err *err)
{
	int32_t left = r->x & ~3, right = r->x + r->w, bottom = r->y + r->h;
	for (int32_t y = r->y; y < bottom; y += p->height) {
		for (int32_t x = left; x < right; x += p->width) {
			const struct rect part = { x, y, PST_MIN(p->width, right - x), PST_MIN(p->height, bottom - y) };
			const struct rect wide = widened(&part, sent->width);
			int rc = pack_one(p, sent, &wide, put, arg, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}
