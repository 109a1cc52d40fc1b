/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FRAME: a writer for each kind of operation, in a table. */
#include "protocol/front/ws/frame.h"

#include <string.h>

typedef int (*op_writer)(struct ws_frame_writer *w, const struct op *op, const struct pixmap *sent, struct pst_buf *out,
			 struct pst_err *err);

int ws_frame_writer_init(struct ws_frame_writer *w)
{
	memset(w, 0, sizeof(*w));
	w->flat = codec_create(&codec_flat);
	w->jpeg = codec_create(&codec_jpeg);
	if (w->flat && w->jpeg)
		return 0;
	ws_frame_writer_finish(w);
	return PST_ENOMEM;
}

void ws_frame_writer_finish(struct ws_frame_writer *w)
{
	codec_destroy(w->flat);
	codec_destroy(w->jpeg);
	w->flat = NULL;
	w->jpeg = NULL;
}

int ws_frame_writer_restart(struct ws_frame_writer *w)
{
	struct codec *flat = codec_create(&codec_flat);

	if (!flat)
		return PST_ENOMEM;
	codec_destroy(w->flat);
	w->flat = flat;
	w->is_anew = true;
	return 0;
}

void ws_frame_head(uint8_t head[WS_FRAME_HEAD], uint32_t sequence, uint8_t flags, uint16_t operations)
{
	const uint8_t bytes[WS_FRAME_HEAD] = { (uint8_t)(sequence >> 24), (uint8_t)(sequence >> 16), (uint8_t)(sequence >> 8), (uint8_t)sequence,
		flags, (uint8_t)(operations >> 8), (uint8_t)operations };

	memcpy(head, bytes, sizeof(bytes));
}

uint8_t ws_frame_flags(const struct op_list *list)
{
	return (uint8_t)((list->is_exact ? WS_FRAME_EXACT : 0) | (list->more ? WS_FRAME_MORE : 0));
}

static void write_head(struct pst_buf *out, enum ws_op kind, const struct rect *r)
{
	pst_buf_put_u8(out, (uint8_t)kind);
	pst_buf_put_be16(out, (uint16_t)r->x);
	pst_buf_put_be16(out, (uint16_t)r->y);
	pst_buf_put_be16(out, (uint16_t)r->w);
	pst_buf_put_be16(out, (uint16_t)r->h);
}

static int write_copy(struct ws_frame_writer *w, const struct op *op, const struct pixmap *sent, struct pst_buf *out,
		      struct pst_err *err)
{
	(void)w, (void)sent, (void)err;
	write_head(out, WS_OP_COPY, &op->rect);
	pst_buf_put_be16(out, (uint16_t)op->copy.x);
	pst_buf_put_be16(out, (uint16_t)op->copy.y);
	return WS_OP_COPY;
}

static int write_fill(struct ws_frame_writer *w, const struct op *op, const struct pixmap *sent, struct pst_buf *out,
		      struct pst_err *err)
{
	(void)w, (void)sent, (void)err;
	write_head(out, WS_OP_FILL, &op->rect);
	pst_buf_put_u8(out, (uint8_t)(op->fill >> 16));
	pst_buf_put_u8(out, (uint8_t)(op->fill >> 8));
	pst_buf_put_u8(out, (uint8_t)op->fill);
	return WS_OP_FILL;
}

/* Head, length, and the codec's bytes, whose length is known afterwards. */
static int write_coded(struct codec *codec, enum ws_op kind, const struct rect *r, int quality, const struct pixmap *sent,
		       struct pst_buf *out, struct pst_err *err)
{
	write_head(out, kind, r);
	size_t at = out->len;

	pst_buf_put_be32(out, 0);
	int rc = codec_encode(codec, sent, r, quality, out, err);

	if (rc < 0)
		return rc;
	if (!out->failed)
		pst_buf_poke_be32(out, at, (uint32_t)(out->len - at - 4));
	return (int)kind;
}

