/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WebSocket frames (RFC 6455 §5) of one connection, server side. Client bytes go in, whole messages of at most WS_MESSAGE_MAX bytes come
 * out; control frames are told apart and checked. No extension is spoken, so a reserved bit is an error. Pure: no socket, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_MESSAGE_MAX (64 * 1024) /* payload of one client message */
#define WS_CONTROL_MAX 125
#define WS_HEADER_MAX 10 /* of a frame that we send */

enum ws_opcode { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Close codes that we send: RFC 6455 §7.4.1, 44xx our own. */
enum ws_close {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_TYPE = 1003,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_FAILED = 1011,
	WS_CLOSE_TICKET = 4401,
	WS_CLOSE_DENIED = 4403,
	WS_CLOSE_ENDED = 4410,
};

struct ws_parser {
	uint8_t head[14];
	size_t head_len, head_need;
	uint8_t opcode;
	bool is_final, in_message;
	uint64_t left; /* payload bytes of this frame that have not come */
	size_t mask_at;
	size_t len, control_len;
	uint8_t control[WS_CONTROL_MAX];
	uint8_t message[WS_MESSAGE_MAX];
};

struct ws_event {
	enum ws_opcode opcode; /* WS_BINARY (a whole message), WS_CLOSE, WS_PING, WS_PONG */
	const uint8_t *data;   /* borrowed until the next call */
	size_t len;
};

void ws_parser_init(struct ws_parser *p);

/*
 * Eats bytes up to the end of one message or control frame. *ret_used says how many. Returns 1 with *ret_ev filled, 0 when more
 * bytes are needed, or a negative close code (-1002, -1003 for text, -1009): the connection must then be closed.
 */
int ws_parser_feed(struct ws_parser *p, const uint8_t *bytes, size_t len, size_t *ret_used, struct ws_event *ret_ev);

/* Writes the header of an unmasked frame into out (WS_HEADER_MAX bytes); returns its length. */
size_t ws_frame_header(uint8_t *out, enum ws_opcode opcode, bool is_final, size_t payload);

/* Sec-WebSocket-Accept for a client's key. out holds 29 bytes. False when the key is not base64 of 16 bytes. */
bool ws_accept_key(const char *key, char out[static 29]);
