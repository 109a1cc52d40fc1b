/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FramebufferUpdate (RFC 6143 §7.6.1): the encoder's operations and the pseudo-rectangles in the viewer's words. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "encoder/blank.h"
#include "encoder/codec/tight.h"
#include "protocol/front/rfb/rfb_priv.h"

#define TIGHT_SIDE_MAX 2048 /* width limit of a Tight rectangle; also keeps its length below 2^22 with the next one */
#define PART_HEIGHT_MAX 512
#define RECTS_MAX 0xfffeu /* of one update; one more would mean that their number is not known */
#define OP_RECTS_MAX (SCREEN_SIDE_MAX / TIGHT_SIDE_MAX * (SCREEN_SIDE_MAX / PART_HEIGHT_MAX) * TIGHT_RECTS_MAX)
_Static_assert(OP_RECTS_MAX + REPEATS_MAX < RECTS_MAX, "an operation fits an update");
#define FENCE_REQUEST (1u << 31)
#define FENCE_BLOCK_BEFORE 1u
#define H264_RESET_CONTEXT 1u
#define FENCE_BYTES 17
#define LARGE_AREA (128 * 128) /* pixels from which a frame may tell the path's rate */

static void put_rect(struct pst_buf *out, const struct rect *r, int32_t encoding)
{
	pst_buf_put_be16(out, (uint16_t)r->x);
	pst_buf_put_be16(out, (uint16_t)r->y);
	pst_buf_put_be16(out, (uint16_t)r->w);
	pst_buf_put_be16(out, (uint16_t)r->h);
	pst_buf_put_be32(out, (uint32_t)encoding);
}

static void put_update_header(struct pst_buf *out, uint16_t rects)
{
	pst_buf_put_u8(out, 0);
	pst_buf_put_u8(out, 0);
	pst_buf_put_be16(out, rects);
}

bool rfb_update_takes_repeats(const struct rfb *f)
{
	return f->features.copy_rect && f->features.zrle && rfb_pixel_format_is_native(&f->format);
}

bool rfb_update_is_due(const struct rfb *f)
{
	return f->phase == RFB_RUNNING && (f->is_requested || f->is_continuous);
}

static void put_size(struct rfb *f, struct pst_buf *out)
{
	struct rect r = { 0, 0, f->size.width, f->size.height };
	if (!f->features.extended_desktop_size) {
		put_rect(out, &r, ENC_DESKTOP_SIZE);
		return;
	}
	r.x = f->size.was_asked ? 1 : 0;
	r.y = f->size.was_asked ? f->size.status : 0;
	put_rect(out, &r, ENC_EXTENDED_DESKTOP_SIZE);
	pst_buf_put_u8(out, 1); /* one screen, the whole */
	pst_buf_put_zero(out, 3);
	pst_buf_put_be32(out, 0);
	pst_buf_put_be16(out, 0);
	pst_buf_put_be16(out, 0);
	pst_buf_put_be16(out, (uint16_t)f->size.width);
	pst_buf_put_be16(out, (uint16_t)f->size.height);
	pst_buf_put_be32(out, 0);
}

/* Premultiplied BGRA to the RGBA of the cursor-with-alpha pseudo-encoding, raw inside. */
static void put_cursor_alpha(struct pst_buf *out, const struct cursor_image *c, const struct rect *r)
{
	put_rect(out, r, ENC_CURSOR_ALPHA);
	pst_buf_put_be32(out, ENC_RAW);
	for (int32_t i = 0; i < r->w * r->h; i++) {
		uint32_t px = c->pixels[i];
		pst_buf_put_be32(out, (px & 0xff0000) << 8 | (px & 0xff00) << 8 | (px & 0xff) << 8 | px >> 24);
	}
}

/* Cursor (RFC 6143 §7.8.1): pixels in the viewer's format, then one bit each for opaque. */
static void put_cursor_mask(struct rfb *f, struct pst_buf *out, const struct cursor_image *c, const struct rect *r)
{
	put_rect(out, r, ENC_CURSOR);
	const struct pixmap view = { (const uint8_t *)c->pixels, r->w, r->h, (uint32_t)r->w * 4 };
	const struct rect all = { 0, 0, r->w, r->h };
	rfb_pixel_format_translate(&f->format, &view, &all, out);
	for (int32_t y = 0; y < r->h; y++) {
		uint8_t bits = 0;
		for (int32_t x = 0; x < r->w; x++) {
			if (c->pixels[y * r->w + x] >> 24 >= 128)
				bits |= (uint8_t)(0x80 >> (x & 7));
			if ((x & 7) == 7 || x == r->w - 1) {
				pst_buf_put_u8(out, bits);
				bits = 0;
			}
		}
	}
}

