/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The graphics channel, [MS-RDPEGFX]: capabilities, one surface for the screen, frames with their acknowledgements. The channel is
 * opened by us rather than by the library's context, so that no other thread runs.
 */
#include <freerdp/channels/rdpgfx.h>
#include <freerdp/channels/wtsvc.h>
#include <stdlib.h>
#include <winpr/wtsapi.h>

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/front/rdp/channel.h"
#include "protocol/front/rdp/rdp_priv.h"

#define PART_WIDTH_MAX 512
#define PART_HEIGHT_MAX 128

static int gfx_send(struct rdp *f, const struct pst_buf *pdus, struct pst_err *err)
{
	struct pst_buf out;
	pst_buf_init(&out, GFX_PDU_MAX + GFX_PDU_MAX / 64);
	gfx_wire_segment(&out, pdus->data, pdus->len);
	bool is_sent = !pdus->failed && channel_write(f->gfx.channel, &out, err) == 0;
	f->bytes_sent += out.len;
	pst_buf_finish(&out);
	if (!is_sent || rdp_flush(f) < 0)
		return pst_err_set(err, PST_ECLOSED, "the RDP client takes no more graphics");
	return 0;
}

/* The highest version that both know. Version 8 has no flag that we need; AVC waits for video surfaces. */
static int on_caps(struct rdp *f, const struct gfx_client_pdu *pdu, struct pst_err *err)
{
	static const uint32_t known[] = { GFX_VERSION_8, GFX_VERSION_81, GFX_VERSION_10 };
	const struct gfx_capset *best = NULL;
	for (uint16_t i = 0; i < pdu->caps.len; i++)
		for (size_t k = 0; k < PST_ARRAY_LEN(known); k++)
			if (pdu->caps.sets[i].version == known[k] && (!best || best->version < known[k]))
				best = &pdu->caps.sets[i];
	if (!best)
		return pst_err_set(err, PST_EUNSUPPORTED, "the RDP client knows no version of the graphics pipeline that we know");
	struct pst_buf out;
	pst_buf_init(&out, 4096);
	f->gfx.set = *best;
	gfx_wire_caps_confirm(&out, best);
	int r = gfx_send(f, &out, err);
	pst_buf_finish(&out);
	f->gfx.is_ready = r == 0;
	f->gfx.has_surface = false;
	return r;
}

static int on_ack(struct rdp *f, const struct gfx_client_pdu *pdu, struct pst_err *err)
{
	f->gfx.is_suspended = pdu->ack.queue_depth == GFX_QUEUE_SUSPENDED;
	if (!window_acked(&f->window, pdu->ack.frame_id, pst_mono_ns()))
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

int rdp_gfx_poll(struct rdp *f, struct pst_err *err)
{
	if (!f->gfx.was_opened && f->is_activated && WTSVirtualChannelManagerGetDrdynvcState(f->channels) == DRDYNVC_STATE_READY) {
		f->gfx.was_opened = true;
		f->gfx.channel = channel_open_dynamic(f->channels, RDPGFX_DVC_CHANNEL_NAME);
	}
	return f->gfx.channel ? channel_read(f->gfx.channel, on_message, f, err) : 0;
}

int rdp_gfx_surface(struct rdp *f, struct pst_err *err)
{
	struct pst_buf out;
	if (!f->gfx.is_ready || f->width == 0)
		return 0;
	pst_buf_init(&out, 4096);
	if (f->gfx.has_surface)
		gfx_wire_delete_surface(&out, RDP_SURFACE_ID);
	gfx_wire_reset(&out, f->width, f->height);
	gfx_wire_create_surface(&out, RDP_SURFACE_ID, f->width, f->height);
	gfx_wire_map_surface(&out, RDP_SURFACE_ID, 0, 0);
	f->gfx.has_surface = true;
	int r = gfx_send(f, &out, err);
	pst_buf_finish(&out);
	return r;
}

static int put_part(struct rdp *f, struct pst_buf *out, const struct rect *r, const struct pixmap *sent, struct pst_err *err)
{
	UINT32 len = 0;
	if (!f->gfx.planar)
		f->gfx.planar = freerdp_bitmap_planar_context_new(PLANAR_FORMAT_HEADER_NA | PLANAR_FORMAT_HEADER_RLE, PART_WIDTH_MAX,
								  PART_HEIGHT_MAX);
	if (!f->gfx.planar || !freerdp_bitmap_planar_context_reset(f->gfx.planar, (UINT32)r->w, (UINT32)r->h))
		return pst_err_set(err, PST_ENOMEM, "no memory for a picture's codec");
	freerdp_planar_topdown_image(f->gfx.planar, TRUE);
	BYTE *data = freerdp_bitmap_compress_planar(f->gfx.planar, (const BYTE *)pixmap_at(sent, r->x, r->y), PIXEL_FORMAT_BGRX32, (UINT32)r->w,
						    (UINT32)r->h, sent->stride, NULL, &len);
	if (!data)
		return pst_err_set(err, PST_ENOMEM, "no memory for a picture");
	gfx_wire_bits(out, RDP_SURFACE_ID, GFX_CODEC_PLANAR, r, data, len);
	free(data);
	return 0;
}

static int put_parts(struct rdp *f, struct pst_buf *out, const struct rect *all, const struct pixmap *sent, struct pst_err *err)
{
	for (int32_t y = all->y; y < all->y + all->h; y += PART_HEIGHT_MAX) {
		for (int32_t x = all->x; x < all->x + all->w; x += PART_WIDTH_MAX) {
			const struct rect part = { x, y, PST_MIN(PART_WIDTH_MAX, all->x + all->w - x),
						   PST_MIN(PART_HEIGHT_MAX, all->y + all->h - y) };
			int r = put_part(f, out, &part, sent, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int put_op(struct rdp *f, struct pst_buf *out, const struct op *op, const struct pixmap *sent, struct pst_err *err)
{
	if (op->kind == OP_COPY)
		gfx_wire_copy(out, RDP_SURFACE_ID, &op->rect, op->copy.x, op->copy.y);
	else if (op->kind == OP_FILL)
		gfx_wire_solid_fill(out, RDP_SURFACE_ID, op->fill, &op->rect);
	else
		return put_parts(f, out, &op->rect, sent, err);
	return 0;
}

int rdp_gfx_frame(struct rdp *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct pst_buf out;
	int r = 0;
	uint32_t id = ++f->gfx.frame_id;
	pst_buf_init(&out, GFX_PDU_MAX);
	gfx_wire_start_frame(&out, id, 0);
	for (size_t i = 0; r == 0 && i < ops->len; i++)
		r = put_op(f, &out, &ops->ops[i], sent, err);
	gfx_wire_end_frame(&out, id);
	if (r == 0) {
		window_sent(&f->window, id, out.len, pst_mono_ns());
		r = gfx_send(f, &out, err);
	}
	pst_buf_finish(&out);
	if (r == 0 && f->gfx.is_suspended)
		window_acked(&f->window, id, pst_mono_ns());
	return r;
}

void rdp_gfx_finish(struct rdp *f)
{
	if (f->gfx.channel)
		WTSVirtualChannelClose(f->gfx.channel);
	freerdp_bitmap_planar_context_free(f->gfx.planar);
}
