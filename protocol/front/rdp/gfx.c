/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The graphics channel, [MS-RDPEGFX]: capabilities, one surface for the screen, frames with their acknowledgements. The channel is
 * opened by us rather than by the library's context, so that no other thread runs.
 */
#include <freerdp/channels/rdpgfx.h>
#include <freerdp/channels/wtsvc.h>
#include <winpr/wtsapi.h>

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/front/rdp/channel.h"
#include "protocol/front/rdp/gfx_pixels.h"
#include "protocol/front/rdp/rdp_priv.h"
#include "protocol/front/rdp/zgfx.h"

#define PATIENCE_MS 5000
#define MESSAGE_BYTES (512 * 1024)
#define SETUP_MAX (256 * 1024) /* with a message for each slot of the cache */

/* Adds what left for the channel to *ret_bytes. */
static int gfx_send(struct rdp *f, const struct pst_buf *pdus, uint64_t *ret_bytes, struct pst_err *err)
{
	struct pst_buf out;
	if (!f->gfx.zgfx)
		f->gfx.zgfx = zgfx_create();
	if (!f->gfx.zgfx)
		return pst_err_set(err, PST_ENOMEM, "no memory for the graphics channel");
	pst_buf_init(&out, GFX_PDU_MAX + GFX_PDU_MAX / 64);
	zgfx_pack(f->gfx.zgfx, pdus->data, pdus->len, &out);
	if (out.len >= DETECT_FRAME_MIN)
		rdp_detect_start(f);
	bool is_sent = !pdus->failed && channel_write(f->gfx.channel, &out, err) == 0;
	f->bytes_sent += out.len;
	*ret_bytes += out.len;
	pst_buf_finish(&out);
	if (!is_sent || rdp_flush(f) < 0)
		return pst_err_set(err, PST_ECLOSED, "the RDP client takes no more graphics");
	return 0;
}

/* The highest version that both know, and one with H.264 before one without. */
static const struct gfx_capset *choose_set(const struct gfx_client_pdu *pdu)
{
	static const uint32_t known[] = { GFX_VERSION_8, GFX_VERSION_81, GFX_VERSION_10, GFX_VERSION_102 };
	const struct gfx_capset *best = NULL;
	for (uint16_t i = 0; i < pdu->caps.len; i++) {
		const struct gfx_capset *set = &pdu->caps.sets[i];
		bool is_known = false;
		for (size_t k = 0; k < PST_ARRAY_LEN(known); k++)
			is_known |= set->version == known[k];
		bool has_more = best && gfx_wire_has_avc(set) != gfx_wire_has_avc(best) ? gfx_wire_has_avc(set) : !best || best->version < set->version;
		if (is_known && has_more)
			best = set;
	}
	return best;
}

static int on_caps(struct rdp *f, const struct gfx_client_pdu *pdu, struct pst_err *err)
{
	const struct gfx_capset *best = choose_set(pdu);
	/* Only from version 10.3 on may a client begin again, and we confirm none of those. */
	if (f->gfx.is_ready)
		return pst_err_set(err, PST_EPROTO, "the RDP client announces its graphics capabilities twice");
	if (!best)
		return pst_err_set(err, PST_EUNSUPPORTED, "the RDP client knows no version of the graphics pipeline that we know");
	struct pst_buf out;
	uint64_t bytes = 0;
	pst_buf_init(&out, 4096);
	f->gfx.set = *best;
	gfx_wire_caps_confirm(&out, best);
	int r = gfx_send(f, &out, &bytes, err);
	pst_buf_finish(&out);
	f->gfx.is_ready = r == 0;
	f->gfx.has_surface = false;
	return r;
}

/* A client that suspends its reports owes none for what is on its way either, 3.3.5.13. */
static int on_ack(struct rdp *f, const struct gfx_client_pdu *pdu, struct pst_err *err)
{
	f->gfx.is_suspended = pdu->ack.queue_depth == GFX_QUEUE_SUSPENDED;
	if (pdu->ack.frame_id > f->frame_id || !window_acked(&f->window, f->gfx.is_suspended ? f->frame_id : pdu->ack.frame_id, pst_mono_ns()))
		return pst_err_set(err, PST_EPROTO, "the RDP client acknowledges frame %u, which was never sent", pdu->ack.frame_id);
	return 0;
}

