/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RFB Tight (encoding 7) for 32-bit true colour with 8 bits a channel: what follows the rectangle's header.
 * Rectangles are at most TIGHT_WIDTH_MAX wide, as the protocol has it: the caller splits wider ones. With
 * quality 0 all is lossless; with 1…100 areas of more than 256 colours go out as JPEG.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "encoder/codec.h"
#include "encoder/codec/gradient.h"
#include "encoder/codec/jpeg.h"
#include "encoder/codec/layers.h"
#include "encoder/codec/tight.h"
#include "encoder/codec/zstream.h"
#include "encoder/palette.h"
#include "encoder/quality.h"

#define TIGHT_WIDTH_MAX 2048
#define PLAIN_MAX 12 /* fewer bytes than this go out without compression and without a length */
#define JPEG_AREA_MIN 256
#define GRADIENT_AREA_MIN 1024 /* smaller ones are found in the stream of full colours, if they are letters */
#define JPEG_BYTES 400 /* of headers and tables */
#define DRAWN_MAX 32   /* colours of what is drawn: hard edges that JPEG spoils */
#define LOOK_ROWS 4
#define SOFT_MAX 24    /* steps of green */
#define LAYERS_AREA_MIN 8192 /* smaller ones pay more for a palette of 256 than for their pixels */
#define MUCH 4096    /* bytes from which the time of level 6 shows: */
#define LEVEL_MUCH 4 /* half of it for a twentieth more bytes */

/* Compression control: the stream in bits 4-5, an explicit filter in bit 6. */
enum { STREAM_FULL, STREAM_MONO, STREAM_INDEXED, STREAM_GRADIENT, STREAMS };
enum { CONTROL_FILTER = 0x40, CONTROL_FILL = 0x80, CONTROL_JPEG = 0x90, FILTER_PALETTE = 1, FILTER_GRADIENT = 2 };

struct tight {
	struct codec base;
	struct zstream streams[STREAMS];
	struct jpeg_writer *jpeg;
	struct pst_buf raw, packed;
	struct palette palette;
	struct layers layers;
	bool has_gradient, is_thrifty;
	uint8_t indices[TIGHT_WIDTH_MAX];
};

/* Text compresses a third better at 6 than at 1; photos gain nothing and cost much. */
static const int levels[] = { [STREAM_FULL] = 1, [STREAM_MONO] = 6, [STREAM_INDEXED] = 6 };

static void put_tpixel(struct pst_buf *out, uint32_t colour)
{
	const uint8_t rgb[3] = { (uint8_t)(colour >> 16), (uint8_t)(colour >> 8), (uint8_t)colour };

	pst_buf_append(out, rgb, 3);
}

/* Seven bits, seven bits, eight bits, lowest first. */
static int put_compact_length(struct pst_buf *out, size_t n, struct pst_err *err)
{
	if (n >= 1u << 22)
		return pst_err_set(err, PST_ELIMIT, "tight: %zu bytes are too many for one rectangle", n);

	pst_buf_put_u8(out, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
	if (n > 0x7f)
		pst_buf_put_u8(out, (uint8_t)((n >> 7 & 0x7f) | (n > 0x3fff ? 0x80 : 0)));
	if (n > 0x3fff)
		pst_buf_put_u8(out, (uint8_t)(n >> 14));
	return 0;
}

static int put_data(struct tight *t, int stream, struct pst_buf *out, struct pst_err *err)
{
	int rc;

	if (t->raw.failed)
		return pst_err_set(err, PST_ENOMEM, "tight: no memory for %zu bytes of pixels", t->raw.len);
	if (t->raw.len < PLAIN_MAX)
		return pst_buf_append(out, t->raw.data, t->raw.len);

	pst_buf_reset(&t->packed);
	if (stream == STREAM_MONO || stream == STREAM_INDEXED)
		zstream_set_level(&t->streams[stream], t->raw.len > MUCH && !t->is_thrifty ? LEVEL_MUCH : levels[stream]);
	rc = zstream_write(&t->streams[stream], t->raw.data, t->raw.len, true, &t->packed, err);
	if (rc < 0)
		return rc;
	rc = put_compact_length(out, t->packed.len, err);
	if (rc < 0)
		return rc;
	return pst_buf_append(out, t->packed.data, t->packed.len);
}

static int encode_fill(uint32_t colour, struct pst_buf *out)
{
	pst_buf_put_u8(out, CONTROL_FILL);
	put_tpixel(out, colour);
	return 0;
}

static void put_palette(const struct palette *palette, int stream, struct pst_buf *out)
{
	pst_buf_put_u8(out, (uint8_t)(stream << 4 | CONTROL_FILTER));
	pst_buf_put_u8(out, FILTER_PALETTE);
	pst_buf_put_u8(out, (uint8_t)(palette->len - 1));
	for (int32_t i = 0; i < palette->len; i++)
		put_tpixel(out, palette->colours[i]);
}

static int encode_indexed(struct tight *t, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	int stream = t->palette.len == 2 ? STREAM_MONO : STREAM_INDEXED;
	int32_t bits = t->palette.len == 2 ? 1 : 8;

	put_palette(&t->palette, stream, out);
	pst_buf_reset(&t->raw);
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		uint8_t *at = pst_buf_reserve(&t->raw, (size_t)r->w);

		if (!at)
			break;
		palette_map_row(&t->palette, pixmap_at(p, r->x, y), r->w, t->indices);
		pst_buf_commit(&t->raw, palette_pack_row(t->indices, r->w, bits, at));
	}
	return put_data(t, stream, out, err);
}