static void put_cursor(struct rfb *f, struct pst_buf *out)
{
	const struct cursor_image *c = &f->cursor.image;
	struct rect r = { c->hot_x, c->hot_y, c->w, c->h };
	if (f->features.cursor_alpha)
		put_cursor_alpha(out, c, &r);
	else
		put_cursor_mask(f, out, c, &r);
}

void rfb_update_pseudo(struct rfb *f)
{
	bool takes_size = f->features.desktop_size || f->features.extended_desktop_size;
	bool takes_cursor = f->features.cursor || f->features.cursor_alpha;
	bool has_size = f->size.is_pending && takes_size, has_cursor = f->cursor.is_pending && takes_cursor;
	if (!rfb_update_is_due(f) || (!has_size && !has_cursor && !f->qemu_key_pending))
		return;

	struct pst_buf *out = rfb_stream_out(f->stream);
	if (has_cursor) {
		put_update_header(out, 1);
		put_cursor(f, out);
		f->cursor.is_pending = false;
	}
	if (has_size) {
		put_update_header(out, 1);
		put_size(f, out);
		f->size.is_pending = f->size.was_asked = false;
		f->size.status = 0;
	}
	if (f->qemu_key_pending) {
		const struct rect none = { 0, 0, 0, 0 };
		put_update_header(out, 1);
		put_rect(out, &none, ENC_QEMU_KEY); /* we take its key codes */
		f->qemu_key_pending = false;
	}
	f->is_requested = false;
	rfb_stream_flush(f->stream);
}

/* How the viewer gets the pixels of an operation: its first choice where the pixel format allows. */
static int32_t choose_encoding(const struct rfb *f, const struct op *op)
{
	bool wants_jpeg = op->kind == OP_LOSSY;
	bool is_888 = rfb_pixel_format_is_888(&f->format);
	if (f->tight && is_888 && f->features.tight && (wants_jpeg || f->features.lossless == ENC_TIGHT))
		return ENC_TIGHT;
	if (f->zrle && f->features.zrle && rfb_pixel_format_is_native(&f->format))
		return ENC_ZRLE;
	if (f->tight && is_888 && f->features.tight)
		return ENC_TIGHT;
	return ENC_RAW;
}

static void put_tight_head(void *arg, struct pst_buf *out, const struct rect *r)
{
	(void)arg;
	put_rect(out, r, ENC_TIGHT);
}

static void put_copy(struct pst_buf *out, const struct rect *r, int32_t x, int32_t y)
{
	put_rect(out, r, ENC_COPY_RECT);
	pst_buf_put_be16(out, (uint16_t)x);
	pst_buf_put_be16(out, (uint16_t)y);
}

/* The rest of a page by runs, which take next to nothing of paper, then copies of the words that the viewer shows already. Returns the rectangles. */
static int put_repeats(struct rfb *f, struct pst_buf *out, const struct op *op, const struct pixmap *blank, struct pst_err *err)
{
	const struct rect all = { 0, 0, op->rect.w, op->rect.h };
	int rc;

	put_rect(out, &op->rect, ENC_ZRLE);
	rc = codec_encode(f->zrle, blank, &all, 0, out, err);
	for (size_t i = 0; i < op->lossless.repeats_len && rc == 0; i++)
		put_copy(out, &op->lossless.repeats[i].rect, op->lossless.repeats[i].x, op->lossless.repeats[i].y);
	return rc < 0 ? rc : 1 + (int)op->lossless.repeats_len;
}

/* Returns the rectangles of one part of an operation, or negative. */
static int put_pixels(struct rfb *f, struct pst_buf *out, const struct op *op, const struct rect *r,
	const struct pixmap *sent, struct pst_err *err)
{
	int32_t encoding = choose_encoding(f, op);
	if (encoding == ENC_TIGHT && op->kind == OP_LOSSLESS) {
		int n = tight_put(f->tight, sent, r, put_tight_head, NULL, out, err);
		if (n != 0)
			return n;
		if (op->klass != OP_CLASS_PICTURE && f->zrle && f->features.zrle && rfb_pixel_format_is_native(&f->format))
			encoding = ENC_ZRLE;
	}
	put_rect(out, r, encoding);
	if (encoding == ENC_RAW) {
		rfb_pixel_format_translate(&f->format, sent, r, out);
		return 1;
	}
	int quality = op->kind == OP_LOSSY ? PST_MIN(op->quality, f->features.quality) : 0;
	struct codec *codec = encoding == ENC_TIGHT ? f->tight : f->zrle;
	int rc = codec_encode(codec, sent, r, quality, out, err);
	return rc < 0 ? rc : 1;
}

