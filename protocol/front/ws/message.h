/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of puesto.v1 (docs/web-protocol.md): numbers, limits, writers for the server's messages and the parser for the client's.
 * Pure: no socket, no clock. Writers append the body without type and parts; stream.h adds those.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "encoder/op.h"
#include "protocol/link/cursor_image.h"
#include "protocol/link/input.h"

#define WS_VERSION 1
#define WS_MESSAGE_MAX 65536u                  /* bytes of one WebSocket message, type included */
#define WS_FRAME_MAX (320u * 1024 * 1024)      /* bytes of a FRAME, all parts */
#define WS_CLIPBOARD_MAX (1024u * 1024)        /* bytes of a CLIPBOARD, all parts */
#define WS_REGION_MAX 16                       /* video regions that the wire can name */
#define WS_PART 0x80u                          /* in the type byte: more parts follow */
#define WS_SCALE_MIN 100
#define WS_SCALE_MAX 500

enum ws_server_type {
	WS_S_HELLO = 1,
	WS_S_SURFACE,
	WS_S_FRAME,
	WS_S_CURSOR,
	WS_S_POINTER,
	WS_S_CLIPBOARD,
	WS_S_STATUS,
	WS_S_BELL,
	WS_S_PONG,
	WS_S_STATS,
	WS_S_END,
	WS_S_WATCHED, /* only where the client said WS_CAN_WATCHED */
};

enum ws_client_type {
	WS_C_HELLO = 1,
	WS_C_ACK,
	WS_C_KEY,
	WS_C_TEXT,
	WS_C_POINTER,
	WS_C_WHEEL,
	WS_C_TOUCH,
	WS_C_RESIZE,
	WS_C_CLIPBOARD,
	WS_C_REFRESH,
	WS_C_RELEASE_ALL,
	WS_C_PING,
	WS_C_TYPES,
};

enum ws_op { WS_OP_COPY = 1, WS_OP_FILL, WS_OP_FLAT, WS_OP_JPEG, WS_OP_WEBP, WS_OP_VIDEO, WS_OPS };

enum ws_can {
	WS_CAN_H264 = 1,
	WS_CAN_JPEG = 2,
	WS_CAN_WEBP = 4,
	WS_CAN_TOUCH = 8,
	WS_CAN_WATCHED = 16,
	WS_CAN_H264_444 = 32
};
enum ws_frame_flag { WS_FRAME_EXACT = 1, WS_FRAME_MORE = 2, WS_FRAME_QUIET = 4, WS_FRAME_ANEW = 8 };
enum ws_video_flag { WS_VIDEO_KEY = 1, WS_VIDEO_444 = 2 };
enum ws_hello_flag { WS_HELLO_CLIPBOARD_IN = 1, WS_HELLO_CLIPBOARD_OUT = 2, WS_HELLO_VIEW_ONLY = 4 };

/* One message of the client. Strings and bytes are borrowed from the parsed buffer. */
struct ws_message {
	enum ws_client_type type;
	bool is_part; /* CLIPBOARD only: more parts follow */
	union {
		struct {
			uint16_t width, height, scale_pct;
			uint32_t can;
			bool is_spanish;
			char client[64]; /* printable ASCII, cut */
		} hello;
		struct {
			uint32_t sequence, decode_us;
		} ack;
		struct input_event input; /* KEY, TEXT, POINTER, WHEEL, TOUCH, RELEASE_ALL */
		struct {
			uint16_t width, height, scale_pct;
		} resize;
		struct {
			const uint8_t *data;
			size_t len;
		} clipboard; /* not yet checked to be UTF-8: a part may end inside a character */
		struct rect refresh;
		uint64_t ping;
	};
};

/* 0, or PST_EPROTO with a sentence that names the message and what is wrong with it. */
int ws_message_parse(const uint8_t *data, size_t len, struct ws_message *ret, struct pst_err *err);

/* What HELLO says. Strings may be NULL. */
struct ws_hello {
	bool clipboard_in, clipboard_out, is_view_only;
	const char *desktop, *user;
};

void ws_write_hello(struct pst_buf *out, const struct ws_hello *hello);
void ws_write_surface(struct pst_buf *out, int32_t width, int32_t height, uint32_t scale_pct);
void ws_write_cursor(struct pst_buf *out, const struct cursor_image *image);
/* Two text16, each cut at a character below 4 KiB: STATUS, and END after its code. NULL is empty. */
void ws_write_texts(struct pst_buf *out, const char *text_en, const char *text_es);

/* Totals since the start, by enum ws_op. */
struct ws_mix {
	uint32_t ops[WS_OPS];
	uint64_t bytes[WS_OPS], pixels[WS_OPS];
};

struct ws_stats {
	uint32_t rtt_us, rate_kbps, in_flight, encode_us;
	uint64_t frames, bytes;
	const struct ws_mix *mix;
};

/* One text16. */
void ws_write_watched(struct pst_buf *out, const char *names);
void ws_write_stats(struct pst_buf *out, const struct ws_stats *stats);