static int encode_full(struct tight *t, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	pst_buf_put_u8(out, STREAM_FULL << 4);
	pst_buf_reset(&t->raw);
	for (int32_t y = r->y; y < r->y + r->h; y++) {
		const uint32_t *row = pixmap_at(p, r->x, y);
		uint8_t *at = pst_buf_reserve(&t->raw, (size_t)r->w * 3);

		if (!at)
			break;
		for (int32_t x = 0; x < r->w; x++) {
			*at++ = (uint8_t)(row[x] >> 16);
			*at++ = (uint8_t)(row[x] >> 8);
			*at++ = (uint8_t)row[x];
		}
		pst_buf_commit(&t->raw, (size_t)r->w * 3);
	}
	return put_data(t, STREAM_FULL, out, err);
}

static int encode_gradient(struct tight *t, const struct pixmap *p, const struct rect *r, struct pst_buf *out, struct pst_err *err)
{
	pst_buf_put_u8(out, STREAM_GRADIENT << 4 | CONTROL_FILTER);
	pst_buf_put_u8(out, FILTER_GRADIENT);
	pst_buf_reset(&t->raw);
	gradient_put(p, r, &t->raw);
	return put_data(t, STREAM_GRADIENT, out, err);
}

static int encode_jpeg(struct tight *t, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	int rc;

	pst_buf_reset(&t->packed);
	rc = jpeg_writer_write(t->jpeg, p, r, quality, &t->packed, err);
	if (rc < 0)
		return rc;

	pst_buf_put_u8(out, CONTROL_JPEG);
	rc = put_compact_length(out, t->packed.len, err);
	return rc < 0 ? rc : pst_buf_append(out, t->packed.data, t->packed.len);
}

/* A small box with many colours, as one letter is: the palette alone would cost more than its pixels in a
 * warm stream. */
static bool is_palette_dear(const struct tight *t, const struct rect *r)
{
	return t->palette.len > 8 && t->palette.len * 8 > rect_area(r);
}

static bool is_soft(uint32_t a, uint32_t b)
{
	return abs((int)(a >> 8 & 255) - (int)(b >> 8 & 255)) <= SOFT_MAX;
}

/*
 * A film's sky of few colours: a byte for each change from pixel to pixel, of some rows, or what JPEG makes of soft slopes. Only where that is much less it
 * is worth the loss; the hard edges of letters are not.
 */
static bool is_jpeg_cheaper(const struct tight *t, const struct pixmap *p, const struct rect *r, int quality)
{
	uint64_t changes = 0, soft = 0, jpeg = JPEG_BYTES + (uint64_t)rect_area(r) * quality_weight((uint8_t)quality) / 1000;

	if (t->palette.len <= DRAWN_MAX)
		return false;
	for (int32_t y = r->y; y < r->y + r->h; y += LOOK_ROWS) {
		const uint32_t *row = pixmap_at(p, r->x, y);

		for (int32_t x = 1; x < r->w; x++) {
			changes += row[x] != row[x - 1];
			soft += row[x] != row[x - 1] && is_soft(row[x], row[x - 1]);
		}
	}
	return soft * 4 > changes * 3 && changes * LOOK_ROWS * 3 / 4 > 2 * jpeg;
}

