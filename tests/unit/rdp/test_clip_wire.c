/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client says about its clipboard. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "protocol/front/rdp/clip_wire.h"

static struct clip_message parsed(const void *bytes, size_t len)
{
	struct clip_message m = { 0 };
	struct pst_err err = PST_ERR_INIT;
	cr_assert_eq(clip_parse(bytes, len, &m, &err), 0, "%s", err.text);
	return m;
}

Test(clip_wire, messages_of_xfreerdp_are_understood)
{
	static const uint8_t caps[] = { 7, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 12, 0, 2, 0, 0, 0, 2, 0, 0, 0 };
	static const uint8_t list[] = { 2, 0, 0, 0, 20, 0, 0, 0, 0x10, 0xc0, 0, 0, 'H', 0, 'T', 0, 0, 0, 13, 0, 0, 0, 0, 0, 1, 0, 0, 0 };
	static const uint8_t want[] = { 4, 0, 0, 0, 4, 0, 0, 0, 13, 0, 0, 0 };
	struct clip_message m = parsed(caps, sizeof(caps));
	cr_expect_eq(m.type, CLIP_CAPS);
	cr_expect_eq(clip_general_flags(&m), CLIP_LONG_NAMES);
	m = parsed(list, sizeof(list));
	cr_expect(clip_lists_text(&m, true));
	cr_expect_not(clip_lists_text(&m, false), "with short names the same bytes are one format");
	m = parsed(want, sizeof(want));
	cr_expect_eq(clip_wanted(&m), CLIP_UNICODE_TEXT);
}

Test(clip_wire, what_is_cut_short_is_refused_or_says_nothing)
{
	static const uint8_t cut[] = { 2, 0, 0, 0, 20, 0, 0, 0, 1 }, endless[] = { 2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, empty[] = { 4, 0, 0, 0, 0, 0, 0, 0 };
	struct clip_message m;
	struct pst_err err = PST_ERR_INIT;
	cr_expect_eq(clip_parse(cut, sizeof(cut), &m, &err), PST_EPROTO);
	cr_expect_eq(clip_parse(endless, sizeof(endless), &m, &err), PST_EPROTO);
	cr_expect_eq(clip_parse(cut, 3, &m, &err), PST_EPROTO);
	m = parsed(empty, sizeof(empty));
	cr_expect_eq(clip_wanted(&m), 0);
	cr_expect_eq(clip_general_flags(&m), 0);
	cr_expect_not(clip_lists_text(&m, true));
}
