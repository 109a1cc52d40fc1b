/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An H.264 encoder for one region: x264 without delay, one reference, BT.709 full range, Annex B. */
#pragma once

#include "base/err.h"
#include "encoder/dsp/dsp.h"
#include "encoder/op.h"
#include "encoder/pixmap.h"

struct h264;

/*
 * width and height are even, width a multiple of 16 for VIDEO_444_VIEWS. Returns owned, or NULL with err.
 * rate_kbps 0: the picture alone decides.
 */
struct h264 *h264_create(
	int32_t width, int32_t height, uint32_t rate_kbps, enum video_chroma chroma, struct pst_err *err);
/* Accepts NULL. */
void h264_destroy(struct h264 *h);

struct h264_unit {
	const uint8_t *data; /* borrowed: until the next encode or destroy */
	size_t len;
	const uint8_t *view; /* of VIDEO_444_VIEWS, for the same decoder after the first; else NULL */
	size_t view_len;
	bool is_key;
	uint8_t qp;
};

/*
 * Encodes r of p (odd sides repeat their last pixel) as the next frame. still, when not NULL, has a 1 for
 * each block of 16 × 16 pixels (row by row from r's corner) that is as in the frame before: it is neither
 * read nor searched.
 */
int h264_encode(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r,
	bool want_key, const uint8_t *still, struct h264_unit *ret, struct pst_err *err);

/* True when it could go on with another region, which then begins with a key frame. */
bool h264_fits(const struct h264 *h, int32_t width, int32_t height, enum video_chroma chroma);

/* False when the path has become so narrow or so wide that another encoder, begun by a key frame, serves it
 * better. */
bool h264_suits(const struct h264 *h, uint32_t rate_kbps);

/* Follows the path's rate, 0 when it is unknown. */
void h264_set_rate(struct h264 *h, uint32_t rate_kbps);