static int tight_encode(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	struct tight *t = pst_container_of(c, struct tight, base);

	if (r->w > TIGHT_WIDTH_MAX || rect_area(r) > TIGHT_WIDTH_MAX * 512)
		return pst_err_set(err, PST_EINVAL,
			"tight: %dx%d pixels are too many for one rectangle: split it at %d columns", r->w,
			r->h, TIGHT_WIDTH_MAX);

	palette_clear(&t->palette);
	if (palette_scan(&t->palette, p, r, PALETTE_MAX) && !is_palette_dear(t, r) &&
		!(quality > 0 && rect_area(r) >= JPEG_AREA_MIN && is_jpeg_cheaper(t, p, r, quality)))
		return t->palette.len == 1 ? encode_fill(t->palette.colours[0], out)
					   : encode_indexed(t, p, r, out, err);
	if (quality > 0 && rect_area(r) >= JPEG_AREA_MIN)
		return encode_jpeg(t, p, r, quality, out, err);
	if (t->has_gradient && rect_area(r) >= GRADIENT_AREA_MIN && gradient_pays(p, r))
		return encode_gradient(t, p, r, out, err);
	return encode_full(t, p, r, out, err);
}

static int put_layers(struct tight *t, const struct pixmap *p, tight_head head, void *arg, struct pst_buf *out,
	struct pst_err *err)
{
	const struct layers *l = &t->layers;
	int rc;

	put_palette(&l->palette, STREAM_INDEXED, out);
	rc = put_data(t, STREAM_INDEXED, out, err);
	for (size_t i = 0; i < l->boxes_len && rc == 0; i++) {
		head(arg, out, &l->boxes[i]);
		rc = codec_encode(&t->base, p, &l->boxes[i], 0, out, err);
	}
	return rc < 0 ? rc : 1 + (int)l->boxes_len;
}

int tight_put(struct codec *c, const struct pixmap *p, const struct rect *r, tight_head head, void *arg, struct pst_buf *out,
	struct pst_err *err)
{
	struct tight *t = pst_container_of(c, struct tight, base);
	bool is_large = rect_area(r) >= LAYERS_AREA_MIN, has_layers = false;
	int rc;

	if (is_large) {
		palette_clear(&t->palette);
		if (!palette_scan(&t->palette, p, r, PALETTE_MAX)) {
			has_layers = layers_find(&t->layers, p, r, &t->raw);
			if (!has_layers)
				return 0;
		}
	}
	head(arg, out, r);
	if (has_layers)
		return put_layers(t, p, head, arg, out, err);
	rc = codec_encode(c, p, r, 0, out, err);
	return rc < 0 ? rc : 1;
}

static void tight_destroy(struct codec *c)
{
	struct tight *t = pst_container_of(c, struct tight, base);

	for (int i = 0; i < STREAMS; i++)
		zstream_close(&t->streams[i]);
	jpeg_writer_destroy(t->jpeg);
	pst_buf_finish(&t->raw);
	pst_buf_finish(&t->packed);
	free(t);
}

static struct codec *tight_create(void)
{
	struct tight *t = pst_zalloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pst_buf_init(&t->raw, TIGHT_WIDTH_MAX * 512 * 4);
	pst_buf_init(&t->packed, TIGHT_WIDTH_MAX * 512 * 4);
	t->jpeg = jpeg_writer_create();
	if (!t->jpeg)
		goto fail;
	for (int i = 0; i < STREAM_GRADIENT; i++)
		if (zstream_open(&t->streams[i], levels[i], NULL) < 0)
			goto fail;
	if (zstream_open_residues(&t->streams[STREAM_GRADIENT], NULL) < 0)
		goto fail;
	return &t->base;
fail:
	tight_destroy(&t->base);
	return NULL;
}

void tight_set_gradient(struct codec *c, bool has_gradient)
{
	pst_container_of(c, struct tight, base)->has_gradient = has_gradient;
}

static void tight_set_thrift(struct codec *c, bool is_thrifty)
{
	struct tight *t = pst_container_of(c, struct tight, base);

	t->is_thrifty = is_thrifty;
	jpeg_writer_set_thrift(t->jpeg, is_thrifty);
}

const struct codec_type codec_tight = {
	.set_thrift = tight_set_thrift,
	.name = "tight",
	.is_lossless = true,
	.is_stateful = true,
	.create = tight_create,
	.destroy = tight_destroy,
	.encode = tight_encode,
};
