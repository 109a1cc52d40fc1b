/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x264, set up for a stream that is shown at once and never seeks. */
#include "encoder/x264.h"

#include <stdlib.h>
#include <string.h>

#include <x264.h>

#include "base/buf.h"
#include "base/mem.h"
#include "encoder/quantiser.h"

/* Below it bytes are dearer than time, and a frame that is too large is seen by who types: x264's own rate
 * control, which takes twice the time, holds every frame down, cuts too. */
#define NARROW_KBPS 20000
#define WIDE_KBPS 40000 /* a narrow one stays so until there */
#define CRF 26.0f
#define FRAMES_PER_S 30    /* a hint for rate control; frames come when the screen changes */
#define BUFFER_MS 40       /* of the rate: what one frame may take at most, so that little waits behind it */
#define VIDEO_SHARE_PCT 65 /* the rest is for text, input echo and audio */
#define MOTION_MAX 128     /* pixels from frame to frame: x264 has a table of them for each quantiser */
#define RATE_MIN_KBPS 200
#define BLOCK 16
#define UNIT_MAX (64u * 1024 * 1024)
#define VIEW_QP 2       /* coarser: what is left of the chroma is seen less than luma */
#define COLOUR_PART 256 /* pixels that are doubled at once */
/* Quantisers are given by frame, within what x264 would use for I and B frames by itself: 6 x log2(10) around
 * P's. */
#define QP_MIDDLE 31
#define QP_FACTOR 10.0f

_Static_assert(X264_MBINFO_CONSTANT == 1, "a block that is still is x264's constant macroblock");

struct h264 {
	x264_t *x264;
	x264_param_t param;
	enum video_chroma chroma;
	x264_picture_t picture, view; /* the second of VIDEO_444_VIEWS, */
	struct pst_buf first;         /* and the first's bytes: x264 keeps only its newest picture's */
	struct quantiser quantiser;   /* on wide paths */
	uint32_t rate_kbps;
	bool is_narrow;
	int64_t pts;
	bool has_picture, has_view;
};

static void on_message(void *arg, int level, const char *fmt, va_list ap)
{
	(void)arg; /* x264 may not write to our standard error; what matters comes back as a return value */
	(void)level;
	(void)fmt;
	(void)ap;
}

static void set_rate(x264_param_t *p, uint32_t rate_kbps)
{
	int kbps = (int)PST_MAX((uint64_t)RATE_MIN_KBPS, (uint64_t)rate_kbps * VIDEO_SHARE_PCT / 100);

	p->rc.i_vbv_max_bitrate = kbps;
	p->rc.i_vbv_buffer_size = kbps * BUFFER_MS / 1000;
}

static void set_up_rate_control(x264_param_t *p, uint32_t rate_kbps, bool is_narrow)
{
	if (is_narrow) {
		p->rc.i_rc_method = X264_RC_CRF;
		p->rc.f_rf_constant = CRF;
		set_rate(p, rate_kbps);
		return;
	}
	p->rc.i_rc_method = X264_RC_CQP;
	p->rc.i_qp_constant = QP_MIDDLE;
	p->rc.f_ip_factor = p->rc.f_pb_factor = QP_FACTOR;
}

/*
 * Constant quantisers, one for each frame, leave out x264's own rate control, which looks at every frame
 * twice; what is still is then skipped at once. Of the fastest preset only the missing deblocking shows.
 */
