/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x264, set up for a stream that is shown at once and never seeks. */
#include "encoder/x264.h"

#include <stdlib.h>
#include <string.h>

#include <x264.h>

#include "base/mem.h"

#define FRAMES_PER_S 30 /* a hint for rate control; frames come when the screen changes */
#define CRF 26.0f
#define BUFFER_MS 40       /* of the rate: what one frame may take at most, so that little waits behind it */
#define VIDEO_SHARE_PCT 65 /* the rest is for text, input echo and audio */
#define RATE_MIN_KBPS 200

struct h264 {
	x264_t *x264;
	x264_param_t param;
	x264_picture_t picture;
	uint32_t rate_kbps;
	int64_t pts;
	bool has_picture;
};

static void set_rate(x264_param_t *p, uint32_t rate_kbps)
{
	int kbps = (int)PST_MAX((uint64_t)RATE_MIN_KBPS, (uint64_t)rate_kbps * VIDEO_SHARE_PCT / 100);

	p->rc.i_vbv_max_bitrate = rate_kbps ? kbps : 0;
	p->rc.i_vbv_buffer_size = rate_kbps ? kbps * BUFFER_MS / 1000 : 0;
}

static void on_message(void *arg, int level, const char *fmt, va_list ap)
{
	(void)arg; /* x264 may not write to our standard error; what matters comes back as a return value */
	(void)level;
	(void)fmt;
	(void)ap;
}

static int set_up(x264_param_t *p, int32_t width, int32_t height, uint32_t rate_kbps)
{
	if (x264_param_default_preset(p, "superfast", "zerolatency") < 0)
		return -1;
	p->pf_log = on_message;
	p->i_width = width;
	p->i_height = height;
	p->i_csp = X264_CSP_I420;
	p->i_threads = 1;
	p->i_fps_num = FRAMES_PER_S;
	p->i_fps_den = 1;
	p->b_vfr_input = 0;
	p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
	p->i_scenecut_threshold = 0;
	p->b_repeat_headers = 1;
	p->b_annexb = 1;
	p->vui.b_fullrange = 1;
	p->vui.i_colorprim = p->vui.i_transfer = p->vui.i_colmatrix = 1; /* BT.709 */
	p->rc.i_rc_method = X264_RC_CRF;
	p->rc.f_rf_constant = CRF;
	set_rate(p, rate_kbps);
	return x264_param_apply_profile(p, "main");
}

struct h264 *h264_create(int32_t width, int32_t height, uint32_t rate_kbps, struct pst_err *err)
{
	struct h264 *h = pst_zalloc(1, sizeof(*h));

	if (!h || set_up(&h->param, width, height, rate_kbps) < 0)
		goto fail;
	h->rate_kbps = rate_kbps;
	if (x264_picture_alloc(&h->picture, X264_CSP_I420, width, height) < 0)
		goto fail;
	h->has_picture = true;
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
	free(h);
}

static void convert(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r)
{
	const x264_image_t *img = &h->picture.img;

	for (int32_t y = 0; y < r->h; y += 2) {
		int32_t below = PST_MIN(y + 1, r->h - 1);
		uint8_t *luma = img->plane[0] + (ptrdiff_t)y * img->i_stride[0];

		dsp->i420_rows(pixmap_at(p, r->x, r->y + y), pixmap_at(p, r->x, r->y + below), r->w, luma,
			luma + img->i_stride[0], img->plane[1] + (ptrdiff_t)(y / 2) * img->i_stride[1],
			img->plane[2] + (ptrdiff_t)(y / 2) * img->i_stride[2]);
	}
}

int h264_encode(struct h264 *h, const struct dsp *dsp, const struct pixmap *p, const struct rect *r,
	bool want_key, struct h264_unit *ret, struct pst_err *err)
{
	x264_picture_t out;
	x264_nal_t *nals;
	int count, size;

	PRE(((r->w + 1) & ~1) == h->param.i_width && ((r->h + 1) & ~1) == h->param.i_height);
	convert(h, dsp, p, r);
	h->picture.i_pts = h->pts++;
	h->picture.i_type = want_key ? X264_TYPE_IDR : X264_TYPE_AUTO;
	size = x264_encoder_encode(h->x264, &nals, &count, &h->picture, &out);
	if (size <= 0)
		return pst_err_set(err, PST_EINTERNAL, "x264 gave no picture for %dx%d pixels", r->w, r->h);

	/* The NAL units of one frame lie one behind the other. */
	*ret = (struct h264_unit){ nals[0].p_payload, (size_t)size, out.b_keyframe,
		(uint8_t)PST_CLAMP(out.i_qpplus1 - 1, 0, 51) };
	return 0;
}

void h264_set_rate(struct h264 *h, uint32_t rate_kbps)
{
	uint32_t apart = rate_kbps > h->rate_kbps ? rate_kbps - h->rate_kbps : h->rate_kbps - rate_kbps;

	/* A buffer model cannot be switched on or off in a running stream, only moved. */
	if (!rate_kbps || !h->rate_kbps || apart * 4 < h->rate_kbps)
		return;
	h->rate_kbps = rate_kbps;
	set_rate(&h->param, rate_kbps);
	x264_encoder_reconfig(h->x264, &h->param);
}
