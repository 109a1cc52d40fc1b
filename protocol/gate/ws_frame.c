/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebSocket frames: parser of the client's, headers of ours. */
#include "protocol/gate/ws_frame.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

void ws_parser_init(struct ws_parser *p)
{
	p->head_len = 0;
	p->head_need = 2;
	p->in_message = false;
	p->len = 0;
	p->left = 0;
	p->control_len = 0;
}

static bool is_control(uint8_t opcode)
{
	return opcode >= WS_CLOSE;
}

/* Bytes of the whole header, known from the first two. */
static size_t header_size(const uint8_t *h)
{
	uint8_t len = h[1] & 0x7f;

	return 2 + 4 + (len == 126 ? 2 : len == 127 ? 8 : 0);
}

static uint64_t payload_size(const uint8_t *h)
{
	uint64_t n = h[1] & 0x7f;
	size_t extra = n == 126 ? 2 : n == 127 ? 8 : 0;

	if (!extra)
		return n;
	n = 0;
	for (size_t i = 0; i < extra; i++)
		n = n << 8 | h[2 + i];
	return n;
}

/* Checks what the first two bytes say. */
static int check_start(const struct ws_parser *p)
{
	uint8_t opcode = p->head[0] & 0x0f;

	if (p->head[0] & 0x70 || !(p->head[1] & 0x80))
		return -WS_CLOSE_PROTOCOL;
	if (is_control(opcode))
		return opcode <= WS_PONG && p->head[0] & 0x80 && (p->head[1] & 0x7f) <= WS_CONTROL_MAX ? 0 : -WS_CLOSE_PROTOCOL;
	if (opcode == WS_TEXT)
		return -WS_CLOSE_TYPE;
	if (opcode > WS_BINARY || (opcode == WS_CONT) != p->in_message)
		return -WS_CLOSE_PROTOCOL;
	return 0;
}

static int start_frame(struct ws_parser *p)
{
	uint64_t n = payload_size(p->head);

	p->opcode = p->head[0] & 0x0f;
	p->is_final = p->head[0] & 0x80;
	p->left = n;
	p->mask_at = 0;
	if (is_control(p->opcode)) {
		p->control_len = 0;
		return 0;
	}
	if (!p->in_message)
		p->len = 0;
	p->in_message = true;
	return n > WS_MESSAGE_MAX - p->len ? -WS_CLOSE_TOO_BIG : 0;
}

/* Takes header bytes; true in *ret_done once the payload is next. */
static int eat_header(struct ws_parser *p, const uint8_t *bytes, size_t len, size_t *used, bool *ret_done)
{
	int rc;

	while (p->head_len < p->head_need && *used < len) {
		p->head[p->head_len++] = bytes[(*used)++];
		if (p->head_len == 2) {
			rc = check_start(p);
			if (rc)
				return rc;
			p->head_need = header_size(p->head);
		}
	}
	*ret_done = p->head_len == p->head_need && p->head_len > 2;
	return 0;
}

static void eat_payload(struct ws_parser *p, const uint8_t *bytes, size_t len, size_t *used)
{
	const uint8_t *mask = p->head + p->head_need - 4;
	size_t n = (size_t)MIN((uint64_t)(len - *used), p->left);
	uint8_t *to = is_control(p->opcode) ? p->control + p->control_len : p->message + p->len;

	for (size_t i = 0; i < n; i++)
		to[i] = bytes[*used + i] ^ mask[(p->mask_at + i) & 3];
	p->mask_at += n;
	p->left -= n;
	*used += n;
	if (is_control(p->opcode))
		p->control_len += n;
	else
		p->len += n;
}

/* A frame is whole: an event, unless more fragments follow. */
static int finish_frame(struct ws_parser *p, struct ws_event *ev)
{
	p->head_len = 0;
	p->head_need = 2;
	if (is_control(p->opcode)) {
		if (p->opcode == WS_CLOSE && p->control_len == 1)
			return -WS_CLOSE_PROTOCOL;
		*ev = (struct ws_event){ p->opcode, p->control, p->control_len };
		return 1;
	}
	if (!p->is_final)
		return 0;
	p->in_message = false;
	*ev = (struct ws_event){ WS_BINARY, p->message, p->len };
	return 1;
}

int ws_parser_feed(struct ws_parser *p, const uint8_t *bytes, size_t len, size_t *ret_used, struct ws_event *ret_ev)
{
	int rc = 0;

	*ret_used = 0;
	while (*ret_used < len && !rc) {
		bool done = true;

		if (p->head_len < p->head_need || p->head_len <= 2) {
			rc = eat_header(p, bytes, len, ret_used, &done);
			if (!rc && done)
				rc = start_frame(p);
		}
		if (rc || !done)
			break;
		eat_payload(p, bytes, len, ret_used);
		if (!p->left)
			rc = finish_frame(p, ret_ev);
	}
	return rc;
}

size_t ws_frame_header(uint8_t *out, enum ws_opcode opcode, bool is_final, size_t payload)
{
	out[0] = (uint8_t)(opcode | (is_final ? 0x80 : 0));
	if (payload < 126) {
		out[1] = (uint8_t)payload;
		return 2;
	}
	if (payload < 65536) {
		out[1] = 126;
		out[2] = (uint8_t)(payload >> 8);
		out[3] = (uint8_t)payload;
		return 4;
	}
	out[1] = 127;
	for (int i = 0; i < 8; i++)
		out[2 + i] = (uint8_t)((uint64_t)payload >> (56 - 8 * i));
	return 10;
}

bool ws_accept_key(const char *key, char out[static 29])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	struct base64_decode_ctx decode;
	struct sha1_ctx sha;
	uint8_t raw[BASE64_DECODE_LENGTH(24)], digest[SHA1_DIGEST_SIZE];
	size_t n = sizeof(raw);

	if (strlen(key) != 24)
		return false;
	base64_decode_init(&decode);
	if (!base64_decode_update(&decode, &n, raw, 24, key) || !base64_decode_final(&decode) || n != 16)
		return false;
	sha1_init(&sha);
	sha1_update(&sha, 24, (const uint8_t *)key);
	sha1_update(&sha, sizeof(guid) - 1, (const uint8_t *)guid);
	sha1_digest(&sha, sizeof(digest), digest);
	base64_encode_raw(out, sizeof(digest), digest);
	out[28] = '\0';
	return true;
}
