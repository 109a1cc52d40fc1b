/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client messages of RFB: whole, cut short, and hostile. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/front/rfb/message.h"

struct parse_case {
	const char *what;
	uint8_t bytes[32];
	size_t len;
	ssize_t expected; /* bytes used, 0 for more, negative code */
	enum rfb_message_kind kind;
};

static const struct parse_case cases[] = {
	{ "key", { 4, 1, 0, 0, 0, 0, 0x20, 0xac }, 8, 8, RFB_KEY },
	{ "key cut short", { 4, 1, 0, 0, 0, 0, 0x20 }, 7, 0, 0 },
	{ "pointer", { 5, 1, 0, 10, 0, 20 }, 6, 6, RFB_POINTER },
	{ "update request", { 3, 1, 0, 0, 0, 0, 4, 0, 3, 0 }, 10, 10, RFB_UPDATE_REQUEST },
	{ "encodings", { 2, 0, 0, 2, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0x11 }, 12, 12, RFB_SET_ENCODINGS },
	{ "encodings promise more than came", { 2, 0, 0xff, 0xff, 0, 0, 0, 7 }, 8, 0, 0 },
	{ "cut text", { 6, 0, 0, 0, 0, 0, 0, 2, 'h', 'i' }, 10, 10, RFB_CUT_TEXT },
	{ "cut text of 2 GiB", { 6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff }, 8, PST_ELIMIT, 0 },
	{ "extended text of -2^31", { 6, 0, 0, 0, 0x80, 0, 0, 0 }, 8, PST_ELIMIT, 0 },
	{ "extended text without flags", { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 1, 2 }, 10, PST_EPROTO, 0 },
	{ "extended notify", { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 8, 0, 0, 1 }, 12, 12, RFB_CUT_TEXT },
	{ "fence", { 248, 0, 0, 0, 0x80, 0, 0, 1, 2, 'a', 'b' }, 11, 11, RFB_FENCE },
	{ "fence over its limit", { 248, 0, 0, 0, 0, 0, 0, 0, 65 }, 9, PST_EPROTO, 0 },
	{ "continuous updates", { 150, 1, 0, 0, 0, 0, 4, 0, 3, 0 }, 10, 10, RFB_CONTINUOUS_UPDATES },
	{ "desktop size", { 251, 0, 4, 0, 3, 0, 0, 0 }, 8, 8, RFB_DESKTOP_SIZE },
	{ "too many screens", { 251, 0, 4, 0, 3, 0, 255, 0 }, 8, PST_ELIMIT, 0 },
	{ "QEMU key", { 255, 0, 0, 1, 0, 0, 0, 'a', 0, 0, 0, 30 }, 12, 12, RFB_KEY },
	{ "QEMU audio", { 255, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, PST_EPROTO, 0 },
	{ "unknown type", { 77 }, 1, PST_EPROTO, 0 },
	{ "palette format", { 0, 0, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 20, PST_EUNSUPPORTED, 0 },
};

Test(rfb_message, each_kind_is_read_and_nonsense_refused)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		const struct parse_case *c = &cases[i];
		struct rfb_message m = { 0 };
		struct pst_err err = PST_ERR_INIT;
		ssize_t used = rfb_message_parse(c->bytes, c->len, &m, &err);
		cr_expect_eq(used, c->expected, "%s: %zd (%s)", c->what, used, err.text);
		if (c->expected > 0)
			cr_expect_eq(m.kind, c->kind, "%s", c->what);
		if (c->expected < 0)
			cr_expect(err.text[0], "%s: an error says why", c->what);
	}
}

Test(rfb_message, every_prefix_asks_for_more)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		if (cases[i].expected <= 0)
			continue;
		for (size_t len = 0; len < (size_t)cases[i].expected; len++) {
			struct rfb_message m = { 0 };
			struct pst_err err = PST_ERR_INIT;
			cr_expect_eq(rfb_message_parse(cases[i].bytes, len, &m, &err), 0, "%s at %zu", cases[i].what, len);
		}
	}
}

Test(rfb_message, key_carries_keysym_and_scan_code)
{
	static const uint8_t bytes[] = { 255, 0, 0, 1, 0, 0, 0x20, 0xac, 0, 0, 0, 0x92 };
	struct rfb_message m = { 0 };
	cr_assert_eq(rfb_message_parse(bytes, sizeof(bytes), &m, NULL), 12);
	cr_expect(m.key.is_down);
	cr_expect_eq(m.key.keysym, 0x20ac);
	cr_expect_eq(m.key.scancode, 0x92);
}