static int set_up(x264_param_t *p, int32_t width, int32_t height, uint32_t rate_kbps, bool is_narrow,
	enum video_chroma chroma)
{
	if (x264_param_default_preset(p, is_narrow ? "superfast" : "ultrafast", "zerolatency") < 0)
		return -1;
	p->pf_log = on_message;
	p->i_width = width;
	p->i_height = height;
	p->i_csp = chroma == VIDEO_444 ? X264_CSP_I444 : X264_CSP_I420;
	p->i_threads = 1;
	p->i_fps_num = FRAMES_PER_S;
	p->i_fps_den = 1;
	p->b_vfr_input = 0;
	/* The picture before, and where there are two views the one of the same sort. */
	p->i_frame_reference = chroma == VIDEO_444_VIEWS ? 2 : 1;
	p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
	p->i_scenecut_threshold = 0;
	p->b_repeat_headers = 1;
	p->b_annexb = 1;
	p->b_deblocking_filter = 1;
	p->analyse.b_mb_info = 1;
	p->analyse.i_subpel_refine = 1; /* quarters of a pixel: a fifth of the bytes for a tenth of the time */
	p->analyse.i_mv_range = MOTION_MAX;
	p->analyse.i_weighted_pred = X264_WEIGHTP_NONE; /* pays for fades alone */
	p->vui.b_fullrange = 1;
	p->vui.i_colorprim = p->vui.i_transfer = p->vui.i_colmatrix = 1; /* BT.709 */
	set_up_rate_control(p, rate_kbps, is_narrow);
	return x264_param_apply_profile(p, chroma == VIDEO_444 ? "high444" : "main");
}

struct h264 *h264_create(
	int32_t width, int32_t height, uint32_t rate_kbps, enum video_chroma chroma, struct pst_err *err)
{
	struct h264 *h = pst_zalloc(1, sizeof(*h));

	if (!h)
		goto fail;
	h->is_narrow = rate_kbps && rate_kbps < NARROW_KBPS;
	h->chroma = chroma;
	h->rate_kbps = rate_kbps;
	pst_buf_init(&h->first, UNIT_MAX);
	if (set_up(&h->param, width, height, rate_kbps, h->is_narrow, chroma) < 0)
		goto fail;
	quantiser_init(&h->quantiser, width, height, rate_kbps);
	if (x264_picture_alloc(&h->picture, h->param.i_csp, width, height) < 0)
		goto fail;
	h->has_picture = true;
	if (chroma == VIDEO_444_VIEWS && x264_picture_alloc(&h->view, X264_CSP_I420, width, height) < 0)
		goto fail;
	h->has_view = chroma == VIDEO_444_VIEWS;
	h->x264 = x264_encoder_open(&h->param);
	if (h->x264)
		return h;
fail:
	h264_destroy(h);
	pst_err_set(err, PST_ENOMEM, "x264 could not start an encoder for %dx%d pixels", width, height);
	return NULL;
}

void h264_destroy(struct h264 *h)
{
	if (!h)
		return;

	if (h->x264)
		x264_encoder_close(h->x264);
	if (h->has_picture)
		x264_picture_clean(&h->picture);
	if (h->has_view)
		x264_picture_clean(&h->view);
	pst_buf_finish(&h->first);
	free(h);
	pst_mem_trim();
}

/*
 * Colours of one row at full width: the kernel for two rows takes the mean of four pixels, and of a pixel
 * that is there twice in both rows that is the pixel's own.
 */
static void convert_colours(const struct dsp *dsp, const uint32_t *row, int32_t w, uint8_t *u, uint8_t *v)
{
	uint32_t twice[2 * COLOUR_PART];
	uint8_t unused[2][2 * COLOUR_PART];

	for (int32_t from = 0; from < w; from += COLOUR_PART) {
		int32_t n = PST_MIN(w - from, COLOUR_PART);

		for (int32_t i = 0; i < n; i++)
			twice[2 * i] = twice[2 * i + 1] = row[from + i];
		dsp->i420_rows(twice, twice, 2 * n, unused[0], unused[1], u + from, v + from);
	}
}

