/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames and the handshake of WebSocket. */
#include "broker/hypervisor/websocket.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/http.h"

#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

enum { CONTINUED = 0, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

void websocket_key(char out[WEBSOCKET_KEY_SIZE])
{
	uint8_t random[16];

	pst_random(random, sizeof(random));
	pst_base64_encode(random, sizeof(random), out, WEBSOCKET_KEY_SIZE);
}

void websocket_request(struct pst_buf *out, const char *host, const char *path, const char *key, const char *protocol, const char *const *headers)
{
	pst_buf_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", path, host);
	pst_buf_printf(out, "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\n", key, protocol);
	for (; *headers; headers++)
		pst_buf_printf(out, "%s\r\n", *headers);
	pst_buf_put_str(out, "\r\n");
}

/* The value of a header that comes once at most; its length, or -1. */
static int header_find(const char *head, const char *name, const char **ret)
{
	size_t n = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, n) != 0 || line[2 + n] != ':')
			continue;
		*ret = line + 3 + n + strspn(line + 3 + n, " \t");
		int len = (int)strcspn(*ret, "\r\n");
		while (len > 0 && ((*ret)[len - 1] == ' ' || (*ret)[len - 1] == '\t'))
			len--;
		return len;
	}
	return -1;
}

static bool header_is(const char *head, const char *name, const char *value, bool by_letter)
{
	const char *at;
	int len = header_find(head, name, &at);

	return len == (int)strlen(value) && (by_letter ? memcmp(at, value, (size_t)len) : strncasecmp(at, value, (size_t)len)) == 0;
}

/* One of the words between commas (RFC 6455, 4.1): somebody on the way may have added his. */
static bool header_has(const char *head, const char *name, const char *word)
{
	const char *at = head;
	int len = header_find(head, name, &at);
	const char *end = at + PST_MAX(len, 0);
	size_t n = strlen(word);

	for (; len > 0 && at < end; at += strcspn(at, ",\r") + 1) {
		at += strspn(at, " \t");
		if (strncasecmp(at, word, n) == 0 && strspn(at + n, " \t") == strcspn(at + n, ",\r"))
			return true;
	}
	return false;
}

static void accept_make(const char *key, char out[32])
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx ctx;

	sha1_init(&ctx);
	sha1_update(&ctx, strlen(key), (const uint8_t *)key);
	sha1_update(&ctx, strlen(GUID), (const uint8_t *)GUID);
	sha1_digest(&ctx, sizeof(digest), digest);
	pst_base64_encode(digest, sizeof(digest), out, 32);
}

int websocket_answer(const char *head, const char *key, const char *protocol, struct pst_err *err)
{
	char accept[32];
	const char *at;
	int status = strncmp(head, "HTTP/1.1 ", 9) == 0 && strspn(head + 9, "0123456789") == 3 ? atoi(head + 9) : 0;

	if (status < 100 || status > 599 || (status < 300 && status != 101))
		return pst_err_set(err, PST_EPROTO, "an answer that is none to a WebSocket");
	if (status != 101)
		return pst_err_set(err, http_status_code(status) ? http_status_code(status) : PST_EPROTO, "it answers with %d", status);
	accept_make(key, accept);
	if (!header_is(head, "Upgrade", "websocket", false) || !header_has(head, "Connection", "upgrade") ||
		!header_is(head, "Sec-WebSocket-Accept", accept, true) || header_find(head, "Sec-WebSocket-Extensions", &at) >= 0 ||
		(header_find(head, "Sec-WebSocket-Protocol", &at) >= 0 && !header_is(head, "Sec-WebSocket-Protocol", protocol, true)))
		return pst_err_set(err, PST_EPROTO, "it does not become the WebSocket that was asked for");
	return 0;
}

static size_t head_size(const struct websocket *w)
{
	uint8_t n = w->head_len < 2 ? 0 : w->head[1] & 0x7f;

	return 2 + (n == 126 ? 2 : n == 127 ? 8 : 0);
}

static bool is_control(const struct websocket *w)
{
	return w->opcode >= CLOSE;
}

