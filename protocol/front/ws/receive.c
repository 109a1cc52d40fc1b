/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client says: each parsed message becomes an event, or the end of the connection. */
#include "protocol/front/ws/ws_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static void receive_hello(struct ws *w, const struct ws_message *m)
{
	struct front_caps caps = {
		.ops = OP_BIT(OP_COPY) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSLESS),
		.video_align = 2,
		.width = m->hello.width,
		.height = m->hello.height,
		.can_resize = true,
		.can_tell = (m->hello.can & WS_CAN_WATCHED) != 0,
		.scale_pct = m->hello.scale_pct,
	};

	if (m->hello.can & WS_CAN_JPEG)
		caps.ops |= OP_BIT(OP_LOSSY);
	if (m->hello.can & WS_CAN_H264) {
		caps.ops |= OP_BIT(OP_VIDEO);
		caps.max_video_regions = WS_VIDEO_REGIONS;
		caps.chroma = m->hello.can & WS_CAN_H264_444 ? VIDEO_444 : VIDEO_420;
	}
	memcpy(caps.client, m->hello.client, sizeof(caps.client));
	w->scale_pct = m->hello.scale_pct;
	w->can_watched = caps.can_tell;
	w->phase = WS_OPEN;
	w->ev->opened(w->arg, &caps);
}

static void receive_ack(struct ws *w, const struct ws_message *m)
{
	if (!window_acked_after(&w->window, m->ack.sequence, (uint64_t)m->ack.decode_us * 1000, pst_mono_ns())) {
		ws_end(w, PST_EPROTO, "the client acknowledged a frame that was not sent",
		       "el cliente ha confirmado una imagen que no se envió");
		return;
	}
	ws_group_wake(w);
	ws_check_ready(w);
}

static void receive_input(struct ws *w, const struct ws_message *m)
{
	w->ev->input(w->arg, &m->input);
}

static void receive_resize(struct ws *w, const struct ws_message *m)
{
	w->scale_pct = m->resize.scale_pct;
	w->ev->resize(w->arg, m->resize.width, m->resize.height, m->resize.scale_pct);
}

/* Text that policy forbids is read and dropped: the client was told in HELLO and may race. */
static void receive_clipboard(struct ws *w, const struct ws_message *m)
{
	if (w->clipboard_in)
		pst_buf_append(&w->pasted, m->clipboard.data, m->clipboard.len);
	if (w->pasted.failed) {
		ws_end(w, PST_EPROTO, "the client sent more than 1 MiB of clipboard text",
		       "el cliente ha enviado más de 1 MiB de texto del portapapeles");
		return;
	}
	if (m->is_part || !w->clipboard_in)
		return;
	if (!pst_utf8_valid((const char *)w->pasted.data, w->pasted.len))
		ws_end(w, PST_EPROTO, "the client's clipboard is not valid UTF-8 text",
		       "el portapapeles del cliente no es texto UTF-8 válido");
	else if (w->ev->clipboard)
		w->ev->clipboard(w->arg, w->pasted.len ? (const char *)w->pasted.data : "", w->pasted.len);
	pst_buf_reset(&w->pasted);
}

static void receive_refresh(struct ws *w, const struct ws_message *m)
{
	if (w->group.leader)
		ws_group_fall(w);
	else if (!rect_is_empty(&m->refresh))
		w->ev->refresh(w->arg, &m->refresh);
}

static void receive_ping(struct ws *w, const struct ws_message *m)
{
	pst_buf_reset(&w->body);
	pst_buf_put_be64(&w->body, m->ping);
	ws_stream_put(w->stream, WS_S_PONG, w->body.data, w->body.len);
}

static void (*const receivers[WS_C_TYPES])(struct ws *w, const struct ws_message *m) = {
	[WS_C_HELLO] = receive_hello,
	[WS_C_ACK] = receive_ack,
	[WS_C_KEY] = receive_input,
	[WS_C_TEXT] = receive_input,
	[WS_C_POINTER] = receive_input,
	[WS_C_WHEEL] = receive_input,
	[WS_C_TOUCH] = receive_input,
	[WS_C_RESIZE] = receive_resize,
	[WS_C_CLIPBOARD] = receive_clipboard,
	[WS_C_REFRESH] = receive_refresh,
	[WS_C_RELEASE_ALL] = receive_input,
	[WS_C_PING] = receive_ping,
};

void ws_receive(struct ws *w, const uint8_t *data, size_t len)
{
	struct pst_err err = PST_ERR_INIT;
	struct ws_message m;

	if (w->phase != WS_HELLO && w->phase != WS_OPEN)
		return;
	w->heard_us = pst_mono_us();
	if (ws_message_parse(data, len, &m, &err) < 0) {
		ws_end(w, err.code, err.text, "el navegador ha enviado un mensaje que no se entiende: vuelva a cargar la página");
		return;
	}
	if ((m.type == WS_C_HELLO) != (w->phase == WS_HELLO)) {
		ws_end(w, PST_EPROTO, "the client's HELLO has to come first and once",
		       "el saludo del cliente ha de llegar primero y una sola vez");
		return;
	}
	receivers[m.type](w, &m);
}
