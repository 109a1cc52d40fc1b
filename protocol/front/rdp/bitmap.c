/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture for clients without the graphics pipeline: fast-path bitmap updates, [MS-RDPBCGR] 2.2.9.1.2.1.2, and RemoteFX in
 * surface commands where the client has it. A screen of another size means a new activation, 1.3.1.3. No drawing orders: the
 * server side of FreeRDP 3.10 refuses every one of them.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "protocol/front/rdp/parts.h"
#include "protocol/front/rdp/rdp_priv.h"
#include "protocol/front/rdp/remotefx.h"

#define BATCH_MAX 64
#define ACK_ALL 0xffffffffu
#define LONG_AREA 65536      /* pixels of a frame whose time is worth a question to the client */
#define SURFACE_STREAM 0x40u /* SURFCMDS_STREAM_SURFACE_BITS, [MS-RDPBCGR] 2.2.7.2.9 */

/* Parts of one update, with the bytes of their headers; data is owned. */
struct batch {
	BITMAP_DATA parts[BATCH_MAX];
	UINT32 len;
	size_t bytes, max;
	struct rdp *f;
};

static uint32_t setting(const struct rdp *f, FreeRDP_Settings_Keys_UInt32 key)
{
	return freerdp_settings_get_uint32(f->peer->context->settings, key);
}

static bool has(const struct rdp *f, FreeRDP_Settings_Keys_Bool key)
{
	return freerdp_settings_get_bool(f->peer->context->settings, key);
}

static bool has_markers(const struct rdp *f)
{
	return has(f, FreeRDP_SurfaceCommandsEnabled) && has(f, FreeRDP_SurfaceFrameMarkerEnabled) && setting(f, FreeRDP_FrameAcknowledge) > 0;
}

static bool has_remotefx(const struct rdp *f)
{
	return has(f, FreeRDP_SurfaceCommandsEnabled) && has(f, FreeRDP_RemoteFxCodec) && setting(f, FreeRDP_ColorDepth) == 32 &&
	       setting(f, FreeRDP_RemoteFxCodecId) != 0 && setting(f, FreeRDP_SurfaceCommandsSupported) & SURFACE_STREAM;
}

/* Always known: it is what remains when there is no graphics pipeline. */
static bool bitmap_is_ready(const struct rdp *f)
{
	return true;
}

static void bitmap_caps(const struct rdp *f, struct front_caps *ret)
{
	ret->ops = OP_BIT(OP_LOSSLESS) | (has_remotefx(f) ? OP_BIT(OP_LOSSY) : 0);
	ret->can_resize = has(f, FreeRDP_DesktopResize);
}

static bool bitmap_can_send(const struct rdp *f)
{
	return f->is_activated && f->bitmap.has_surface;
}

static int make_codecs(struct rdp *f, struct pst_err *err)
{
	rdp_bitmap_finish(f);
	if (!has(f, FreeRDP_FastPathOutput))
		return pst_err_set(err, PST_EUNSUPPORTED, "the RDP client takes no fast-path updates; a newer one is needed");
	f->bitmap.parts = parts_create(setting(f, FreeRDP_ColorDepth), has(f, FreeRDP_DrawAllowSkipAlpha), setting(f, FreeRDP_MultifragMaxRequestSize), err);
	if (f->bitmap.parts && has_remotefx(f))
		f->bitmap.remotefx = remotefx_create(f->width, f->height, err);
	f->bitmap.has_surface = f->bitmap.parts && (f->bitmap.remotefx || !has_remotefx(f));
	return f->bitmap.has_surface ? 0 : err->code;
}

/* The client learns another size by a new activation; until that is through nothing is sent. */
static int reactivate(struct rdp *f, struct pst_err *err)
{
	rdpSettings *s = f->peer->context->settings;
	if (!has(f, FreeRDP_DesktopResize))
		return pst_err_set(err, PST_EUNSUPPORTED, "the RDP client cannot follow a screen of %d × %d pixels; connect with that size", f->width, f->height);
	f->is_activated = false;
	if (!freerdp_settings_set_uint32(s, FreeRDP_DesktopWidth, (UINT32)f->width) || !freerdp_settings_set_uint32(s, FreeRDP_DesktopHeight, (UINT32)f->height) ||
	    !f->peer->context->update->DesktopResize(f->peer->context))
		return pst_err_set(err, PST_ECLOSED, "the RDP client takes no new screen size");
	return 0;
}

static int bitmap_fit(struct rdp *f, struct pst_err *err)
{
	if (!f->is_activated || f->width == 0 || f->bitmap.has_surface)
		return 0;
	if (setting(f, FreeRDP_DesktopWidth) != (uint32_t)f->width || setting(f, FreeRDP_DesktopHeight) != (uint32_t)f->height)
		return reactivate(f, err);
	int r = make_codecs(f, err);
	if (r == 0)
		rdp_pointer_again(f);
	return r;
}

/* Inside the library's own callbacks its state must stay as it is: the pump fits the size afterwards. */
static int bitmap_surface(struct rdp *f, struct pst_err *err)
{
	f->bitmap.has_surface = false;
	return f->is_pumping ? 0 : bitmap_fit(f, err);
}

static void batch_clear(struct batch *b)
{
	for (UINT32 i = 0; i < b->len; i++)
		free(b->parts[i].bitmapDataStream);
	b->len = 0;
	b->bytes = PARTS_HEADER_LEN;
}

static int batch_send(struct batch *b, struct pst_err *err)
{
	rdpContext *context = b->f->peer->context;
	const BITMAP_UPDATE update = { .number = b->len, .rectangles = b->parts, .skipCompression = TRUE };
	bool is_sent = b->len == 0 || context->update->BitmapUpdate(context, &update);
	b->f->bitmap.frame_bytes += b->len ? b->bytes : 0;
	batch_clear(b);
	return is_sent ? 0 : pst_err_set(err, PST_ECLOSED, "the RDP client takes no more bitmaps");
}