static int put_parts(struct rfb *f, struct pst_buf *out, const struct op *op, const struct pixmap *sent,
	struct pst_err *err)
{
	const struct rect *all = &op->rect;
	int rects = 0;
	for (int32_t y = all->y; y < all->y + all->h; y += PART_HEIGHT_MAX) {
		for (int32_t x = all->x; x < all->x + all->w; x += TIGHT_SIDE_MAX) {
			struct rect part = { x, y, PST_MIN(TIGHT_SIDE_MAX, all->x + all->w - x),
				PST_MIN(PART_HEIGHT_MAX, all->y + all->h - y) };
			int n = put_pixels(f, out, op, &part, sent, err);
			if (n < 0)
				return n;
			rects += n;
		}
	}
	return rects;
}

/* Open H.264: length, flags, Annex B. The viewer keeps a decoder for each place and size; a key unit begins a new one. */
static int put_video(struct pst_buf *out, const struct op *op)
{
	put_rect(out, &op->rect, ENC_H264);
	pst_buf_put_be32(out, (uint32_t)op->video.len);
	pst_buf_put_be32(out, op->video.is_key ? H264_RESET_CONTEXT : 0);
	int rc = pst_buf_append(out, op->video.data, op->video.len);
	return rc < 0 ? rc : 1;
}

/* How many copies follow an operation; the viewer may have changed its mind since it was planned. */
static size_t repeats_of(const struct rfb *f, const struct op *op)
{
	return op->kind == OP_LOSSLESS && rfb_update_takes_repeats(f) ? op->lossless.repeats_len : 0;
}

/* Returns how many rectangles an operation took, or negative. */
static int put_op(struct rfb *f, struct pst_buf *out, const struct op *op, const struct pixmap *sent, struct pst_err *err)
{
	struct pixmap blank;

	codec_set_thrift(f->tight, op->is_thrifty);
	codec_set_thrift(f->zrle, op->is_thrifty);
	if (op->kind == OP_VIDEO)
		return put_video(out, op);
	if (repeats_of(f, op) && blank_repeats(op, sent, &f->blank, &blank) == 0)
		return put_repeats(f, out, op, &blank, err);
	if (op->kind != OP_COPY)
		return put_parts(f, out, op, sent, err);
	put_copy(out, &op->rect, op->copy.x, op->copy.y);
	return 1;
}

/* The answer to this fence is the acknowledgement of the so many bytes before it, or of itself: the path's round trip. */
static void put_fence(struct rfb *f, struct pst_buf *out, size_t bytes)
{
	uint64_t sequence = ++f->next_fence;

	window_sent(&f->window, sequence, bytes, pst_mono_ns());
	pst_buf_put_u8(out, 248);
	pst_buf_put_zero(out, 3);
	pst_buf_put_be32(out, FENCE_REQUEST | FENCE_BLOCK_BEFORE);
	pst_buf_put_u8(out, 8);
	pst_buf_put_be64(out, sequence);
}

/* A letter's update is smaller than the fence and its answer are. */
static void note_frame(struct rfb *f, struct pst_buf *out, size_t bytes)
{
	if (window_may_be_quiet(&f->window, bytes, pst_mono_ns()))
		window_quiet(&f->window, f->next_fence, bytes);
	else
		put_fence(f, out, bytes + FENCE_BYTES);
}

static bool is_large(const struct op_list *ops)
{
	int64_t area = 0;

	for (size_t i = 0; i < ops->len; i++)
		area += ops->ops[i].kind == OP_COPY || ops->ops[i].kind == OP_FILL ? 0 : rect_area(&ops->ops[i].rect);
	return area >= LARGE_AREA;
}

/* FramebufferUpdate messages: how many rectangles one has is known when it ends. */
static int put_ops(struct rfb *f, struct pst_buf *out, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	size_t header = 0;
	uint32_t rects = 0;

	for (size_t i = 0; i < ops->len; i++) {
		if (i == 0 || rects + OP_RECTS_MAX + repeats_of(f, &ops->ops[i]) > RECTS_MAX) {
			header = out->len;
			rects = 0;
			put_update_header(out, 0);
		}
		int n = put_op(f, out, &ops->ops[i], sent, err);
		if (n < 0)
			return n;
		rects += (uint32_t)n;
		if (!out->failed)
			pst_buf_poke_be32(out, header, rects);
	}
	return 0;
}

int rfb_update_frame(struct rfb *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct pst_buf *out = rfb_stream_out(f->stream);

	if (f->features.fence && is_large(ops) && window_wants_probe(&f->window, pst_mono_ns()))
		put_fence(f, out, FENCE_BYTES);
	size_t before = out->len;
	int rc = put_ops(f, out, ops, sent, err);
	if (rc < 0)
		return rc;
	f->is_requested = false;
	if (f->features.fence)
		note_frame(f, out, out->len - before);
	rfb_stream_flush(f->stream);
	return 0;
}