/* Two rows from column x, in 4:4:4. The planes are as wide as w rounded up to even. */
static void convert_444_part(struct h264 *h, const struct dsp *dsp, const struct pixmap *p,
	const struct rect *r, int32_t x, int32_t w, int32_t y)
{
	const x264_image_t *img = &h->picture.img;
	uint8_t unused[2][SCREEN_SIDE_MAX / 2];

	for (int32_t k = 0; k < 2; k++) {
		const uint32_t *row = pixmap_at(p, r->x + x, r->y + PST_MIN(y + k, r->h - 1));
		ptrdiff_t at = (ptrdiff_t)(y + k) * img->i_stride[0] + x;
		uint8_t *u = img->plane[1] + at, *v = img->plane[2] + at;

		dsp->i420_rows(row, row, w, img->plane[0] + at, img->plane[0] + at, unused[0], unused[1]);
		convert_colours(dsp, row, w, u, v);
		if (w & 1) {
			u[w] = u[w - 1];
			v[w] = v[w - 1];
		}
	}
}

/* Two rows from column x. */
static void convert_part(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r,
	int32_t x, int32_t w, int32_t y)
{
	const x264_image_t *img = &h->picture.img;
	int32_t below = PST_MIN(y + 1, r->h - 1);
	uint8_t *luma = img->plane[0] + (ptrdiff_t)y * img->i_stride[0] + x;

	dsp->i420_rows(pixmap_at(p, r->x + x, r->y + y), pixmap_at(p, r->x + x, r->y + below), w, luma,
		luma + img->i_stride[0], img->plane[1] + (ptrdiff_t)(y / 2) * img->i_stride[1] + x / 2,
		img->plane[2] + (ptrdiff_t)(y / 2) * img->i_stride[2] + x / 2);
}

/* The same two rows' part of the second view: u in the left halves, v in the right ones. */
static void convert_view_part(struct h264 *h, const struct dsp *dsp, const struct pixmap *p,
	const struct rect *r, int32_t x, int32_t w, int32_t y)
{
	const x264_image_t *img = &h->view.img;
	int32_t below = PST_MIN(y + 1, r->h - 1), half = h->param.i_width / 2, quarter = half / 2;
	uint8_t *row0 = img->plane[0] + (ptrdiff_t)y * img->i_stride[0] + x / 2,
		*row1 = row0 + img->i_stride[0];
	uint8_t *at_0 = img->plane[1] + (ptrdiff_t)(y / 2) * img->i_stride[1] + x / 4;
	uint8_t *at_2 = img->plane[2] + (ptrdiff_t)(y / 2) * img->i_stride[2] + x / 4;
	uint8_t *const out[DSP_CHROMA_PLANES] = { row0, row0 + half, row1, row1 + half, at_0, at_0 + quarter,
		at_2, at_2 + quarter };

	dsp->chroma_rows(pixmap_at(p, r->x + x, r->y + y), pixmap_at(p, r->x + x, r->y + below), w, out);
}

static void convert_rows(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r,
	int32_t x, int32_t w, int32_t y)
{
	if (h->chroma == VIDEO_444) {
		convert_444_part(h, dsp, p, r, x, w, y);
		return;
	}
	convert_part(h, dsp, p, r, x, w, y);
	if (h->chroma == VIDEO_444_VIEWS)
		convert_view_part(h, dsp, p, r, x, w, y);
}

/* The picture keeps what is still; the rest is converted in runs of blocks. */
static void convert(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r,
	const uint8_t *still)
{
	int32_t columns = (r->w + BLOCK - 1) / BLOCK;

	for (int32_t y = 0; y < r->h; y += 2) {
		const uint8_t *row = still ? still + (size_t)(y / BLOCK) * (size_t)columns : NULL;
		int32_t end;

		for (int32_t i = 0; i < columns; i = end + 1) {
			end = i;
			while (end < columns && !(row && row[end]))
				end++;
			if (end > i)
				convert_rows(
					h, dsp, p, r, i * BLOCK, PST_MIN(end * BLOCK, r->w) - i * BLOCK, y);
		}
	}
}

