/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's side of WebSocket: the handshake, frames in any pieces, and what no server may send. Through TLS and to a screen: tests/integration/test_proxmox.py. */
#include "broker/hypervisor/websocket.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* RFC 6455, 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GOOD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

Test(websocket, only_the_answer_that_was_asked_for_is_taken)
{
	static const struct {
		const char *head;
		int code;
	} answers[] = {
		{ GOOD "\r\n", 0 },
		{ GOOD "Sec-WebSocket-Protocol: binary \r\n\r\n", 0 },
		{ GOOD "Sec-WebSocket-Protocol: text\r\n\r\n", PST_EPROTO },
		{ GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", 0 },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: keep-alive, upgrades\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 200 OK\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 401 no\r\n\r\n", PST_EAUTH },
		{ "HTTP/1.1 404 no\r\n\r\n", PST_ENOTFOUND },
		{ "HTTP/1.1 304 no\r\n\r\n", PST_EPROTO },
		{ "HTTP/1.1 1019 no\r\n\r\n", PST_EPROTO },
		{ "RFB 003.008\n", PST_EPROTO },
		{ "", PST_EPROTO },
	};
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < PST_ARRAY_LEN(answers); i++)
		cr_expect_eq(websocket_answer(answers[i].head, KEY, "binary", &err), answers[i].code, "%zu", i);
}

Test(websocket, the_request_is_as_the_protocol_has_it)
{
	char key[WEBSOCKET_KEY_SIZE];
	struct pst_buf out;

	pst_buf_init(&out, 4096);
	websocket_key(key);
	cr_expect_eq(strlen(key), 24);
	websocket_request(&out, "h:8006", "/p?q=1", KEY, "binary", (const char *const[]){ "Authorization: x", NULL });
	cr_expect_str_eq(pst_buf_cstr(&out), "GET /p?q=1 HTTP/1.1\r\nHost: h:8006\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY
					       "\r\nSec-WebSocket-Protocol: binary\r\nAuthorization: x\r\n\r\n");
	pst_buf_finish(&out);
}

/* Takes bytes in pieces of that size. */
static int take(struct websocket *w, const char *bytes, size_t len, size_t piece, struct pst_buf *in, struct pst_buf *out)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = 0;

	memset(w, 0, sizeof(*w));
	for (size_t at = 0; at < len && rc == 0; at += piece)
		rc = websocket_take(w, (const uint8_t *)bytes + at, PST_MIN(piece, len - at), in, out, &err);
	return rc;
}

Test(websocket, frames_come_in_any_pieces)
{
	static const char bytes[] = "\x02\x02RF\x89\x01?\x00\x00\x80\x03 00\x82\x7e\x00\x03xyz\x82\x7f\0\0\0\0\0\0\0\1!\x88\x02\x03\xe8\x82\x01-";
	struct pst_buf in, out;
	struct websocket w;

	for (size_t piece = 1; piece < sizeof(bytes); piece++) {
		pst_buf_init(&in, 100);
		pst_buf_init(&out, 100);
		cr_assert_eq(take(&w, bytes, sizeof(bytes) - 1, piece, &in, &out), 0, "%zu", piece);
		cr_expect_str_eq(pst_buf_cstr(&in), "RF 00xyz!");
		cr_expect(w.is_closed);
		/* The ping's words come back, masked. */
		cr_assert_eq(out.len, 7);
		cr_expect(out.data[0] == 0x8a && out.data[1] == 0x81 && (out.data[6] ^ out.data[2]) == '?');
		pst_buf_finish(&in);
		pst_buf_finish(&out);
	}
}

Test(websocket, what_no_server_may_send_ends_it)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = { { "\x81\x01x", 3 }, { "\xc2\x01x", 3 }, { "\x82\x81" "abcdx", 7 }, { "\x80\x01x", 3 }, { "\x02\x01x\x82\x01y", 6 }, { "\x09\x00", 2 }, { "\x89\x7e\x00\x7e", 4 },
		{ "\x83\x00", 2 }, { "\x8b\x00", 2 }, { "\x82\x7f\x80\0\0\0\0\0\0\0", 10 } };
	struct pst_buf in, out;
	struct websocket w;

	for (size_t i = 0; i < PST_ARRAY_LEN(wrong); i++) {
		pst_buf_init(&in, 100);
		pst_buf_init(&out, 100);
		cr_expect_eq(take(&w, wrong[i].bytes, wrong[i].len, 1, &in, &out), PST_EPROTO, "%zu", i);
		pst_buf_finish(&in);
		pst_buf_finish(&out);
	}
}

Test(websocket, what_we_send_is_masked_and_of_every_length)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 65535, 65536 };
	static uint8_t data[65536];

	memset(data, 'a', sizeof(data));
	for (size_t i = 0; i < PST_ARRAY_LEN(lengths); i++) {
		size_t n = lengths[i], head = n < 126 ? 2 : n < 65536 ? 4 : 10;
		struct pst_buf out;

		pst_buf_init(&out, 70000);
		websocket_put(&out, data, n);
		cr_assert_eq(out.len, head + 4 + n, "%zu", n);
		cr_expect(out.data[0] == 0x82 && out.data[1] & 0x80);
		if (n)
			cr_expect_eq(out.data[head + 4 + n - 1] ^ out.data[head + (n - 1) % 4], 'a');
		pst_buf_finish(&out);
	}
}
