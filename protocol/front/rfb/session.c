/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A running viewer's messages: what each of them does. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/front/rfb/rfb_priv.h"
#include "protocol/link/scancode.h"

#define FENCE_BLOCK_BEFORE 1u
#define FENCE_BLOCK_AFTER 2u
#define FENCE_SYNC_NEXT 4u
#define FENCE_REQUEST (1u << 31)

#define VIDEO_REGIONS 4 /* a viewer keeps up to 64 decoders */

typedef int (*message_fn)(struct rfb *f, const struct rfb_message *m, struct pst_err *err);

/* JPEG quality of the ten levels of the quality pseudo-encodings, as TightVNC and TigerVNC read them. */
static const uint8_t quality_of_level[10] = { 15, 29, 41, 42, 62, 77, 79, 86, 92, 100 };

static int on_pixel_format(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	f->format = m->format;
	f->cursor.is_pending = f->cursor.image.pixels != NULL;
	/* Everything shown so far is in the old format's precision. */
	const struct rect all = { 0, 0, f->size.width, f->size.height };
	if (f->is_opened)
		f->ev.refresh(f->arg, &all);
	return 0;
}

static const struct {
	int32_t encoding;
	size_t flag; /* offset of a bool in struct rfb_features */
} feature_flags[] = {
	{ ENC_COPY_RECT, offsetof(struct rfb_features, copy_rect) },
	{ ENC_TIGHT, offsetof(struct rfb_features, tight) },
	{ ENC_ZRLE, offsetof(struct rfb_features, zrle) },
	{ ENC_H264, offsetof(struct rfb_features, h264) },
	{ ENC_DESKTOP_SIZE, offsetof(struct rfb_features, desktop_size) },
	{ ENC_EXTENDED_DESKTOP_SIZE, offsetof(struct rfb_features, extended_desktop_size) },
	{ ENC_CURSOR, offsetof(struct rfb_features, cursor) },
	{ ENC_CURSOR_ALPHA, offsetof(struct rfb_features, cursor_alpha) },
	{ ENC_FENCE, offsetof(struct rfb_features, fence) },
	{ ENC_CONTINUOUS_UPDATES, offsetof(struct rfb_features, continuous) },
	{ ENC_EXTENDED_CLIPBOARD, offsetof(struct rfb_features, extended_clipboard) },
	{ ENC_QEMU_KEY, offsetof(struct rfb_features, qemu_key) },
};

static void feature_note(struct rfb_features *n, int32_t encoding)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(feature_flags); i++)
		if (feature_flags[i].encoding == encoding)
			*(bool *)((char *)n + feature_flags[i].flag) = true;
	if (encoding >= ENC_QUALITY_LOW && encoding <= ENC_QUALITY_HIGH)
		n->quality = quality_of_level[encoding - ENC_QUALITY_LOW];
	if (n->lossless < 0 && (encoding == ENC_TIGHT || encoding == ENC_ZRLE || encoding == ENC_RAW))
		n->lossless = encoding;
}

static struct rfb_features features_of(const struct rfb_message *m)
{
	struct rfb_features n = { .lossless = -1 };
	for (uint16_t i = 0; i < m->encodings.len; i++)
		feature_note(&n, m->encodings.list[i]);
	/* A viewer that names Raw first on a fast line still gains from the others; but one that has none gets Raw. */
	if (n.lossless < 0)
		n.lossless = ENC_RAW;
	if (!n.tight)
		n.quality = 0;
	return n;
}

static void announce(struct rfb *f, const struct rfb_features *before)
{
	struct pst_buf *out = rfb_stream_out(f->stream);
	if (f->features.continuous && !before->continuous)
		pst_buf_put_u8(out, 150); /* EndOfContinuousUpdates: we speak it */
	if (f->features.fence && !before->fence) {
		pst_buf_put_u8(out, 248);
		pst_buf_put_zero(out, 3);
		pst_buf_put_be32(out, FENCE_REQUEST | FENCE_BLOCK_BEFORE);
		pst_buf_put_u8(out, 0);
	}
	if (f->features.extended_desktop_size && !before->extended_desktop_size)
		f->size.is_pending = true;
	if (f->features.qemu_key && !before->qemu_key)
		f->qemu_key_pending = true;
	rfb_stream_flush(f->stream);
	if (f->features.extended_clipboard && !f->clipboard.caps_sent)
		rfb_clipboard_caps(f);
}

