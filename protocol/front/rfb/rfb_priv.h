/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of an RFB front, shared by the files of this folder only. */
#pragma once

#include "base/loop.h"
#include "base/secret.h"
#include "encoder/codec.h"
#include "protocol/front/front.h"
#include "protocol/front/rfb/message.h"
#include "protocol/front/rfb/stream.h"
#include "protocol/front/window.h"

/* Encodings and pseudo-encodings (RFC 6143 §7.7, §7.8 and the community registry). */
enum rfb_encoding {
	ENC_RAW = 0,
	ENC_COPY_RECT = 1,
	ENC_TIGHT = 7,
	ENC_ZRLE = 16,
	ENC_H264 = 50, /* Open H.264 */
	ENC_QUALITY_LOW = -32,
	ENC_QUALITY_HIGH = -23,
	ENC_DESKTOP_SIZE = -223,
	ENC_CURSOR = -239,
	ENC_QEMU_KEY = -258,
	ENC_EXTENDED_DESKTOP_SIZE = -308,
	ENC_FENCE = -312,
	ENC_CONTINUOUS_UPDATES = -313,
	ENC_CURSOR_ALPHA = -314,
	ENC_EXTENDED_CLIPBOARD = (int32_t)0xC0A1E5CE,
};

/*
 *  version → security → vencrypt → subtype → tls → plain → login → client_init → server_init → running → ended
 *     └──────── with a ticket: security type None ────────────────────┘
 */
enum rfb_phase {
	RFB_VERSION,
	RFB_SECURITY,
	RFB_VENCRYPT,
	RFB_SUBTYPE,
	RFB_TLS,
	RFB_PLAIN,
	RFB_LOGIN,
	RFB_CLIENT_INIT,
	RFB_SERVER_INIT, /* waits for the first surface */
	RFB_RUNNING,
	RFB_ENDED,
};

/* What the viewer said it can take. */
struct rfb_features {
	bool copy_rect, tight, zrle, h264, desktop_size, extended_desktop_size, cursor, cursor_alpha, fence, continuous,
		extended_clipboard, qemu_key;
	int32_t lossless; /* ENC_TIGHT, ENC_ZRLE or ENC_RAW: the viewer's first choice */
	uint8_t quality;  /* JPEG quality 1…100, 0: the viewer wants no JPEG */
};

struct rfb_size_state {
	int32_t width, height; /* as the viewer knows it */
	bool is_pending;       /* a new size waits to be told */
	bool was_asked;        /* …because the viewer asked for it */
	uint16_t status;       /* ExtendedDesktopSize: 0 done, 1 not possible */
};

struct rfb_cursor_state {
	struct cursor_image image; /* pixels owned */
	bool is_pending;
};

struct rfb_clipboard_state {
	char *text; /* owned: newest text of the desktop, for a viewer that asks later */
	size_t len;
	bool caps_sent;
};

struct rfb {
	struct front front;
	struct front_events ev;
	void *arg;
	struct rfb_stream *stream;
	struct pst_timer *deadline;
	enum rfb_phase phase;
	bool is_authenticated, clipboard_in, clipboard_out;
	bool has_surface, is_opened;
	char *cert_pem;
	struct pst_secret key_pem;
	char desktop_name[128];
	struct rfb_pixel_format format;
	struct rfb_features features;
	struct codec *tight, *zrle;
	struct window window;
	uint64_t next_fence;
	bool is_requested;  /* an update request waits for its answer */
	bool is_continuous; /* the viewer enabled continuous updates */
	bool qemu_key_pending; /* the viewer offered key codes and waits for our mark */
	uint8_t buttons;
	struct rfb_size_state size;
	struct rfb_cursor_state cursor;
	struct rfb_clipboard_state clipboard;
	struct pst_buf blank; /* pixels of an operation without what repeats */
};

/* handshake.c */
void rfb_handshake_start(struct rfb *f);
/* Takes what it can from in; phases before RFB_RUNNING. */
void rfb_handshake_input(struct rfb *f, struct pst_buf *in);
void rfb_handshake_secured(struct rfb *f);
void rfb_handshake_login(struct rfb *f, const struct pst_err *err);
/* Sends ServerInit once the viewer asked and the first surface is known. */
void rfb_handshake_server_init(struct rfb *f);

/* session.c: messages of a running viewer */
void rfb_session_input(struct rfb *f, struct pst_buf *in);

/* update.c */
bool rfb_update_is_due(const struct rfb *f); /* the viewer waits for an update, or takes them unasked */
bool rfb_update_takes_repeats(const struct rfb *f); /* the viewer copies, and has ZRLE for what is left */
/* Sends pending size, cursor and extension marks when the viewer can take them. */
void rfb_update_pseudo(struct rfb *f);
int rfb_update_frame(struct rfb *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err);

/* clipboard.c */
void rfb_clipboard_caps(struct rfb *f);
void rfb_clipboard_send(struct rfb *f, const char *utf8, size_t len);
int rfb_clipboard_receive(struct rfb *f, const struct rfb_message *m, struct pst_err *err);

/* rfb.c: ends the connection; `closed` follows unless close came first. */
void rfb_fail(struct rfb *f, int code, const char *reason);