/* RFC 6455, 5.2: a server masks nothing. */
static int frame_begin(struct websocket *w, struct pst_err *err)
{
	uint64_t n = w->head[1] & 0x7f;
	size_t size = head_size(w);

	w->opcode = w->head[0] & 0x0f;
	w->is_final = w->head[0] & 0x80;
	if (size > 2)
		n = 0;
	for (size_t i = 2; i < size; i++)
		n = n << 8 | w->head[i];
	if (w->head[0] & 0x70 || w->head[1] & 0x80 || n >> 63)
		return pst_err_set(err, PST_EPROTO, "a frame that no server may send");
	if (is_control(w) ? w->opcode > PONG || !w->is_final || n > sizeof(w->control) :
			    (w->opcode != BINARY && w->opcode != CONTINUED) || (w->opcode == CONTINUED) != w->in_message)
		return pst_err_set(err, PST_EPROTO, "a frame of a kind (%u) that does not belong there", w->opcode);
	if (!is_control(w))
		w->in_message = !w->is_final;
	w->left = n;
	w->control_len = 0;
	w->in_payload = true;
	return 0;
}

static void frame_put(struct pst_buf *out, uint8_t opcode, const void *data, size_t len)
{
	const uint8_t *from = data;
	uint8_t mask[4], *to;

	pst_random(mask, sizeof(mask));
	pst_buf_put_u8(out, 0x80 | opcode);
	if (len < 126) {
		pst_buf_put_u8(out, (uint8_t)(0x80 | len));
	} else if (len <= UINT16_MAX) {
		pst_buf_put_u8(out, 0x80 | 126);
		pst_buf_put_be16(out, (uint16_t)len);
	} else {
		pst_buf_put_u8(out, 0x80 | 127);
		pst_buf_put_be32(out, 0);
		pst_buf_put_be32(out, (uint32_t)len);
	}
	pst_buf_append(out, mask, sizeof(mask));
	to = pst_buf_reserve(out, len);
	for (size_t i = 0; to && i < len; i++)
		to[i] = from[i] ^ mask[i & 3];
	if (to)
		pst_buf_commit(out, len);
}

static void frame_end(struct websocket *w, struct pst_buf *out)
{
	if (w->opcode == PING)
		frame_put(out, PONG, w->control, w->control_len);
	else if (w->opcode == CLOSE)
		w->is_closed = true;
	w->in_payload = false;
	w->head_len = 0;
}

/* Returns how much of the payload there was. */
static size_t payload_take(struct websocket *w, const uint8_t *data, size_t len, struct pst_buf *in)
{
	size_t n = (size_t)PST_MIN((uint64_t)len, w->left);

	if (is_control(w)) {
		memcpy(w->control + w->control_len, data, n);
		w->control_len += n;
	} else {
		pst_buf_append(in, data, n);
	}
	w->left -= n;
	return n;
}

int websocket_take(struct websocket *w, const uint8_t *data, size_t len, struct pst_buf *in, struct pst_buf *out, struct pst_err *err)
{
	size_t at = 0;

	while (at < len && !w->is_closed) {
		if (!w->in_payload) {
			w->head[w->head_len++] = data[at++];
			if (w->head_len == head_size(w) && w->head_len >= 2 && frame_begin(w, err) < 0)
				return err->code;
		} else {
			at += payload_take(w, data + at, len - at, in);
		}
		if (w->in_payload && w->left == 0)
			frame_end(w, out);
	}
	return in->failed || out->failed ? pst_err_set(err, PST_ELIMIT, "more than there is room for") : 0;
}

void websocket_put(struct pst_buf *out, const void *data, size_t len)
{
	frame_put(out, BINARY, data, len);
}

void websocket_ping(struct pst_buf *out)
{
	frame_put(out, PING, NULL, 0);
}

void websocket_close(struct pst_buf *out)
{
	static const uint8_t normal[] = { 1000 >> 8, 1000 & 0xff };

	frame_put(out, CLOSE, normal, sizeof(normal));
}
