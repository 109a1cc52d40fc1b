/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The RFB 3.8 front (RFC 6143): VNC viewers over TLS, and noVNC over a WebSocket that the gate has unwrapped. This file is the
 * object; handshake.c brings it up, session.c takes the viewer's messages, update.c writes the picture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "encoder/codec/tight.h"
#include "protocol/front/rfb/rfb.h"
#include "protocol/front/rfb/rfb_priv.h"

#define BLANK_MAX (8u * 1024 * 1024) /* the largest operation of text has a quarter of it */
#define RAW_FACTOR 8            /* the encoder guesses what its codecs make of pixels; raw ones take many times that */
#define UNFENCED (128u * 1024)  /* bytes of a frame for a viewer of which nothing is known: one each round trip */

/* A viewer that has no fence acknowledges by asking: one frame in flight. */
static bool is_free(const struct rfb *f)
{
	return f->is_opened && rfb_update_is_due(f) && !f->size.is_pending && rfb_stream_queued(f->stream) == 0;
}

static bool rfb_can_send(struct front *front)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	return is_free(f) && (!f->features.fence || window_is_open(&f->window));
}

static bool rfb_can_send_small(struct front *front)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	return is_free(f) && (!f->features.fence || window_is_open_small(&f->window));
}

static void on_readable(void *arg, struct pst_buf *in)
{
	struct rfb *f = arg;
	if (f->phase < RFB_RUNNING)
		rfb_handshake_input(f, in);
	if (f->phase == RFB_RUNNING)
		rfb_session_input(f, in);
	else if (f->phase == RFB_ENDED)
		pst_buf_reset(in);
}

static void on_drained(void *arg)
{
	struct rfb *f = arg;
	if (rfb_can_send(&f->front))
		f->ev.ready(f->arg);
}

static void on_secured(void *arg)
{
	rfb_handshake_secured(arg);
}

void rfb_fail(struct rfb *f, int code, const char *reason)
{
	if (f->phase == RFB_ENDED)
		return;
	f->phase = RFB_ENDED;
	pst_timer_stop(f->deadline);
	f->ev.closed(f->arg, code, reason);
}

static void on_failed(void *arg, int code, const char *reason)
{
	rfb_fail(arg, code, reason);
}

static void rfb_close(struct front *front)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	rfb_stream_destroy(f->stream);
	pst_timer_destroy(f->deadline);
	codec_destroy(f->tight);
	codec_destroy(f->zrle);
	pst_secret_finish(&f->key_pem);
	pst_buf_finish(&f->blank);
	free(f->cert_pem);
	free(f->clipboard.text);
	free((void *)(uintptr_t)f->cursor.image.pixels);
	free(f);
}

static int rfb_init(struct rfb *f, const struct front_params *p, struct pst_err *err)
{
	static const struct rfb_stream_events stream_events = { on_readable, on_drained, on_secured, on_failed };
	f->stream = rfb_stream_create(p->loop, p->fd, &stream_events, f);
	f->deadline = pst_timer_create(p->loop);
	f->tight = codec_create(&codec_tight);
	f->zrle = codec_create(&codec_zrle);
	if (!f->stream || !f->deadline || !f->tight || !f->zrle)
		return pst_err_set(err, PST_ENOMEM, "no memory for a VNC connection");
	/* Behind a WebSocket is noVNC, which does not know the filter. */
	tight_set_gradient(f->tight, !p->is_authenticated);
	if (p->is_authenticated)
		return 0;
	if (!p->cert_pem || !p->key_pem)
		return pst_err_set(err, PST_EINVAL, "a VNC connection needs a certificate and its key");
	f->cert_pem = strdup(p->cert_pem);
	if (!f->cert_pem)
		return pst_err_set(err, PST_ENOMEM, "no memory for a certificate");
	return pst_secret_init_str(&f->key_pem, p->key_pem);
}

static struct front *rfb_open(const struct front_params *p, const struct front_events *ev, void *arg, struct pst_err *err)
{
	struct rfb *f = pst_zalloc(1, sizeof(*f));
	if (!f) {
		pst_err_set(err, PST_ENOMEM, "no memory for a VNC connection");
		return NULL;
	}
	f->front.type = &front_rfb;
	f->ev = *ev;
	f->arg = arg;
	f->format = rfb_pixel_format_native;
	f->features.lossless = ENC_RAW;
	f->is_authenticated = p->is_authenticated;
	f->clipboard_in = p->clipboard_in;
	f->clipboard_out = p->clipboard_out;
	window_init(&f->window);
	pst_buf_init(&f->blank, BLANK_MAX);
	snprintf(f->desktop_name, sizeof(f->desktop_name), "%s", p->desktop_name ? p->desktop_name : "Puesto");
	if (rfb_init(f, p, err) < 0) {
		rfb_close(&f->front);
		return NULL;
	}
	rfb_handshake_start(f);
	return &f->front;
}