static uint32_t ops_of(const struct rfb *f)
{
	uint32_t ops = OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL);
	bool is_888 = rfb_pixel_format_is_888(&f->format);

	if (f->features.copy_rect)
		ops |= OP_BIT(OP_COPY);
	if (rfb_update_takes_repeats(f))
		ops |= OP_TAKES_REPEATS;
	if (f->features.quality > 0 && is_888)
		ops |= OP_BIT(OP_LOSSY);
	if (f->features.h264 && is_888)
		ops |= OP_BIT(OP_VIDEO);
	return ops;
}

static int on_encodings(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	struct rfb_features before = f->features;
	f->features = features_of(m);
	if (f->size.is_pending && !f->features.desktop_size && !f->features.extended_desktop_size)
		return pst_err_set(err, PST_EUNSUPPORTED, "the screen's size changed and this viewer cannot follow; connect again");
	announce(f, &before);

	struct front_caps caps = {
		.ops = ops_of(f),
		.video_align = 2,
		.max_video_regions = ops_of(f) & OP_BIT(OP_VIDEO) ? VIDEO_REGIONS : 0,
		.can_resize = f->features.desktop_size || f->features.extended_desktop_size,
		.client = "VNC viewer",
	};
	bool is_same = f->is_opened && before.copy_rect == f->features.copy_rect && before.zrle == f->features.zrle && before.h264 == f->features.h264 &&
		(before.quality > 0) == (f->features.quality > 0);
	f->is_opened = true;
	if (!is_same)
		f->ev.opened(f->arg, &caps);
	return 0;
}

static int on_update_request(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	const struct rect all = { 0, 0, f->size.width, f->size.height };
	struct rect area;
	if (!f->is_continuous || !m->update.is_incremental)
		f->is_requested = true;
	if (!m->update.is_incremental && rect_intersect(&m->update.area, &all, &area))
		f->ev.refresh(f->arg, &area);
	rfb_update_pseudo(f);
	if (f->front.type->can_send(&f->front))
		f->ev.ready(f->arg);
	return 0;
}

static int on_key(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	struct input_event ev = { .kind = INPUT_KEY };
	ev.key.is_down = m->key.is_down;
	ev.key.keysym = m->key.keysym;
	if (m->key.scancode > 0 && m->key.scancode <= 0xff)
		ev.key.keycode = scancode_to_evdev(m->key.scancode & 0x7f, m->key.scancode & 0x80);
	if (ev.key.keysym || ev.key.keycode)
		f->ev.input(f->arg, &ev);
	return 0;
}

static void send_wheel(struct rfb *f, uint8_t pressed)
{
	static const struct {
		uint8_t bit;
		int16_t dx, dy;
	} wheels[] = { { 8, 0, -120 }, { 16, 0, 120 }, { 32, -120, 0 }, { 64, 120, 0 } };
	for (size_t i = 0; i < PST_ARRAY_LEN(wheels); i++) {
		struct input_event ev = { .kind = INPUT_WHEEL, .wheel = { wheels[i].dx, wheels[i].dy } };
		if (pressed & wheels[i].bit)
			f->ev.input(f->arg, &ev);
	}
}

