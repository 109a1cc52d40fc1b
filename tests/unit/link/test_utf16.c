/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clipboard text: there and back, and halves that have no other half. Covers: protocol/link/layout.c */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/link/layout.h"
#include "protocol/link/utf16.h"

Test(rdp_utf16, text_comes_back_as_it_was)
{
	static const char *const texts[] = { "", "hola", "ñ á € @ {", "中文 😀", "uno\ndos\n" };
	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++) {
		struct pst_buf wide, back;
		pst_buf_init(&wide, 4096);
		pst_buf_init(&back, 4096);
		utf16_from_text(&wide, texts[i], strlen(texts[i]));
		utf16_to_text(&back, wide.data, wide.len);
		cr_expect_eq(back.len, strlen(texts[i]), "%s", texts[i]);
		cr_expect_str_eq(pst_buf_cstr(&back), texts[i]);
		pst_buf_finish(&wide);
		pst_buf_finish(&back);
	}
}

Test(rdp_utf16, lone_halves_and_odd_ends_do_no_harm)
{
	const uint8_t lone[] = { 'a', 0, 0x00, 0xd8, 'b', 0, 0x00, 0xdc, 0, 0 }, odd[] = { 'a', 0, 'b' };
	struct pst_buf out;
	pst_buf_init(&out, 64);
	utf16_to_text(&out, lone, sizeof(lone));
	cr_expect_str_eq(pst_buf_cstr(&out), "a\xef\xbf\xbd" "b\xef\xbf\xbd");
	pst_buf_reset(&out);
	utf16_to_text(&out, odd, sizeof(odd));
	cr_expect_eq(out.failed, false);
	utf16_to_text(&out, NULL, 0);
	pst_buf_finish(&out);
}

Test(rdp_layout, windows_names_become_ours)
{
	cr_expect_str_eq(layout_name(0x040a), "es");
	cr_expect_str_eq(layout_name(0x00020409), "us(intl)");
	cr_expect_str_eq(layout_name(0x00050407), "de", "an unknown variant of a known language");
	cr_expect_null(layout_name(0xdead));
	cr_expect_eq(layout_id("es"), 0x040a);
	cr_expect_eq(layout_id("us(intl)"), 0x00020409);
	cr_expect_eq(layout_id("de(nodeadkeys)"), 0x0407, "an unknown variant of a known language");
	cr_expect_eq(layout_id(""), 0);
	cr_expect_eq(layout_id("xx"), 0);
}