static void rfb_login_result(struct front *front, const struct pst_err *err)
{
	rfb_handshake_login(pst_container_of(front, struct rfb, front), err);
}

static int rfb_surface(struct front *front, int32_t width, int32_t height, struct pst_err *err)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	bool is_change = f->has_surface && (f->size.width != width || f->size.height != height);
	bool can_follow = f->features.desktop_size || f->features.extended_desktop_size;
	f->size.width = width;
	f->size.height = height;
	f->has_surface = true;
	rfb_handshake_server_init(f);
	if (!is_change || f->phase != RFB_RUNNING)
		return 0;
	/* Before its SetEncodings nobody knows: session.c decides then. */
	if (!can_follow && f->is_opened)
		return pst_err_set(err, PST_EUNSUPPORTED,
			"the screen became %d × %d and this viewer cannot follow a new size; connect again", width, height);
	f->size.is_pending = true;
	rfb_update_pseudo(f);
	return 0;
}

static int rfb_frame(struct front *front, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	if (ops->len == 0)
		return 0;
	return rfb_update_frame(f, ops, sent, err);
}

static void rfb_cursor(struct front *front, const struct cursor_image *image)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	size_t pixels = (size_t)image->w * image->h;
	uint32_t *copy = pst_zalloc(pixels ? pixels : 1, sizeof(*copy));
	if (!copy)
		return;
	memcpy(copy, image->pixels, pixels * sizeof(*copy));
	free((void *)(uintptr_t)f->cursor.image.pixels);
	f->cursor.image = *image;
	f->cursor.image.pixels = copy;
	f->cursor.is_pending = true;
	rfb_update_pseudo(f);
}

static void rfb_clipboard(struct front *front, const char *utf8, size_t len)
{
	rfb_clipboard_send(pst_container_of(front, struct rfb, front), utf8, len);
}

static void rfb_bell(struct front *front)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	if (f->phase != RFB_RUNNING)
		return;
	pst_buf_put_u8(rfb_stream_out(f->stream), 2);
	rfb_stream_flush(f->stream);
}

static void rfb_path(struct front *front, struct front_path *ret)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	uint64_t room = window_room(&f->window), factor = f->features.tight || f->features.zrle ? 1 : RAW_FACTOR;
	*ret = (struct front_path){
		.rtt_us = window_rtt_us(&f->window),
		.rate_kbps = window_rate_kbps(&f->window),
		.backlog_us = window_backlog_us(&f->window, pst_mono_ns()),
		.in_flight_bytes = f->window.in_flight,
		.budget_bytes = f->features.fence ? room / factor : UNFENCED,
		.bytes_sent = rfb_stream_sent(f->stream) + rfb_stream_queued(f->stream),
		.bytes_received = rfb_stream_received(f->stream),
		.frames_sent = f->window.frames_sent,
		.frames_acked = f->window.frames_acked,
	};
}

/* RFB has no word for "why" in a running session: before it, the reason goes into the security result. */
static void rfb_end(struct front *front, int code, const char *reason_en, const char *reason_es)
{
	struct rfb *f = pst_container_of(front, struct rfb, front);
	if (f->phase == RFB_LOGIN) {
		struct pst_err err;
		pst_err_set(&err, code ? code : PST_ECLOSED, "%s", reason_en);
		rfb_handshake_login(f, &err);
		return;
	}
	rfb_fail(f, code, reason_en);
}

const struct front_type front_rfb = {
	.name = "rfb",
	.surface_first = true,
	.open = rfb_open,
	.login_result = rfb_login_result,
	.surface = rfb_surface,
	.can_send = rfb_can_send,
	.can_send_small = rfb_can_send_small,
	.frame = rfb_frame,
	.cursor = rfb_cursor,
	.clipboard = rfb_clipboard,
	.bell = rfb_bell,
	.path = rfb_path,
	.end = rfb_end,
	.close = rfb_close,
};