/* The NAL units of one picture lie one behind the other. Returns its bytes, negative on failure. */
static int encode_picture(
	struct h264 *h, x264_picture_t *picture, const uint8_t **ret, x264_picture_t *ret_out)
{
	x264_nal_t *nals;
	int count, size;

	picture->i_pts = h->pts++;
	size = x264_encoder_encode(h->x264, &nals, &count, picture, ret_out);
	if (size <= 0)
		return PST_EINTERNAL;
	*ret = nals[0].p_payload;
	return size;
}

/* The second view follows: the client decodes both as one stream. */
static int encode_view(struct h264 *h, uint8_t qp, struct h264_unit *unit)
{
	x264_picture_t out;
	int size;

	pst_buf_reset(&h->first);
	pst_buf_append(&h->first, unit->data, unit->len);
	unit->data = h->first.data;
	h->view.i_type = X264_TYPE_AUTO;
	h->view.i_qpplus1 = h->is_narrow ? 0 : PST_MIN(qp + VIEW_QP, 51) + 1;
	size = encode_picture(h, &h->view, &unit->view, &out);
	if (size < 0 || h->first.failed)
		return PST_EINTERNAL;
	unit->view_len = (size_t)size;
	return 0;
}

int h264_encode(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r,
	bool want_key, const uint8_t *still, struct h264_unit *ret, struct pst_err *err)
{
	struct h264_unit unit = { 0 };
	x264_picture_t out;
	uint8_t qp = 0;
	int size;

	PRE(((r->w + 1) & ~1) == h->param.i_width && ((r->h + 1) & ~1) == h->param.i_height);
	convert(h, dsp, p, r, still);
	/* x264 only reads it. What is still it takes from the picture before, which is another view where
	 * there are two. */
	h->picture.prop.mb_info =
		want_key || h->chroma == VIDEO_444_VIEWS ? NULL : (uint8_t *)(uintptr_t)still;
	h->picture.i_type = want_key ? X264_TYPE_IDR : X264_TYPE_AUTO;
	if (!h->is_narrow)
		qp = quantiser_next(&h->quantiser, want_key);
	h->picture.i_qpplus1 = h->is_narrow ? 0 : qp + 1;
	size = encode_picture(h, &h->picture, &unit.data, &out);
	if (size < 0)
		return pst_err_set(err, PST_EINTERNAL, "x264 gave no picture for %dx%d pixels", r->w, r->h);
	unit.len = (size_t)size;
	unit.is_key = out.b_keyframe;
	unit.qp = (uint8_t)PST_CLAMP(out.i_qpplus1 - 1, 0, 51);
	if (h->chroma == VIDEO_444_VIEWS && encode_view(h, qp, &unit) < 0)
		return pst_err_set(
			err, PST_EINTERNAL, "x264 gave no second view for %dx%d pixels", r->w, r->h);
	quantiser_note(&h->quantiser, unit.len + unit.view_len, unit.is_key);
	*ret = unit;
	return 0;
}

bool h264_fits(const struct h264 *h, int32_t width, int32_t height, enum video_chroma chroma)
{
	return h->chroma == chroma && h->param.i_width == width && h->param.i_height == height;
}

bool h264_suits(const struct h264 *h, uint32_t rate_kbps)
{
	return h->is_narrow ? rate_kbps && rate_kbps < WIDE_KBPS : !rate_kbps || rate_kbps >= NARROW_KBPS;
}

void h264_set_rate(struct h264 *h, uint32_t rate_kbps)
{
	uint32_t apart = rate_kbps > h->rate_kbps ? rate_kbps - h->rate_kbps : h->rate_kbps - rate_kbps;

	quantiser_set_rate(&h->quantiser, rate_kbps);
	if (!h->is_narrow || !rate_kbps || apart * 4 < h->rate_kbps)
		return;
	h->rate_kbps = rate_kbps;
	set_rate(&h->param, rate_kbps);
	x264_encoder_reconfig(h->x264, &h->param);
}
