/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's side of WebSocket (RFC 6455) without a socket, for a stream of bytes: frames may be cut anywhere, and
 * only binary ones carry something. No extension is asked for. The server is hostile: what it may not do ends it.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBSOCKET_KEY_SIZE 25
#define WEBSOCKET_HEAD_MAX 8192 /* of the server's answer */

/* 16 random bytes in base64. */
void websocket_key(char out[WEBSOCKET_KEY_SIZE]);
/* The request; headers are whole lines without their end, up to a NULL. host: "HOST:PORT". */
void websocket_request(struct pst_buf *out, const char *host, const char *path, const char *key, const char *protocol, const char *const *headers);
/*
 * The answer's head, its empty line included, zero-terminated. 0; PST_EPROTO, or for a status that is no 101 its code
 * (http_status_code), with err.
 */
int websocket_answer(const char *head, const char *key, const char *protocol, struct pst_err *err);

struct websocket {
	uint8_t head[10], control[125];
	size_t head_len, control_len;
	uint64_t left; /* of the frame's payload */
	uint8_t opcode;
	bool is_final, in_payload, in_message;
	bool is_closed; /* the server has said so */
};

/*
 * Uses all of data: appends payload to in, and what has to be answered to out. PST_EPROTO; PST_ELIMIT when in or out is
 * full: the caller gives no more than there is room for. After is_closed nothing is used.
 */
int websocket_take(struct websocket *w, const uint8_t *data, size_t len, struct pst_buf *in, struct pst_buf *out, struct pst_err *err);
/* A binary frame. */
void websocket_put(struct pst_buf *out, const void *data, size_t len);
void websocket_ping(struct pst_buf *out);
void websocket_close(struct pst_buf *out);