static int write_lossless(struct ws_frame_writer *w, const struct op *op, const struct pixmap *sent, struct pst_buf *out,
			  struct pst_err *err)
{
	return write_coded(w->flat, WS_OP_FLAT, &op->rect, 0, sent, out, err);
}

static int write_lossy(struct ws_frame_writer *w, const struct op *op, const struct pixmap *sent, struct pst_buf *out,
		       struct pst_err *err)
{
	codec_set_thrift(w->jpeg, op->is_thrifty);
	return write_coded(w->jpeg, WS_OP_JPEG, &op->rect, op->quality, sent, out, err);
}

/* The wire's slot of an encoder's region: its own, or the one that was idle longest (a new region starts with a key unit). */
static uint8_t region_slot(struct ws_frame_writer *w, uint32_t region)
{
	uint8_t best = 0;

	for (uint8_t i = 0; i < WS_VIDEO_REGIONS; i++) {
		if (w->regions[i] == region + 1) {
			best = i;
			break;
		}
		if (w->region_used[i] < w->region_used[best])
			best = i;
	}
	w->regions[best] = region + 1;
	w->region_used[best] = w->frames;
	return best;
}

static int write_video(struct ws_frame_writer *w, const struct op *op, const struct pixmap *sent, struct pst_buf *out,
		       struct pst_err *err)
{
	const struct op_video *v = &op->video;

	(void)sent;
	if (v->len > UINT32_MAX)
		return pst_err_set(err, PST_ELIMIT, "a video unit of %zu bytes is too large", v->len);
	write_head(out, WS_OP_VIDEO, &op->rect);
	pst_buf_put_u8(out, region_slot(w, v->region));
	pst_buf_put_u8(
		out, (uint8_t)((v->is_key ? WS_VIDEO_KEY : 0) | (v->chroma == VIDEO_444 ? WS_VIDEO_444 : 0)));
	pst_buf_put_be16(out, (uint16_t)v->coded_w);
	pst_buf_put_be16(out, (uint16_t)v->coded_h);
	pst_buf_put_be32(out, (uint32_t)v->len);
	pst_buf_append(out, v->data, v->len);
	return WS_OP_VIDEO;
}

static const op_writer writers[OP_KINDS] = {
	[OP_COPY] = write_copy,   [OP_FILL] = write_fill,   [OP_LOSSLESS] = write_lossless,
	[OP_LOSSY] = write_lossy, [OP_VIDEO] = write_video,
};

void ws_frame_begin(struct ws_frame_writer *w, uint64_t sequence, uint8_t flags, uint16_t operations, struct pst_buf *out)
{
	uint8_t head[WS_FRAME_HEAD];

	w->frames++;
	w->is_anew = false;
	ws_frame_head(head, (uint32_t)sequence, flags, operations);
	pst_buf_append(out, head, sizeof(head));
}

int ws_frame_ops(struct ws_frame_writer *w, const struct op *ops, size_t n, const struct pixmap *sent, struct pst_buf *out, struct pst_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct op *op = &ops[i];
		size_t before = out->len;
		int kind = writers[op->kind](w, op, sent, out, err);

		if (kind < 0)
			return kind;
		w->mix.ops[kind]++;
		w->mix.bytes[kind] += out->len - before;
		w->mix.pixels[kind] += (uint64_t)rect_area(&op->rect);
	}
	return out->failed ? pst_err_set(err, PST_ELIMIT, "a frame is larger than %u bytes", WS_FRAME_MAX) : 0;
}

int ws_frame_write(struct ws_frame_writer *w, const struct op_list *list, const struct pixmap *sent, struct pst_buf *out,
		   struct pst_err *err)
{
	uint8_t flags = (uint8_t)(ws_frame_flags(list) | (w->is_anew ? WS_FRAME_ANEW : 0));

	if (list->len > UINT16_MAX)
		return pst_err_set(err, PST_ELIMIT, "a frame of %zu operations is too large", list->len);
	ws_frame_begin(w, list->sequence, flags, (uint16_t)list->len, out);
	return ws_frame_ops(w, list->ops, list->len, sent, out, err);
}
