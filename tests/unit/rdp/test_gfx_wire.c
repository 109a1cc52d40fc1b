/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphics messages: the bytes that a client gets, and what it may answer. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/front/rdp/gfx_wire.h"

#define EXPECT_BYTES(b, ...) \
	do { \
		const uint8_t want[] = { __VA_ARGS__ }; \
		cr_assert_eq((b)->len, sizeof(want), "%zu bytes", (b)->len); \
		cr_expect_arr_eq((b)->data, want, sizeof(want)); \
		pst_buf_reset(b); \
	} while (0)

Test(gfx_wire, messages_have_the_specification_s_bytes)
{
	struct pst_buf out;
	const struct rect r = { 1, 2, 3, 4 };
	pst_buf_init(&out, 4096);
	gfx_wire_start_frame(&out, 7, 0);
	EXPECT_BYTES(&out, 0x0b, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0);
	gfx_wire_end_frame(&out, 7);
	EXPECT_BYTES(&out, 0x0c, 0, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0);
	gfx_wire_solid_fill(&out, 1, 0x112233, &r);
	EXPECT_BYTES(&out, 4, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0x33, 0x22, 0x11, 0xff, 1, 0, 1, 0, 2, 0, 4, 0, 6, 0);
	gfx_wire_copy(&out, 1, 1, &r, 5, 6);
	EXPECT_BYTES(&out, 5, 0, 0, 0, 26, 0, 0, 0, 1, 0, 1, 0, 5, 0, 6, 0, 8, 0, 10, 0, 1, 0, 1, 0, 2, 0);
	gfx_wire_copy(&out, 3, 1, &r, 0, 0);
	EXPECT_BYTES(&out, 5, 0, 0, 0, 26, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 3, 0, 4, 0, 1, 0, 1, 0, 2, 0);
	gfx_wire_avc420(&out, 3, 16, 32, 20, "ab", 2);
	EXPECT_BYTES(&out, 1, 0, 0, 0, 41, 0, 0, 0, 3, 0, 11, 0, 0x20, 0, 0, 0, 0, 16, 0, 32, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 32, 0,
		     20, 80, 'a', 'b');
	gfx_wire_avc444(&out, 3, 16, 32, 20, "ab", 2, "c", 1);
	EXPECT_BYTES(&out, 1, 0, 0, 0, 60, 0, 0, 0, 3, 0, 15, 0, 0x20, 0, 0, 0, 0, 16, 0, 32, 0, 35, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 32, 0,
		     20, 80, 'a', 'b', 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 32, 0, 20, 80, 'c');
	gfx_wire_to_cache(&out, 1, 0x1122334455667788, 9, &r);
	EXPECT_BYTES(&out, 6, 0, 0, 0, 28, 0, 0, 0, 1, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 9, 0, 1, 0, 2, 0, 4, 0, 6, 0);
	gfx_wire_from_cache(&out, 9, 1, 5, 6);
	EXPECT_BYTES(&out, 7, 0, 0, 0, 18, 0, 0, 0, 9, 0, 1, 0, 1, 0, 5, 0, 6, 0);
	gfx_wire_evict(&out, 9);
	EXPECT_BYTES(&out, 8, 0, 0, 0, 10, 0, 0, 0, 9, 0);
	gfx_wire_bits(&out, 1, GFX_CODEC_PLANAR, &r, "ab", 2);
	EXPECT_BYTES(&out, 1, 0, 0, 0, 27, 0, 0, 0, 1, 0, 10, 0, 0x20, 1, 0, 2, 0, 4, 0, 6, 0, 2, 0, 0, 0, 'a', 'b');
	gfx_wire_reset(&out, 640, 480);
	cr_expect_eq(out.len, 340, "ResetGraphics is always as long as with sixteen monitors");
	pst_buf_finish(&out);
}

Test(gfx_wire, the_cache_s_size_is_in_the_capabilities)
{
	cr_expect(gfx_wire_has_small_cache(&(struct gfx_capset){ GFX_VERSION_8, 1 }));
	cr_expect(gfx_wire_has_small_cache(&(struct gfx_capset){ GFX_VERSION_81, 0x12 }));
	cr_expect_not(gfx_wire_has_small_cache(&(struct gfx_capset){ GFX_VERSION_10, 0x20 }));
}

Test(gfx_wire, h264_is_for_clients_that_say_so)
{
	static const struct {
		struct gfx_capset set;
		bool has_avc, has_avc444;
	} sets[] = { { { GFX_VERSION_8, 0 }, false, false }, { { GFX_VERSION_8, 0x10 }, false, false }, { { GFX_VERSION_81, 0 }, false, false },
		     { { GFX_VERSION_81, 0x10 }, true, false }, { { GFX_VERSION_10, 0 }, true, false }, { { GFX_VERSION_10, 0x20 }, false, false },
		     { { GFX_VERSION_102, 0 }, true, true }, { { GFX_VERSION_102, 0x20 }, false, false } };
	for (size_t i = 0; i < PST_ARRAY_LEN(sets); i++) {
		cr_expect_eq(gfx_wire_has_avc(&sets[i].set), sets[i].has_avc, "set %zu", i);
		cr_expect_eq(gfx_wire_has_avc444(&sets[i].set), sets[i].has_avc444, "set %zu", i);
	}
}

static const struct {
	const char *what;
	uint8_t bytes[40];
	size_t len;
	long expected;
} cases[] = {
	{ "acknowledgement", { 0x0d, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0 }, 20, 20 },
	{ "acknowledgement cut short", { 0x0d, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0 }, 12, PST_EPROTO },
	{ "half a header", { 0x0d, 0, 0 }, 3, 0 },
	{ "length below the header", { 0x0d, 0, 0, 0, 4, 0, 0, 0 }, 8, PST_EPROTO },
	{ "length of 4 GiB", { 0x0d, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 8, PST_EPROTO },
	{ "capabilities", { 0x12, 0, 0, 0, 22, 0, 0, 0, 1, 0, 4, 0, 8, 0, 4, 0, 0, 0, 2, 0, 0, 0 }, 22, 22 },
	{ "capabilities that promise more", { 0x12, 0, 0, 0, 10, 0, 0, 0, 9, 0 }, 10, PST_EPROTO },
	{ "a set of 4 GiB", { 0x12, 0, 0, 0, 18, 0, 0, 0, 1, 0, 4, 0, 8, 0, 0xff, 0xff, 0xff, 0xff }, 18, PST_EPROTO },
	{ "something else", { 0x77, 0, 0, 0, 8, 0, 0, 0 }, 8, 8 },
};

Test(gfx_wire, the_client_s_messages_are_read_or_refused)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct gfx_client_pdu pdu;
		struct pst_err err = PST_ERR_INIT;
		long used = gfx_wire_parse(cases[i].bytes, cases[i].len, &pdu, &err);
		cr_expect_eq(used, cases[i].expected, "%s: %ld (%s)", cases[i].what, used, err.text);
	}
}
