/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codecs of the graphics pipeline, chosen by what the pixels are; see gfx_pixels.h. */
#include "protocol/front/rdp/gfx_pixels.h"

#include <freerdp/codec/planar.h>
#include <stdlib.h>

#include "base/mem.h"
#include "encoder/codec.h"
#include "protocol/front/rdp/gfx_wire.h"
#include "protocol/front/rdp/planar.h"
#include "protocol/front/rdp/remotefx.h"

#define PART_WIDTH_MAX 512
#define PART_HEIGHT_MAX 128

struct gfx_pixels {
	struct codec *clear;
	BITMAP_PLANAR_CONTEXT *planar; /* NULL before the first exact picture */
	struct remotefx *remotefx;
	struct pst_buf data;
};

/* One operation at work. */
struct job {
	struct gfx_pixels *x;
	uint16_t surface;
	struct pst_buf *out;
};

static int put_bits(const struct job *j, enum gfx_codec codec, const struct rect *r)
{
	gfx_wire_bits(j->out, j->surface, codec, r, j->x->data.data, j->x->data.len);
	j->out->failed |= j->x->data.failed;
	return 0;
}

static int put_clear(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	pst_buf_reset(&j->x->data);
	int rc = codec_encode(j->x->clear, sent, r, 0, &j->x->data, err);
	return rc < 0 ? rc : put_bits(j, GFX_CODEC_CLEAR, r);
}

/* Planes whose runs would be longer than the pixels are refused by the codec: noise, or a few pixels. */
static int put_plain(const struct job *j, const struct pixmap *sent, const struct rect *r)
{
	pst_buf_reset(&j->x->data);
	for (int32_t y = r->y; y < r->y + r->h; y++)
		pst_buf_append(&j->x->data, pixmap_at(sent, r->x, y), (size_t)r->w * 4);
	return put_bits(j, GFX_CODEC_UNCOMPRESSED, r);
}

static int put_planes(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	UINT32 len = 0;
	if (!j->x->planar)
		j->x->planar =
			freerdp_bitmap_planar_context_new(PLANAR_FORMAT_HEADER_NA | PLANAR_FORMAT_HEADER_RLE, PART_WIDTH_MAX, PART_HEIGHT_MAX);
	if (!j->x->planar || !freerdp_bitmap_planar_context_reset(j->x->planar, (UINT32)r->w, (UINT32)r->h))
		return pst_err_set(err, PST_ENOMEM, "no memory for a picture's codec");
	freerdp_planar_topdown_image(j->x->planar, TRUE);
	BYTE *data = planar_pack(j->x->planar, sent, r, &len);
	if (!data)
		return put_plain(j, sent, r);
	gfx_wire_bits(j->out, j->surface, GFX_CODEC_PLANAR, r, data, len);
	free(data);
	return 0;
}

static int put_picture(const struct job *j, const struct pixmap *sent, const struct rect *all, struct pst_err *err)
{
	for (int32_t y = all->y; y < all->y + all->h; y += PART_HEIGHT_MAX) {
		for (int32_t x = all->x; x < all->x + all->w; x += PART_WIDTH_MAX) {
			const struct rect part = { x, y, PST_MIN(PART_WIDTH_MAX, all->x + all->w - x),
						   PST_MIN(PART_HEIGHT_MAX, all->y + all->h - y) };
			int r = put_planes(j, sent, &part, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int put_lossy(void *arg, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	const struct job *j = arg;
	pst_buf_reset(&j->x->data);
	int rc = remotefx_pack(j->x->remotefx, sent, r, &j->x->data, err);
	return rc < 0 ? rc : put_bits(j, GFX_CODEC_CAVIDEO, r);
}

struct gfx_pixels *gfx_pixels_create(struct pst_err *err)
{
	struct gfx_pixels *x = pst_zalloc(1, sizeof(*x));
	if (x) {
		pst_buf_init(&x->data, GFX_PDU_MAX);
		x->clear = codec_create(&codec_clear);
	}
	if (!x || !x->clear) {
		gfx_pixels_destroy(x);
		pst_err_set(err, PST_ENOMEM, "no memory for the graphics pipeline's codecs");
		return NULL;
	}
	return x;
}

void gfx_pixels_destroy(struct gfx_pixels *x)
{
	if (!x)
		return;
	codec_destroy(x->clear);
	freerdp_bitmap_planar_context_free(x->planar);
	remotefx_destroy(x->remotefx);
	pst_buf_finish(&x->data);
	free(x);
}

int gfx_pixels_resize(struct gfx_pixels *x, int32_t width, int32_t height, struct pst_err *err)
{
	remotefx_destroy(x->remotefx);
	x->remotefx = remotefx_create(width, height, err);
	return x->remotefx ? 0 : err->code;
}

int gfx_pixels_put(struct gfx_pixels *x, const struct op *op, const struct pixmap *sent, uint16_t surface, struct pst_buf *out, struct pst_err *err)
{
	struct job job = { x, surface, out };
	if (op->kind == OP_LOSSY)
		return remotefx_split(&op->rect, sent, put_lossy, &job, err);
	return op->klass == OP_CLASS_PICTURE ? put_picture(&job, sent, &op->rect, err) : put_clear(&job, sent, &op->rect, err);
}