static int on_pointer(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	struct input_event ev = { .kind = INPUT_POINTER };
	ev.pointer.x = PST_MIN((int32_t)m->pointer.x, f->size.width - 1);
	ev.pointer.y = PST_MIN((int32_t)m->pointer.y, f->size.height - 1);
	ev.pointer.buttons = m->pointer.buttons & (INPUT_LEFT | INPUT_MIDDLE | INPUT_RIGHT);
	if (m->pointer.buttons & 0x80)
		ev.pointer.buttons |= INPUT_BACK;
	f->ev.input(f->arg, &ev);
	send_wheel(f, m->pointer.buttons & (uint8_t)~f->buttons);
	f->buttons = m->pointer.buttons;
	return 0;
}

static int on_continuous(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	if (!f->features.continuous)
		return pst_err_set(err, PST_EPROTO, "the viewer enabled continuous updates without announcing them");
	f->is_continuous = m->continuous.enable;
	if (!m->continuous.enable) {
		pst_buf_put_u8(rfb_stream_out(f->stream), 150);
		rfb_stream_flush(f->stream);
		return 0;
	}
	rfb_update_pseudo(f);
	if (f->front.type->can_send(&f->front))
		f->ev.ready(f->arg);
	return 0;
}

/* A request is echoed; an answer of ours carries the sequence of the frame before it. */
static int on_fence(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	if (m->fence.flags & FENCE_REQUEST) {
		struct pst_buf *out = rfb_stream_out(f->stream);
		pst_buf_put_u8(out, 248);
		pst_buf_put_zero(out, 3);
		pst_buf_put_be32(out, m->fence.flags & (FENCE_BLOCK_BEFORE | FENCE_BLOCK_AFTER | FENCE_SYNC_NEXT));
		pst_buf_put_u8(out, m->fence.len);
		pst_buf_append(out, m->fence.data, m->fence.len);
		rfb_stream_flush(f->stream);
		return 0;
	}
	if (m->fence.len != 8)
		return 0; /* the answer to the empty one of announce */
	uint64_t sequence = 0;
	for (int i = 0; i < 8; i++)
		sequence = sequence << 8 | m->fence.data[i];
	if (!window_acked(&f->window, sequence, pst_mono_ns()))
		return pst_err_set(err, PST_EPROTO, "the viewer answered a fence that was never sent");
	if (f->front.type->can_send(&f->front))
		f->ev.ready(f->arg);
	return 0;
}

static int on_desktop_size(struct rfb *f, const struct rfb_message *m, struct pst_err *err)
{
	bool is_sane = m->size.width >= 1 && m->size.height >= 1 && m->size.width <= SCREEN_SIDE_MAX &&
		m->size.height <= SCREEN_SIDE_MAX;
	f->size.was_asked = true;
	if (!is_sane || (m->size.width == f->size.width && m->size.height == f->size.height)) {
		f->size.status = is_sane ? 0 : 3; /* 3: invalid screen layout */
		f->size.is_pending = true;
		rfb_update_pseudo(f);
		return 0;
	}
	f->ev.resize(f->arg, m->size.width, m->size.height, 100);
	return 0;
}

static const message_fn handlers[] = {
	[RFB_SET_PIXEL_FORMAT] = on_pixel_format,
	[RFB_SET_ENCODINGS] = on_encodings,
	[RFB_UPDATE_REQUEST] = on_update_request,
	[RFB_KEY] = on_key,
	[RFB_POINTER] = on_pointer,
	[RFB_CUT_TEXT] = rfb_clipboard_receive,
	[RFB_CONTINUOUS_UPDATES] = on_continuous,
	[RFB_FENCE] = on_fence,
	[RFB_DESKTOP_SIZE] = on_desktop_size,
};

void rfb_session_input(struct rfb *f, struct pst_buf *in)
{
	struct pst_err err = PST_ERR_INIT;
	while (f->phase == RFB_RUNNING && in->len > 0) {
		struct rfb_message m;
		ssize_t used = rfb_message_parse(in->data, in->len, &m, &err);
		if (used == 0)
			return;
		if (used < 0 || handlers[m.kind](f, &m, &err) < 0)
			return rfb_fail(f, err.code, err.text);
		pst_buf_consume(in, (size_t)used);
	}
}
