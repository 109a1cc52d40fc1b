/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes of messages to the browser, as docs/web-protocol.md has them. */
#include <criterion/criterion.h>
#include <string.h>

#include "protocol/front/ws/frame.h"
#include "protocol/front/ws/message.h"

static struct pst_buf buf;

static void setup(void)
{
	pst_buf_init(&buf, WS_FRAME_MAX);
}

static void teardown(void)
{
	pst_buf_finish(&buf);
}

TestSuite(message, .init = setup, .fini = teardown);

static void assert_bytes(const uint8_t *want, size_t len)
{
	cr_assert(!buf.failed);
	cr_assert_eq(buf.len, len, "%zu bytes instead of %zu", buf.len, len);
	cr_assert(memcmp(buf.data, want, len) == 0);
}

Test(message, texts_are_cut_at_a_character_below_their_ceiling)
{
	static char text[6000];

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "€", 3);
	ws_write_texts(&buf, text, NULL);
	cr_assert_eq(buf.len, 2 + 4095 + 2);
	cr_assert(buf.data[0] == 0x0f && buf.data[1] == 0xff);
}

Test(message, texts_that_are_no_utf8_are_left_out)
{
	ws_write_texts(&buf, "\xff\xfe", "sí");
	assert_bytes((const uint8_t[]){ 0, 0, 0, 3, 's', 0xc3, 0xad }, 7);
}

Test(message, a_cursor_is_straight_rgba)
{
	const uint32_t pixels[] = { 0xff112233, 0x80402010, 0 };
	const struct cursor_image image = { 3, 1, 2, 0, pixels };

	ws_write_cursor(&buf, &image);
	assert_bytes((const uint8_t[]){ 0, 3, 0, 1, 0, 2, 0, 0, 0x11, 0x22, 0x33, 0xff, 0x80, 0x40, 0x20, 0x80, 0, 0, 0, 0 }, 20);
}

Test(message, a_frame_holds_its_operations_in_order)
{
	static const uint8_t unit[] = { 0, 0, 0, 1, 0x65 };
	const struct op ops[] = {
		{ .kind = OP_COPY, .rect = { 1, 2, 3, 4 }, .copy = { 5, 6 } },
		{ .kind = OP_FILL, .rect = { 0, 0, 8, 8 }, .fill = 0x112233 },
		{ .kind = OP_VIDEO, .rect = { 0, 0, 8, 8 }, .video = { .region = 900, .is_key = true, .coded_w = 8, .coded_h = 8, .data = unit, .len = 5 } },
	};
	const struct op_list list = { .ops = ops, .len = 3, .sequence = 258, .more = true };
	struct ws_frame_writer w;
	struct pst_err err = PST_ERR_INIT;

	cr_assert(ws_frame_writer_init(&w) == 0);
	cr_assert(ws_frame_write(&w, &list, NULL, &buf, &err) == 0);
	assert_bytes((const uint8_t[]){ 0, 0, 1, 2, 2, 0, 3,
					1, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6,
					2, 0, 0, 0, 0, 0, 8, 0, 8, 0x11, 0x22, 0x33,
					6, 0, 0, 0, 0, 0, 8, 0, 8, 0, 1, 0, 8, 0, 8, 0, 0, 0, 5, 0, 0, 0, 1, 0x65 }, 7 + 13 + 12 + 24);
	cr_assert(w.mix.ops[WS_OP_VIDEO] == 1 && w.mix.pixels[WS_OP_FILL] == 64);
	ws_frame_writer_finish(&w);
}

Test(message, regions_keep_their_slot_and_the_idle_one_is_reused)
{
	struct ws_frame_writer w;
	struct pst_err err = PST_ERR_INIT;
	static const uint32_t regions[] = { 10, 11, 12, 13, 11, 10, 14, 11 }, slots[] = { 0, 1, 2, 3, 1, 0, 2, 1 };

	cr_assert(ws_frame_writer_init(&w) == 0);
	for (size_t i = 0; i < 8; i++) {
		const struct op op = { .kind = OP_VIDEO, .rect = { 0, 0, 2, 2 }, .video = { .region = regions[i], .data = (const uint8_t *)"", .len = 1 } };
		const struct op_list list = { .ops = &op, .len = 1, .sequence = i + 1 };

		pst_buf_reset(&buf);
		cr_assert(ws_frame_write(&w, &list, NULL, &buf, &err) == 0);
		cr_assert_eq(buf.data[7 + 9], slots[i], "region %u went to slot %u", regions[i], buf.data[16]);
	}
	ws_frame_writer_finish(&w);
}

Test(message, a_flat_rectangle_says_its_length)
{
	static uint32_t pixels[64 * 64];
	const struct pixmap sent = { (const uint8_t *)pixels, 64, 64, 256 };
	const struct op op = { .kind = OP_LOSSLESS, .rect = { 8, 8, 16, 16 } };
	const struct op_list list = { .ops = &op, .len = 1, .sequence = 1, .is_exact = true };
	struct ws_frame_writer w;
	struct pst_err err = PST_ERR_INIT;

	cr_assert(ws_frame_writer_init(&w) == 0);
	cr_assert(ws_frame_write(&w, &list, &sent, &buf, &err) == 0);
	cr_assert(buf.data[4] == WS_FRAME_EXACT && buf.data[7] == WS_OP_FLAT);
	cr_assert_eq(buf.data[18] << 8 | buf.data[19], (int)buf.len - 20);
	cr_assert(memcmp(buf.data + 20, "\x28\xb5\x2f\xfd", 4) == 0, "the stream begins with zstd's magic number");
	ws_frame_writer_finish(&w);
}