static int batch_add(void *arg, const BITMAP_DATA *part, struct pst_err *err)
{
	struct batch *b = arg;
	if (b->len == BATCH_MAX || b->bytes + PARTS_HEADER_LEN + part->bitmapLength > b->max) {
		int r = batch_send(b, err);
		if (r < 0)
			return r;
	}
	BYTE *copy = pst_memdup(part->bitmapDataStream, part->bitmapLength);
	if (!copy)
		return pst_err_set(err, PST_ENOMEM, "no memory for a picture");
	b->parts[b->len] = *part;
	b->parts[b->len++].bitmapDataStream = copy;
	b->bytes += PARTS_HEADER_LEN + part->bitmapLength;
	return 0;
}

struct lossy {
	struct rdp *f;
	int quality;
};

static int put_remotefx(void *arg, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	const struct lossy *l = arg;
	struct rdp *f = l->f;
	struct pst_buf data;
	pst_buf_init(&data, setting(f, FreeRDP_MultifragMaxRequestSize) - PARTS_HEADER_LEN);
	int rc = remotefx_pack(f->bitmap.remotefx, sent, r, l->quality, &data, err);
	if (rc == 0) {
		const SURFACE_BITS_COMMAND command = {
			.cmdType = CMDTYPE_STREAM_SURFACE_BITS, .skipCompression = TRUE, .destLeft = (UINT32)r->x, .destTop = (UINT32)r->y,
			.destRight = (UINT32)(r->x + r->w), .destBottom = (UINT32)(r->y + r->h),
			.bmp = { .bpp = 32, .codecID = (UINT16)setting(f, FreeRDP_RemoteFxCodecId), .width = (UINT16)r->w, .height = (UINT16)r->h,
				 .bitmapDataLength = (UINT32)data.len, .bitmapData = data.data },
		};
		f->bitmap.frame_bytes += data.len;
		if (!f->peer->context->update->SurfaceBits(f->peer->context, &command))
			rc = pst_err_set(err, PST_ECLOSED, "the RDP client takes no more pictures");
	}
	pst_buf_finish(&data);
	return rc;
}

/* A lossless part over a lossy one, or the other way round: what is batched goes first. */
static int put_ops(struct batch *b, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < ops->len; i++) {
		const struct op *op = &ops->ops[i];
		if (op->kind != OP_LOSSY) {
			r = parts_pack(b->f->bitmap.parts, sent, &op->rect, batch_add, b, err);
			continue;
		}
		struct lossy lossy = { b->f, op->quality };
		r = batch_send(b, err);
		if (r == 0)
			r = remotefx_split(&op->rect, sent, put_remotefx, &lossy, err);
	}
	return r < 0 ? r : batch_send(b, err);
}

static bool mark(struct rdp *f, UINT32 action, uint32_t id)
{
	const SURFACE_FRAME_MARKER marker = { .frameAction = action, .frameId = id };
	return !has_markers(f) || f->peer->context->update->SurfaceFrameMarker(f->peer->context, &marker);
}

/* How long a frame will be shows only when it has gone. */
static bool is_long(const struct op_list *ops)
{
	int64_t area = 0;
	for (size_t i = 0; i < ops->len; i++)
		area += rect_area(&ops->ops[i].rect);
	return area >= LONG_AREA;
}

static int bitmap_frame(struct rdp *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	struct batch b = { .bytes = PARTS_HEADER_LEN, .max = setting(f, FreeRDP_MultifragMaxRequestSize), .f = f };
	uint32_t id = ++f->frame_id;
	PRE(f->bitmap.has_surface);
	f->bitmap.frame_bytes = 0;
	if (is_long(ops))
		rdp_detect_start(f);
	int r = mark(f, SURFACECMD_FRAMEACTION_BEGIN, id) ? put_ops(&b, ops, sent, err) : pst_err_set(err, PST_ECLOSED, "the RDP client takes no more pictures");
	batch_clear(&b);
	if (r == 0 && (!mark(f, SURFACECMD_FRAMEACTION_END, id) || rdp_flush(f) < 0))
		r = pst_err_set(err, PST_ECLOSED, "the RDP client takes no more pictures");
	rdp_detect_stop(f, f->bitmap.frame_bytes);
	f->bytes_sent += f->bitmap.frame_bytes;
	/* Without acknowledgements the socket says how much the path carries, and what the client measures. */
	if (has_markers(f))
		window_sent(&f->window, id, f->bitmap.frame_bytes, pst_mono_ns());
	else
		window_unasked(&f->window, id, f->bitmap.frame_bytes, pst_mono_ns());
	return r;
}

/* [MS-RDPRFX] 2.2.3.1. An acknowledgement of what was never sent changes nothing. */
BOOL rdp_bitmap_on_ack(rdpContext *context, UINT32 frame_id)
{
	struct rdp *f = rdp_of(context);
	window_acked(&f->window, frame_id == ACK_ALL ? f->frame_id : frame_id, pst_mono_ns());
	return TRUE;
}

void rdp_bitmap_finish(struct rdp *f)
{
	parts_destroy(f->bitmap.parts);
	remotefx_destroy(f->bitmap.remotefx);
	f->bitmap.parts = NULL;
	f->bitmap.remotefx = NULL;
	f->bitmap.has_surface = false;
}

const struct rdp_writer rdp_writer_bitmap = {
	.is_ready = bitmap_is_ready,
	.caps = bitmap_caps,
	.surface = bitmap_surface,
	.fit = bitmap_fit,
	.can_send = bitmap_can_send,
	.frame = bitmap_frame,
};