static int on_message(void *arg, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct rdp *f = arg;
	while (len > 0) {
		struct gfx_client_pdu pdu;
		long used = gfx_wire_parse(data, len, &pdu, err);
		int r = used < 0 ? (int)used : 0;
		if (used == 0)
			return pst_err_set(err, PST_EPROTO, "a graphics message of the RDP client is cut short");
		if (r == 0 && pdu.kind == GFX_CLIENT_CAPS)
			r = on_caps(f, &pdu, err);
		else if (r == 0 && pdu.kind == GFX_CLIENT_FRAME_ACK)
			r = on_ack(f, &pdu, err);
		if (r < 0)
			return r;
		data += used;
		len -= (size_t)used;
	}
	return 0;
}

static BOOL on_channel_status(void *arg, UINT32 channel, INT32 status)
{
	struct rdp *f = arg;
	if (f->gfx.channel && channel == WTSChannelGetIdByHandle(f->gfx.channel) && status < 0)
		f->gfx.is_refused = true;
	return TRUE;
}

bool rdp_gfx_is_possible(const struct rdp *f)
{
	return !f->gfx.is_refused && freerdp_settings_get_bool(f->peer->context->settings, FreeRDP_SupportGraphicsPipeline) &&
	       WTSVirtualChannelManagerIsChannelJoined(f->channels, "drdynvc");
}

/* Without its channel a client takes bitmaps: the writer is chosen anew. */
static void give_up(struct rdp *f)
{
	if (f->gfx.channel)
		WTSVirtualChannelClose(f->gfx.channel);
	f->gfx.channel = NULL;
	f->gfx.is_refused = true;
	f->gfx.is_ready = f->gfx.has_surface = false;
	/* Nobody acknowledges any more what is on its way. */
	window_acked(&f->window, f->frame_id, pst_mono_ns());
	f->is_opened = false;
}

static void on_silence(void *arg)
{
	struct rdp *f = arg;
	if (f->is_ended || f->is_leaving || f->is_opened)
		return;
	give_up(f);
	rdp_open_when_ready(f);
}

void rdp_gfx_await(struct rdp *f)
{
	if (!pst_timer_is_active(f->gfx.patience))
		pst_timer_start(f->gfx.patience, PATIENCE_MS, on_silence, f);
}

int rdp_gfx_poll(struct rdp *f, struct pst_err *err)
{
	if (!f->gfx.was_opened && f->is_activated && rdp_gfx_is_possible(f) &&
	    WTSVirtualChannelManagerGetDrdynvcState(f->channels) == DRDYNVC_STATE_READY) {
		f->gfx.was_opened = true;
		WTSVirtualChannelManagerSetDVCCreationCallback(f->channels, on_channel_status, f);
		f->gfx.channel = channel_open_dynamic(f->channels, RDPGFX_DVC_CHANNEL_NAME);
		f->gfx.is_refused = !f->gfx.channel;
	}
	int r = f->gfx.channel ? channel_read(f->gfx.channel, on_message, f, err) : 0;
	if (r == 0 && f->gfx.channel && channel_is_gone(f->gfx.channel))
		give_up(f);
	return r;
}

static bool gfx_is_ready(const struct rdp *f)
{
	return f->gfx.is_ready;
}

static void gfx_caps(const struct rdp *f, struct front_caps *ret)
{
	ret->ops = OP_BIT(OP_COPY) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_LOSSY);
	ret->can_resize = true;
	ret->video_align = 16;
	if (!gfx_wire_has_avc(&f->gfx.set))
		return;
	ret->ops |= OP_BIT(OP_VIDEO);
	ret->max_video_regions = RDP_VIDEO_REGIONS;
	ret->chroma = gfx_wire_has_avc444(&f->gfx.set) ? VIDEO_444_VIEWS : VIDEO_420;
}

