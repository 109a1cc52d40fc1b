/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display control: the client's window was resized, and the desktop follows. */
#include "protocol/front/rdp/disp.h"

#include <freerdp/channels/wtsvc.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "encoder/rect.h"
#include "protocol/front/rdp/channel.h"
#include "protocol/front/rdp/rdp_priv.h"

#define DISP_CHANNEL "Microsoft::Windows::RDS::DisplayControl"
#define PDU_MONITOR_LAYOUT 2
#define PDU_CAPS 5
#define MONITOR_LEN 40
#define MONITORS_MAX 16
#define LAYOUT_PRIMARY 1u

void disp_put_caps(struct pst_buf *out, uint32_t side)
{
	pst_buf_put_le32(out, PDU_CAPS);
	pst_buf_put_le32(out, 20);
	pst_buf_put_le32(out, 1);
	pst_buf_put_le32(out, side);
	pst_buf_put_le32(out, side);
}

int disp_parse(const uint8_t *data, size_t len, struct disp_layout *ret, struct pst_err *err)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	uint32_t type = pst_cursor_le32(&c);
	pst_cursor_skip(&c, 4);
	if (pst_cursor_ok(&c) && type != PDU_MONITOR_LAYOUT)
		return 0;
	uint32_t size = pst_cursor_le32(&c), count = pst_cursor_le32(&c);
	if (!pst_cursor_ok(&c) || size != MONITOR_LEN || count == 0 || count > MONITORS_MAX)
		return pst_err_set(err, PST_EPROTO, "the RDP client's monitor layout makes no sense");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t flags = pst_cursor_le32(&c);
		pst_cursor_skip(&c, 8);
		uint32_t width = pst_cursor_le32(&c), height = pst_cursor_le32(&c);
		pst_cursor_skip(&c, 12);
		uint32_t scale = pst_cursor_le32(&c);
		pst_cursor_skip(&c, 4);
		if (i > 0 && !(flags & LAYOUT_PRIMARY))
			continue;
		ret->width = (int32_t)PST_MIN(width, (uint32_t)SCREEN_SIDE_MAX + 1);
		ret->height = (int32_t)PST_MIN(height, (uint32_t)SCREEN_SIDE_MAX + 1);
		ret->scale_pct = PST_CLAMP(scale, 100u, 500u);
	}
	if (!pst_cursor_ok(&c) || ret->width < RDP_SIDE_MIN || ret->height < RDP_SIDE_MIN || ret->width > SCREEN_SIDE_MAX ||
	    ret->height > SCREEN_SIDE_MAX)
		return pst_err_set(err, PST_EPROTO, "the RDP client asks for a screen that is not %d to %d pixels a side", RDP_SIDE_MIN,
				   SCREEN_SIDE_MAX);
	return 1;
}

static int on_message(void *arg, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct rdp *f = arg;
	struct disp_layout layout = { 0 };
	int r = disp_parse(data, len, &layout, err);
	if (r > 0 && rdp_is_live(f) && (layout.width != f->width || layout.height != f->height))
		f->ev.resize(f->arg, layout.width, layout.height, layout.scale_pct);
	return r < 0 ? r : 0;
}

static int announce(struct rdp *f, struct pst_err *err)
{
	struct pst_buf out;
	pst_buf_init(&out, 64);
	disp_put_caps(&out, SCREEN_SIDE_MAX);
	int r = channel_write(f->disp.channel, &out, err);
	pst_buf_finish(&out);
	f->disp.is_ready = r == 0;
	return r;
}

/* Opened once the picture is there: a client without it just keeps its size. */
int rdp_disp_poll(struct rdp *f, struct pst_err *err)
{
	if (!f->disp.was_opened && f->is_opened && WTSVirtualChannelManagerGetDrdynvcState(f->channels) == DRDYNVC_STATE_READY) {
		f->disp.was_opened = true;
		f->disp.channel = channel_open_dynamic(f->channels, DISP_CHANNEL);
	}
	if (!f->disp.channel)
		return 0;
	if (!f->disp.is_ready)
		return channel_is_ready(f->disp.channel) ? announce(f, err) : 0;
	return channel_read(f->disp.channel, on_message, f, err);
}
