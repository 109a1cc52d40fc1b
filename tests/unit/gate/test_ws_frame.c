/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WebSocket frames of clients, whole, cut and broken. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/gate/ws_frame.h"

static struct ws_parser parser;

/* Builds a masked client frame; returns its length. */
static size_t frame(uint8_t *out, uint8_t first, const void *data, size_t len)
{
	static const uint8_t mask[4] = { 0x12, 0xa5, 0x00, 0xff };
	size_t at = ws_frame_header(out, WS_BINARY, true, len);

	out[0] = first;
	out[1] |= 0x80;
	memcpy(out + at, mask, 4);
	for (size_t i = 0; i < len; i++)
		out[at + 4 + i] = ((const uint8_t *)data)[i] ^ mask[i & 3];
	return at + 4 + len;
}

Test(ws_frame, test_messages_come_out_whole_however_they_are_cut)
{
	static uint8_t wire[70000], data[65536];
	static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536 };

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t s = 0; s < PST_ARRAY_LEN(sizes); s++)
		for (size_t piece = 1; piece < 70000; piece = piece * 5 + 2) {
			size_t len = frame(wire, 0x82, data, sizes[s]), at = 0, used;
			struct ws_event ev;
			int rc = 0;

			ws_parser_init(&parser);
			while (at < len && rc == 0) {
				rc = ws_parser_feed(&parser, wire + at, PST_MIN(piece, len - at), &used, &ev);
				at += used;
			}
			cr_assert_eq(rc, 1);
			cr_assert_eq(at, len);
			cr_assert_eq(ev.len, sizes[s]);
			cr_assert_arr_eq(ev.data, data, sizes[s]);
		}
}

Test(ws_frame, test_control_frames_may_lie_between_fragments)
{
	uint8_t wire[200];
	size_t len = frame(wire, 0x02, "ab", 2), used, at = 0;
	struct ws_event ev;

	len += frame(wire + len, 0x89, "ping", 4);
	len += frame(wire + len, 0x80, "cd", 2);
	ws_parser_init(&parser);
	cr_assert_eq(ws_parser_feed(&parser, wire, len, &used, &ev), 1);
	cr_assert(ev.opcode == WS_PING && ev.len == 4 && !memcmp(ev.data, "ping", 4));
	at = used;
	cr_assert_eq(ws_parser_feed(&parser, wire + at, len - at, &used, &ev), 1);
	cr_assert(ev.opcode == WS_BINARY && ev.len == 4 && !memcmp(ev.data, "abcd", 4));
	cr_assert_eq(at + used, len);
}

Test(ws_frame, test_broken_frames_name_their_close_code)
{
	static const struct {
		uint8_t bytes[14];
		size_t len;
		int code;
	} cases[] = {
		{ { 0x82, 0x01 }, 2, -1002 },                         /* not masked */
		{ { 0xc2, 0x81 }, 2, -1002 },                         /* reserved bit: an extension that nobody agreed */
		{ { 0x81, 0x81 }, 2, -1003 },                         /* text */
		{ { 0x83, 0x81 }, 2, -1002 },                         /* unknown opcode */
		{ { 0x8b, 0x81 }, 2, -1002 },                         /* unknown control opcode */
		{ { 0x80, 0x81 }, 2, -1002 },                         /* a continuation of nothing */
		{ { 0x09, 0x81 }, 2, -1002 },                         /* a control frame in fragments */
		{ { 0x89, 0xfe }, 2, -1002 },                         /* a long control frame */
		{ { 0x88, 0x81, 0, 0, 0, 0, 3 }, 7, -1002 },          /* a close code of one byte */
		{ { 0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0 }, 14, -1009 },
		{ { 0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 }, 14, -1009 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct ws_event ev;
		size_t used;

		ws_parser_init(&parser);
		cr_assert_eq(ws_parser_feed(&parser, cases[i].bytes, cases[i].len, &used, &ev), cases[i].code, "case %zu", i);
	}
}

Test(ws_frame, test_fragments_share_one_ceiling)
{
	static uint8_t wire[40000], data[33000];
	struct ws_event ev;
	size_t used, len = frame(wire, 0x02, data, sizeof(data));

	ws_parser_init(&parser);
	cr_assert_eq(ws_parser_feed(&parser, wire, len, &used, &ev), 0);
	len = frame(wire, 0x80, data, sizeof(data));
	cr_assert_eq(ws_parser_feed(&parser, wire, len, &used, &ev), -1009);
}

Test(ws_frame, test_the_accept_key_of_the_rfc)
{
	char out[29];

	cr_assert(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", out));
	cr_assert_str_eq(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	cr_assert_not(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ=", out));
	cr_assert_not(ws_accept_key("dGhlIHNhbXBsZSBub25jZ!==", out));
	cr_assert_not(ws_accept_key("AAAAAAAAAAAAAAAAAAAAAAAA", out));
}