static bool gfx_can_send(const struct rdp *f)
{
	return f->gfx.has_surface;
}

static int gfx_surface(struct rdp *f, struct pst_err *err)
{
	struct pst_buf out;
	uint64_t bytes = 0;
	if (!f->gfx.is_ready || f->width == 0)
		return 0;
	if (!f->gfx.pixels)
		f->gfx.pixels = gfx_pixels_create(gfx_wire_has_small_cache(&f->gfx.set), err);
	pst_buf_init(&out, SETUP_MAX);
	if (!f->gfx.pixels || gfx_pixels_resize(f->gfx.pixels, f->width, f->height, &out, err) < 0) {
		pst_buf_finish(&out);
		return err->code;
	}
	rdp_gfx_video_reset(f, &out);
	if (f->gfx.has_surface)
		gfx_wire_delete_surface(&out, RDP_SURFACE_ID);
	gfx_wire_reset(&out, f->width, f->height);
	gfx_wire_create_surface(&out, RDP_SURFACE_ID, f->width, f->height);
	gfx_wire_map_surface(&out, RDP_SURFACE_ID, 0, 0);
	f->gfx.has_surface = true;
	int r = gfx_send(f, &out, &bytes, err);
	rdp_detect_stop(f, bytes);
	pst_buf_finish(&out);
	return r;
}

static int put_op(struct rdp *f, struct pst_buf *out, const struct op *op, const struct pixmap *sent, struct pst_err *err)
{
	switch (op->kind) {
	case OP_COPY:
		gfx_wire_copy(out, RDP_SURFACE_ID, RDP_SURFACE_ID, &op->rect, op->copy.x, op->copy.y);
		return 0;
	case OP_FILL:
		gfx_wire_solid_fill(out, RDP_SURFACE_ID, op->fill, &op->rect);
		return 0;
	case OP_VIDEO:
		rdp_gfx_video_put(f, out, op);
		return 0;
	default:
		return gfx_pixels_put(f->gfx.pixels, op, sent, RDP_SURFACE_ID, out, err);
	}
}

/* A long frame goes in several messages: the client begins while we go on, and nothing grows with the screen. */
static int send_when_long(struct rdp *f, struct pst_buf *out, uint64_t *ret_bytes, struct pst_err *err)
{
	if (out->len < MESSAGE_BYTES)
		return 0;
	int r = gfx_send(f, out, ret_bytes, err);
	pst_buf_reset(out);
	return r;
}

static int gfx_frame(struct rdp *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct pst_buf out;
	int r = 0;
	uint32_t id = ++f->frame_id;
	uint64_t bytes = 0;
	pst_buf_init(&out, GFX_PDU_MAX);
	gfx_wire_start_frame(&out, id, 0);
	for (size_t i = 0; r == 0 && i < ops->len; i++) {
		r = put_op(f, &out, &ops->ops[i], sent, err);
		if (r == 0)
			r = send_when_long(f, &out, &bytes, err);
	}
	gfx_pixels_end(f->gfx.pixels, sent, ops->is_exact, RDP_SURFACE_ID, &out);
	gfx_wire_end_frame(&out, id);
	if (r == 0)
		r = gfx_send(f, &out, &bytes, err);
	rdp_detect_stop(f, bytes);
	if (f->gfx.is_suspended)
		window_unasked(&f->window, id, bytes, pst_mono_ns());
	else
		window_sent(&f->window, id, bytes, pst_mono_ns());
	pst_buf_finish(&out);
	return r;
}

void rdp_gfx_finish(struct rdp *f)
{
	pst_timer_destroy(f->gfx.patience);
	if (f->gfx.channel)
		WTSVirtualChannelClose(f->gfx.channel);
	gfx_pixels_destroy(f->gfx.pixels);
	zgfx_destroy(f->gfx.zgfx);
}

const struct rdp_writer rdp_writer_gfx = {
	.is_ready = gfx_is_ready,
	.caps = gfx_caps,
	.surface = gfx_surface,
	.can_send = gfx_can_send,
	.frame = gfx_frame,
};
