/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TRLE and ZRLE: tiles of 16 × 16 as they are, and of 64 × 64 in a zlib stream (RFC 6143, 7.7.5 and 7.7.6).
 */
#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/rfb/decoder_priv.h"

#define TRLE_SIDE 16
#define LENGTH 4

/* Whole tiles out of the bytes; returns how many bytes they were. */
static long tiles_take(struct rfb_decoder *d, int32_t side, bool can_reuse, const uint8_t *data, size_t len,
	struct pst_err *err)
{
	size_t used = 0;

	while (!d->is_done && used < len) {
		struct rect at = rfb_decoder_tile(d, side);
		long n = rfb_tile_decode(
			data + used, len - used, at.w, at.h, can_reuse, &d->palette, d->tile, err);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		rfb_screen_put(d->screen, &at, d->tile);
		used += (size_t)n;
		rfb_decoder_step(d, side);
	}
	return (long)used;
}

long rfb_trle_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	return tiles_take(d, TRLE_SIDE, true, data, len, err);
}

static long length_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor c;

	pst_cursor_init(&c, data, len);
	d->left = pst_cursor_be32(&c);
	if (!pst_cursor_ok(&c))
		return 0;
	/* The dearest tile is a run for each pixel, which no packing makes longer by more than a little. */
	if (d->left > (size_t)rect_area(&d->rect) * 5 + 4096)
		return pst_err_set(err, PST_EPROTO, "%zu packed bytes for %d × %d pixels", d->left, d->rect.w,
			d->rect.h);
	d->has_length = true;
	return LENGTH;
}

/* Unpacks and paints until the bytes are used up. With the rectangle's last byte its last tile must have
 * come, and not a byte beyond. */
static int unpack(struct rfb_decoder *d, const uint8_t *data, size_t n, bool is_last, struct pst_err *err)
{
	struct rfb_unpack *u = &d->zrle;
	size_t before;
	long used;

	d->is_done = rect_is_empty(&d->rect) || d->y >= d->rect.h;
	do {
		before = n;
		if (rfb_unpack_fill(u, &data, &n, err) < 0)
			return err->code;
		used = tiles_take(d, RFB_TILE_SIDE_MAX, false, u->window, u->len, err);
		if (used < 0)
			return (int)used;
		rfb_unpack_used(u, (size_t)used);
		if ((d->is_done && u->len) || (!used && n && n == before))
			return pst_err_set(err, PST_EPROTO, "ZRLE with more than its rectangle holds");
	} while (n || used);
	if (is_last && !d->is_done)
		return pst_err_set(err, PST_EPROTO, "ZRLE with less than its rectangle");
	d->is_done = is_last;
	return 0;
}

long rfb_zrle_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	long head = 0;
	size_t n;

	if (!d->has_length) {
		head = length_take(d, data, len, err);
		if (head <= 0)
			return head;
	}
	n = PST_MIN(len - (size_t)head, d->left);
	d->left -= n;
	if ((n || !d->left) && unpack(d, data + head, n, !d->left, err) < 0)
		return err->code;
	return head + (long)n;
}
