/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planes with run lengths; see planar.h. */
#include "protocol/front/rdp/planar.h"

#include <stdlib.h>

BYTE *planar_pack(BITMAP_PLANAR_CONTEXT *context, const struct pixmap *sent, const struct rect *r, UINT32 *ret_len)
{
	UINT32 w = (UINT32)r->w, h = (UINT32)r->h, len = 0;
	BYTE *data = freerdp_bitmap_compress_planar(context, (const BYTE *)pixmap_at(sent, r->x, r->y), PIXEL_FORMAT_BGRX32, w, h, sent->stride, NULL, &len);
	/* A buffer that is full to its last byte, behind one of the header, may lack the rest of a plane. */
	if (len > w * h * 4) {
		free(data);
		return NULL;
	}
	*ret_len = len;
	return data;
}

void planar_put_plain(struct pst_buf *out, const struct pixmap *sent, const struct rect *r)
{
	pst_buf_put_u8(out, PLANAR_FORMAT_HEADER_NA);
	for (int shift = 16; shift >= 0; shift -= 8) {
		for (int32_t y = r->y; y < r->y + r->h; y++) {
			const uint32_t *row = pixmap_at(sent, r->x, y);
			uint8_t *at = pst_buf_reserve(out, (size_t)r->w);
			for (int32_t x = 0; at && x < r->w; x++)
				at[x] = (uint8_t)(row[x] >> shift);
			if (at)
				pst_buf_commit(out, (size_t)r->w);
		}
	}
	pst_buf_put_u8(out, 0); /* the pad of planes without run lengths */
}
